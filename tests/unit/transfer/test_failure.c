/* Failures: which errno, which words, and whether the request may have been carried out. */
#include "tests/unit/transfer/harness.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void assert_fails(const char *path, const char *method, int code, const char *words,
		bool sent_whole) {
	struct fetch fetch = {.method = method};
	fetch_run(&fetch, "%s%s", http_base(), path);
	assert_int_equal(fetch.result.code, code);
	assert_contains(fetch.result.words, words);
	assert_int_equal(fetch.result.sent_whole, sent_whole);
	fetch_finish(&fetch);
}

static void a_reply_that_is_cut_short_is_EPROTO_and_says_after_how_much(void **state) {
	(void)state;
	assert_fails("/cut", "GET", EPROTO, "cut short after 10 bytes", true);
	assert_fails("/cut-chunked", "GET", EPROTO, "cut short after 9 bytes", true);
}

static void a_reset_is_ECONNRESET(void **state) {
	(void)state;
	assert_fails("/reset", "POST", ECONNRESET, "before it replied", true);
	assert_fails("/reset-mid", "POST", ECONNRESET, "after 10 bytes", true);
}

static void what_is_not_HTTP_is_EPROTO(void **state) {
	(void)state;
	assert_fails("/garbage", "GET", EPROTO, "not HTTP", true);
}

/* A port that was free a moment ago. */
static int closed_port(void) {
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t size = sizeof(address);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void a_closed_port_is_ECONNREFUSED(void **state) {
	(void)state;
	int port = closed_port();
	struct transfer_host hosts[] = {{"http", "127.0.0.1", port, true, true}};
	struct fetch fetch = {.method = "POST", .text = "x", .hosts = hosts, .n_hosts = 1};
	char named[32];
	snprintf(named, sizeof(named), "127.0.0.1:%d", port);
	fetch_run(&fetch, "http://%s/", named);
	assert_int_equal(fetch.result.code, ECONNREFUSED);
	assert_contains(fetch.result.words, named);
	assert_false(fetch.result.sent_whole);
	fetch_finish(&fetch);
}

static void a_name_that_does_not_exist_is_EHOSTUNREACH(void **state) {
	(void)state;
	struct transfer_host hosts[] = {{"http", "nowhere.invalid", 0, true, true}};
	struct fetch fetch = {.hosts = hosts, .n_hosts = 1};
	fetch_run(&fetch, "http://nowhere.invalid/");
	assert_int_equal(fetch.result.code, EHOSTUNREACH);
	assert_contains(fetch.result.words, "nowhere.invalid");
	assert_false(fetch.result.sent_whole);
	fetch_finish(&fetch);
}

static void assert_times_out(struct fetch *fetch, const char *path, const char *words,
		double seconds, bool sent_whole) {
	fetch_run(fetch, "%s%s", http_base(), path);
	assert_int_equal(fetch->result.code, ETIMEDOUT);
	assert_contains(fetch->result.words, words);
	assert_int_equal(fetch->result.sent_whole, sent_whole);
	assert_in_range(fetch->result.total_us, (uint64_t)(seconds * 1e6 * 0.98),
			(uint64_t)(seconds * 1e6) + 3000000);
	fetch_finish(fetch);
}

static void a_service_that_never_replies_runs_into_timeout_first_byte(void **state) {
	(void)state;
	struct fetch fetch = {.method = "POST", .text = "x", .timeouts = {1, 0.2, 1, 0}};
	assert_times_out(&fetch, "/silent?a", "timeout_first_byte", 0.2, true);
	assert_string_equal(fact("silent-closed-a"), "closed");
}

static void a_reply_that_stops_runs_into_timeout_idle(void **state) {
	(void)state;
	struct fetch fetch = {.timeouts = {1, 1, 0.2, 0}};
	assert_times_out(&fetch, "/stall?b", "timeout_idle", 0.2, true);
	assert_int_equal(fetch.bytes, 4);
	assert_string_equal(fact("stall-b"), "closed");
}

static void a_reply_that_takes_too_long_runs_into_timeout_total(void **state) {
	(void)state;
	struct fetch fetch = {.timeouts = {1, 1, 1, 0.3}};
	assert_times_out(&fetch, "/trickle?n=1000", "timeout_total", 0.3, true);
}

static void a_reply_that_trickles_is_not_idle(void **state) {
	(void)state;
	struct fetch fetch = {.timeouts = {1, 0.5, 0.15, 0}};
	fetch_run(&fetch, "%s/trickle?n=20&gap=0.03", http_base());
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.bytes, 20);
	fetch_finish(&fetch);
}

/* 64 MiB of zeros from a sparse file. */
static void make_large(char *path, struct body_part *part, struct body *body) {
	int fd = mkstemp(path);
	assert_int_equal(ftruncate(fd, 64 << 20), 0);
	close(fd);
	*part = (struct body_part){.kind = BODY_FILE, .path = path};
	*body = (struct body){.parts = part, .n_parts = 1};
}

static void a_service_that_does_not_take_the_body_runs_into_timeout_idle(void **state) {
	(void)state;
	char path[] = "/tmp/transfer-unread-XXXXXX";
	struct body_part part;
	struct body body;
	make_large(path, &part, &body);
	struct fetch fetch = {.method = "POST", .body = &body, .timeouts = {1, 0.1, 0.3, 0}};
	fetch_run(&fetch, "%s/unread", http_base());
	unlink(path);
	assert_int_equal(fetch.result.code, ETIMEDOUT);
	assert_contains(fetch.result.words, "took none of the request");
	assert_false(fetch.result.sent_whole);
	fetch_finish(&fetch);
}

static void the_first_byte_is_waited_for_from_the_end_of_the_request(void **state) {
	(void)state;
	char path[] = "/tmp/transfer-first-XXXXXX";
	struct body_part part;
	struct body body;
	make_large(path, &part, &body);
	struct fetch fetch = {.method = "POST", .body = &body, .timeouts = {1, 0.25, 1, 0}};
	fetch_run(&fetch, "%s/slow-reader", http_base());
	unlink(path);
	assert_int_equal(fetch.result.code, 0);
	assert_true(fetch.result.total_us > 400000);
	fetch_finish(&fetch);
}

static void a_reply_before_the_request_was_sent_is_told_as_such(void **state) {
	(void)state;
	char path[] = "/tmp/transfer-early-XXXXXX";
	struct body_part part;
	struct body body;
	make_large(path, &part, &body);
	struct fetch fetch = {.method = "POST", .body = &body, .timeouts = {1, 1, 1, 5}};
	fetch_run(&fetch, "%s/early", http_base());
	unlink(path);
	assert_int_equal(fetch.status, 413);
	assert_false(fetch.result.sent_whole);
	fetch_finish(&fetch);
}

static void connecting_runs_into_timeout_connect(void **state) {
	(void)state;
	struct transfer_host hosts[] = {{"https", "localhost", server.mute[0], true, true}};
	struct fetch fetch = {.hosts = hosts, .n_hosts = 1, .timeouts = {0.2, 1, 1, 0}};
	fetch_run(&fetch, "https://localhost:%d/", server.mute[0]);
	assert_int_equal(fetch.result.code, ETIMEDOUT);
	assert_contains(fetch.result.words, "timeout_connect");
	assert_false(fetch.result.sent_whole);
	assert_in_range(fetch.result.total_us, 190000, 4000000);
	fetch_finish(&fetch);
}

static void a_file_that_shrinks_while_it_is_sent_ends_the_transfer(void **state) {
	(void)state;
	char path[] = "/tmp/transfer-shrink-XXXXXX";
	struct body_part part;
	struct body body;
	make_large(path, &part, &body);
	struct fetch fetch = {.method = "POST", .body = &body};
	fetch_start(&fetch, "%s/hash", http_base());
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(truncate(path, 1 << 20), 0);
	fetch_wait(&fetch);
	unlink(path);
	assert_int_equal(fetch.result.code, EIO);
	assert_contains(fetch.result.words, "changed");
	assert_false(fetch.result.sent_whole);
	fetch_finish(&fetch);
}

/* What the second request on a connection meets: the service closes it without a reply. */
static void die(struct fetch *fetch, const char *query) {
	struct fetch first = {0};
	fetch_run(&first, "%s/connection", http_base());
	fetch_finish(&first);
	fetch_run(fetch, "%s/die%s", http_base(), query);
}

static void a_get_on_a_connection_that_just_died_is_made_again(void **state) {
	(void)state;
	struct fetch fetch = {0};
	die(&fetch, "");
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.status, 200);
	assert_true(fetch.result.sent_whole);
	fetch_finish(&fetch);
}

static void a_post_that_was_sent_whole_is_never_made_again(void **state) {
	(void)state;
	static const char *const texts[] = {"x", NULL};
	for (size_t i = 0; i < 2; i++) {
		struct fetch fetch = {.method = "POST", .text = texts[i]};
		int before = atoi(fact("die-requests"));
		die(&fetch, "");
		assert_int_equal(fetch.result.code, ECONNRESET);
		assert_contains(fetch.result.words, "isn't repeated");
		assert_true(fetch.result.sent_whole);
		assert_int_equal(atoi(fact("die-requests")), before + 1);
		fetch_finish(&fetch);
	}
}

static void a_large_post_that_was_not_sent_whole_is_made_again(void **state) {
	(void)state;
	char path[] = "/tmp/transfer-again-XXXXXX";
	struct body_part part;
	struct body body;
	make_large(path, &part, &body);
	struct fetch fetch = {.method = "POST", .body = &body};
	die(&fetch, "?unread");
	unlink(path);
	if (fetch.result.code != 0) {
		/* The reset met libcurl while it was sending, which it reports instead. */
		assert_int_equal(fetch.result.code, ECONNRESET);
		assert_false(fetch.result.sent_whole);
	} else {
		assert_contains(buf_string(&fetch.data), "3b6a07d0d404fab4e23b6d34bc6696a6");
	}
	fetch_finish(&fetch);
}

#define failure_test(name) cmocka_unit_test_setup_teardown(name, engine_start, engine_stop)

int main(void) {
	const struct CMUnitTest tests[] = {
			failure_test(a_reply_that_is_cut_short_is_EPROTO_and_says_after_how_much),
			failure_test(a_reset_is_ECONNRESET),
			failure_test(what_is_not_HTTP_is_EPROTO),
			failure_test(a_closed_port_is_ECONNREFUSED),
			failure_test(a_name_that_does_not_exist_is_EHOSTUNREACH),
			failure_test(a_service_that_never_replies_runs_into_timeout_first_byte),
			failure_test(a_reply_that_stops_runs_into_timeout_idle),
			failure_test(a_reply_that_takes_too_long_runs_into_timeout_total),
			failure_test(a_reply_that_trickles_is_not_idle),
			failure_test(a_service_that_does_not_take_the_body_runs_into_timeout_idle),
			failure_test(the_first_byte_is_waited_for_from_the_end_of_the_request),
			failure_test(a_reply_before_the_request_was_sent_is_told_as_such),
			failure_test(connecting_runs_into_timeout_connect),
			failure_test(a_file_that_shrinks_while_it_is_sent_ends_the_transfer),
			failure_test(a_get_on_a_connection_that_just_died_is_made_again),
			failure_test(a_post_that_was_sent_whole_is_never_made_again),
			failure_test(a_large_post_that_was_not_sent_whole_is_made_again),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
