/* Redirects: followed only to granted hosts, with the key only where it may go. */
#include "tests/unit/transfer/harness.h"

#include <errno.h>
#include <string.h>

static void a_relative_location_is_followed_and_only_the_last_head_is_told(void **state) {
	(void)state;
	struct fetch fetch = {.key = "Authorization: Bearer sk-test"};
	fetch_run(&fetch, "%s/redirect?status=302&to=/echo", http_base());
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.heads, 1);
	assert_int_equal(fetch.status, 200);
	assert_contains(buf_string(&fetch.data), "GET /echo\n");
	assert_contains(buf_string(&fetch.data), "sk-test");
	fetch_finish(&fetch);
}

static void assert_method(int status, const char *method, const char *expected, bool with_body) {
	static const char *const headers[] = {"Content-Type: text/x", "X-Kept: yes", NULL};
	struct fetch fetch = {.method = method, .text = "the body", .headers = headers};
	fetch_run(&fetch, "%s/redirect?status=%d&to=/echo", http_base(), status);
	assert_int_equal(fetch.result.code, 0);
	assert_true(fetch.result.sent_whole);
	const char *seen = buf_string(&fetch.data);
	assert_int_equal(strncmp(seen, expected, strlen(expected)), 0);
	assert_contains(seen, "X-Kept: yes");
	assert_int_equal(strstr(seen, "the body") != NULL, with_body);
	assert_int_equal(strstr(seen, "Content-Type") != NULL, with_body);
	assert_int_equal(strstr(seen, "Content-Length") != NULL, with_body);
	fetch_finish(&fetch);
}

static void the_method_changes_as_the_status_says(void **state) {
	(void)state;
	assert_method(301, "POST", "GET ", false);
	assert_method(302, "POST", "GET ", false);
	assert_method(303, "POST", "GET ", false);
	assert_method(303, "PUT", "GET ", false);
	assert_method(302, "PUT", "PUT ", true);
	assert_method(307, "POST", "POST ", true);
	assert_method(308, "POST", "POST ", true);
}

static void a_large_body_is_sent_again_after_a_307(void **state) {
	(void)state;
	char path[] = "/tmp/transfer-redirect-XXXXXX";
	int fd = mkstemp(path);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	struct body_part part = {.kind = BODY_FILE, .path = path};
	struct body body = {.parts = &part, .n_parts = 1};
	struct fetch fetch = {.method = "POST", .body = &body};
	fetch_run(&fetch, "%s/redirect?status=307&to=/hash", http_base());
	unlink(path);
	assert_int_equal(fetch.result.code, 0);
	assert_contains(buf_string(&fetch.data), "1048576 30e14955ebf1352266dc2ff8067e68104607e7");
	fetch_finish(&fetch);
}

static void the_key_stays_behind_when_the_new_host_is_not_keyed(void **state) {
	(void)state;
	struct transfer_host hosts[] = {{"http", "127.0.0.1", server.http, true, true},
			{"http", "localhost", server.http, false, true}};
	struct fetch fetch = {.key = "Authorization: Bearer sk-test", .hosts = hosts, .n_hosts = 2};
	fetch_run(&fetch, "%s/redirect?status=302&to=http://localhost:%d/echo", http_base(),
			server.http);
	assert_int_equal(fetch.result.code, 0);
	assert_contains(buf_string(&fetch.data), "Host: localhost");
	assert_null(strstr(buf_string(&fetch.data), "sk-test"));
	fetch_finish(&fetch);
}

static void a_redirect_to_a_host_that_was_not_granted_is_refused(void **state) {
	(void)state;
	static const char *const places[] = {
			"http://evil.example/", "//evil.example/", "https://127.0.0.1/"};
	for (size_t i = 0; i < 3; i++) {
		struct fetch fetch = {0};
		fetch_run(&fetch, "%s/redirect?status=302&to=%s", http_base(), places[i]);
		assert_int_equal(fetch.result.code, EACCES);
		assert_contains(fetch.result.words, i < 2 ? "evil.example" : "https://127.0.0.1");
		assert_int_equal(fetch.heads, 0);
		fetch_finish(&fetch);
	}
}

static void locations_that_are_no_web_address_are_errors(void **state) {
	(void)state;
	static const char *const places[] = {"file:///etc/passwd", "ftp://127.0.0.1/",
			"http://user:secret@127.0.0.1/", "http://a%%20b/"};
	for (size_t i = 0; i < 4; i++) {
		struct fetch fetch = {0};
		fetch_run(&fetch, "%s/redirect?status=302&to=%s", http_base(), places[i]);
		assert_int_equal(fetch.result.code, EPROTO);
		assert_null(strstr(fetch.result.words, "secret"));
		fetch_finish(&fetch);
	}
}

static void more_than_five_redirects_are_too_many(void **state) {
	(void)state;
	struct fetch circle = {0};
	fetch_run(&circle, "%s/peel/6", http_base());
	assert_int_equal(circle.result.code, EPROTO);
	assert_contains(circle.result.words, "5 redirects");
	assert_int_equal(circle.heads, 0);
	fetch_finish(&circle);
	struct fetch five = {0};
	fetch_run(&five, "%s/peel/5", http_base());
	assert_int_equal(five.result.code, 0);
	assert_string_equal(buf_string(&five.data), "peeled");
	fetch_finish(&five);
}

static void the_body_of_a_redirect_is_thrown_away_however_long(void **state) {
	(void)state;
	static const int sizes[] = {10, 60000, 5000000};
	for (size_t i = 0; i < 3; i++) {
		struct fetch fetch = {0};
		fetch_run(&fetch, "%s/redirect?status=302&to=/echo&body=%d", http_base(), sizes[i]);
		assert_int_equal(fetch.result.code, 0);
		assert_contains(buf_string(&fetch.data), "GET /echo\n");
		fetch_finish(&fetch);
	}
}

static void a_3xx_that_leads_nowhere_is_a_reply(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/status/302", http_base());
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.status, 302);
	assert_string_equal(buf_string(&fetch.data), "status 302");
	fetch_finish(&fetch);
	struct fetch unmodified = {0};
	fetch_run(&unmodified, "%s/redirect?status=304&to=/echo", http_base());
	assert_int_equal(unmodified.status, 304);
	fetch_finish(&unmodified);
}

static void a_name_that_leads_into_the_house_is_refused(void **state) {
	(void)state;
	struct transfer_host hosts[] = {{"http", "localhost", server.http, true, false},
			{"http", "127.0.0.1", server.http, true, false}};
	struct fetch fetch = {.hosts = hosts, .n_hosts = 2};
	fetch_run(&fetch, "http://localhost:%d/echo", server.http);
	assert_int_equal(fetch.result.code, EACCES);
	assert_contains(fetch.result.words, "localhost leads to a loopback address");
	assert_false(fetch.result.sent_whole);
	fetch_finish(&fetch);
	struct fetch number = {.hosts = hosts, .n_hosts = 2};
	fetch_run(&number, "http://127.0.0.1:%d/echo", server.http);
	assert_int_equal(number.result.code, EACCES);
	fetch_finish(&number);
}

static void a_local_connection_of_others_is_not_lent_out(void **state) {
	(void)state;
	struct transfer_host hosts[] = {{"http", "127.0.0.1", server.http, true, false}};
	struct fetch granted = {0}, other = {.hosts = hosts, .n_hosts = 1};
	fetch_run(&granted, "%s/echo", http_base());
	assert_int_equal(granted.result.code, 0);
	fetch_run(&other, "%s/echo", http_base());
	assert_int_equal(other.result.code, EACCES);
	assert_int_equal(other.heads, 0);
	assert_false(other.result.sent_whole);
	fetch_finish(&granted);
	fetch_finish(&other);
}

/* A proxy is the user's own choice, and what it connects to can't be seen from here. */
static void through_a_proxy_the_address_is_not_judged(void **state) {
	(void)state;
	struct transfer_host hosts[] = {{"http", "far.example", 0, true, false}};
	struct fetch fetch = {.hosts = hosts, .n_hosts = 1};
	setenv("http_proxy", http_base(), 1);
	fetch_run(&fetch, "http://far.example/");
	unsetenv("http_proxy");
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.status, 404);
	fetch_finish(&fetch);
}

#define redirect_test(name) cmocka_unit_test_setup_teardown(name, engine_start, engine_stop)

int main(void) {
	const struct CMUnitTest tests[] = {
			redirect_test(a_relative_location_is_followed_and_only_the_last_head_is_told),
			redirect_test(the_method_changes_as_the_status_says),
			redirect_test(a_large_body_is_sent_again_after_a_307),
			redirect_test(the_key_stays_behind_when_the_new_host_is_not_keyed),
			redirect_test(a_redirect_to_a_host_that_was_not_granted_is_refused),
			redirect_test(locations_that_are_no_web_address_are_errors),
			redirect_test(more_than_five_redirects_are_too_many),
			redirect_test(the_body_of_a_redirect_is_thrown_away_however_long),
			redirect_test(a_3xx_that_leads_nowhere_is_a_reply),
			redirect_test(a_name_that_leads_into_the_house_is_refused),
			redirect_test(a_local_connection_of_others_is_not_lent_out),
			redirect_test(through_a_proxy_the_address_is_not_judged),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
