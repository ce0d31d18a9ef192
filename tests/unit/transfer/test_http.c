/* Plain exchanges: what goes out, what comes in, connections that are used again. */
#include "tests/unit/transfer/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static void a_get_brings_head_data_and_end(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/echo?a=1", http_base());
	assert_int_equal(fetch.heads, 1);
	assert_int_equal(fetch.ends, 1);
	assert_int_equal(fetch.result.code, 0);
	assert_null(fetch.result.words);
	assert_int_equal(fetch.result.status, 200);
	assert_true(fetch.result.sent_whole);
	assert_false(fetch.result.retry_hinted);
	assert_int_equal(fetch.result.bytes_in, fetch.bytes);
	assert_true(fetch.result.connect_us > 0);
	assert_true(fetch.result.first_byte_us >= fetch.result.connect_us);
	assert_true(fetch.result.total_us >= fetch.result.first_byte_us);
	assert_string_equal(fetch.type, "text/plain");
	assert_contains(buf_string(&fetch.data), "GET /echo?a=1\n");
	assert_contains(buf_string(&fetch.data), "User-Agent: conduitfs-test\n");
	assert_true(betweens > 0);
	fetch_finish(&fetch);
}

static void the_body_the_headers_and_the_key_are_sent_as_given(void **state) {
	(void)state;
	static const char *const headers[] = {
			"Content-Type: application/json", "X-Title: a b", "X-Empty:", NULL};
	struct fetch fetch = {.method = "POST",
			.headers = headers,
			.text = "{\"a\":1}",
			.key = "Authorization: Bearer sk-test"};
	fetch_run(&fetch, "%s/echo", http_base());
	const char *seen = buf_string(&fetch.data);
	assert_contains(seen, "POST /echo\n");
	assert_contains(seen, "Content-Type: application/json\n");
	assert_contains(seen, "Content-Length: 7\n");
	assert_contains(seen, "X-Title: a b\n");
	assert_contains(seen, "X-Empty:\n");
	assert_contains(seen, "Authorization: Bearer sk-test\n");
	assert_contains(seen, "\n\n{\"a\":1}");
	assert_null(strstr(seen, "Expect"));
	fetch_finish(&fetch);
}

static void a_body_without_a_type_is_not_called_a_form(void **state) {
	(void)state;
	static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
	for (size_t i = 0; i < 4; i++) {
		struct fetch fetch = {.method = methods[i], .text = "x"};
		fetch_run(&fetch, "%s/echo", http_base());
		assert_contains(buf_string(&fetch.data), methods[i]);
		assert_contains(buf_string(&fetch.data), "Content-Length: 1\n");
		assert_null(strstr(buf_string(&fetch.data), "Content-Type"));
		fetch_finish(&fetch);
	}
}

static void methods_without_a_body_send_none(void **state) {
	(void)state;
	struct fetch post = {.method = "POST"}, delete = {.method = "DELETE"},
		     head = {.method = "HEAD"};
	fetch_run(&post, "%s/echo", http_base());
	assert_contains(buf_string(&post.data), "Content-Length: 0\n");
	fetch_run(&delete, "%s/echo", http_base());
	assert_contains(buf_string(&delete.data), "DELETE /echo\n");
	fetch_run(&head, "%s/nobody", http_base());
	assert_int_equal(head.result.code, 0);
	assert_int_equal(head.bytes, 0);
	assert_contains(buf_string(&head.head), "content-length: 1234");
	fetch_finish(&post);
	fetch_finish(&delete);
	fetch_finish(&head);
}

static void the_key_goes_only_where_the_list_says(void **state) {
	(void)state;
	struct transfer_host hosts[] = {{"http", "127.0.0.1", server.http, false, true}};
	struct fetch fetch = {.key = "Authorization: Bearer sk-test", .hosts = hosts, .n_hosts = 1};
	fetch_run(&fetch, "%s/echo", http_base());
	assert_int_equal(fetch.result.code, 0);
	assert_null(strstr(buf_string(&fetch.data), "sk-test"));
	fetch_finish(&fetch);
}

static void the_second_transfer_uses_the_connection_of_the_first(void **state) {
	(void)state;
	struct fetch first = {0}, second = {.method = "POST", .text = "x"};
	fetch_run(&first, "%s/connection", http_base());
	fetch_run(&second, "%s/connection", http_base());
	assert_false(first.result.reused);
	assert_true(second.result.reused);
	assert_string_equal(buf_string(&first.data), buf_string(&second.data));
	fetch_finish(&first);
	fetch_finish(&second);
}

static void error_statuses_are_successes_with_their_body(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/status/500", http_base());
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.result.status, 500);
	assert_string_equal(buf_string(&fetch.data), "status 500");
	fetch_finish(&fetch);
}

static void assert_hint(const char *path, bool hinted, double seconds) {
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s%s", http_base(), path);
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.result.retry_hinted, hinted);
	assert_true(!hinted || (fetch.result.retry_after > seconds - 0.01 &&
					       fetch.result.retry_after < seconds + 0.01));
	fetch_finish(&fetch);
}

static void retry_after_counts_on_429_and_503_only(void **state) {
	(void)state;
	assert_hint("/status/429?after=7", true, 7);
	assert_hint("/status/503?after=1.5", true, 1.5);
	assert_hint("/status/429?after=7&ms=250", true, 0.25);
	assert_hint("/status/429?after=Wed,%2021%20Oct%202015%2007:28:00%20GMT", true, 0);
	assert_hint("/status/200?after=2", false, 0);
	assert_hint("/status/500?after=2", false, 0);
	assert_hint("/status/429", false, 0);
	assert_hint("/status/429?after=soon", false, 0);
	assert_hint("/status/429?after=-3", false, 0);
}

static void chunks_are_joined_and_trailers_are_no_second_head(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/chunked", http_base());
	assert_string_equal(buf_string(&fetch.data), "hello world");
	assert_string_equal(fetch.type, "text/plain");
	assert_int_equal(fetch.heads, 1);
	assert_null(strstr(buf_string(&fetch.head), "x-trailer"));
	fetch_finish(&fetch);
}

static void informational_heads_are_passed_over(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/hints", http_base());
	assert_int_equal(fetch.heads, 1);
	assert_int_equal(fetch.status, 200);
	assert_null(strstr(buf_string(&fetch.head), "link"));
	assert_string_equal(buf_string(&fetch.data), "after the hints");
	fetch_finish(&fetch);
}

static void headers_above_16_kib_are_left_out_and_the_type_is_still_known(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/headers", http_base());
	assert_int_equal(fetch.result.code, 0);
	assert_in_range(fetch.head.size, 15000, 16 << 10);
	assert_string_equal(fetch.type, "text/late");
	assert_contains(buf_string(&fetch.head), "x-fill-0: vvv");
	fetch_finish(&fetch);
}

static void gzip_is_unpacked(void **state) {
	(void)state;
	struct fetch fetch = {.drop_data = true};
	fetch_run(&fetch, "%s/gzip?n=100000", http_base());
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.bytes, 100000);
	fetch_finish(&fetch);
}

static void the_bound_of_a_body_holds_for_what_it_unpacks_to(void **state) {
	(void)state;
	struct fetch fetch = {.drop_data = true, .body_most = 1 << 20};
	fetch_run(&fetch, "%s/gzip?n=67108864", http_base());
	assert_int_equal(fetch.result.code, EMSGSIZE);
	assert_contains(fetch.result.words, "1048576");
	assert_true(fetch.bytes <= 1 << 20);
	fetch_finish(&fetch);
	struct fetch exact = {.drop_data = true, .body_most = 1 << 20};
	fetch_run(&exact, "%s/zeros?n=1048576", http_base());
	assert_int_equal(exact.result.code, 0);
	fetch_finish(&exact);
	struct fetch above = {.drop_data = true, .body_most = 1 << 20};
	fetch_run(&above, "%s/zeros?n=1048577", http_base());
	assert_int_equal(above.result.code, EMSGSIZE);
	fetch_finish(&above);
}

static void an_encoding_that_was_not_asked_for_is_refused(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/br", http_base());
	assert_int_equal(fetch.result.code, EPROTO);
	assert_int_equal(fetch.heads, 0);
	assert_contains(fetch.result.words, "gzip");
	fetch_finish(&fetch);
}

/* 100 MiB from a sparse file: what arrives is summed. */
static void a_large_file_is_sent_whole(void **state) {
	(void)state;
	char path[] = "/tmp/transfer-large-XXXXXX";
	int fd = mkstemp(path);
	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	close(fd);
	struct body_part parts[] = {{.kind = BODY_LITERAL, .bytes = "{", .size = 1},
			{.kind = BODY_FILE, .path = path},
			{.kind = BODY_LITERAL, .bytes = "}", .size = 1}};
	struct body body = {.parts = parts, .n_parts = 3};
	struct fetch fetch = {.method = "POST", .body = &body};
	fetch_run(&fetch, "%s/hash", http_base());
	unlink(path);
	assert_int_equal(fetch.result.code, 0);
	assert_true(fetch.result.sent_whole);
	/* (printf '{'; head -c 104857600 /dev/zero; printf '}') | sha256sum */
	assert_string_equal(buf_string(&fetch.data),
			"104857602 "
			"639d284c0bb2f60e34320a3c61f44ee8005872d77440d998f5e7609bf728a81d");
	fetch_finish(&fetch);
}

static void requests_that_cannot_start_end_from_the_loop(void **state) {
	(void)state;
	static const char *const bad_header[] = {"Host: evil", NULL};
	struct body_part part = {.kind = BODY_FILE, .path = "/nonexistent/prompt"};
	struct body body = {.parts = &part, .n_parts = 1};
	struct {
		const char *url;
		struct fetch fetch;
		int code;
		const char *words;
	} cases[] = {
			{"nonsense", {0}, EINVAL, "URL"},
			{"https://evil.example/", {0}, EACCES, "evil.example"},
			{http_base(), {.headers = bad_header}, EINVAL, "Host"},
			{http_base(), {.method = "POST", .body = &body}, ENOENT, "prompt"},
			{http_base(), {.key = "Authorization: Bearer sk-1\r\nX: y"}, EINVAL, "key"},
	};
	for (size_t i = 0; i < 5; i++) {
		struct fetch *fetch = &cases[i].fetch;
		fetch_run(fetch, "%s", cases[i].url);
		assert_int_equal(fetch->result.code, cases[i].code);
		assert_contains(fetch->result.words, cases[i].words);
		assert_null(strstr(fetch->result.words, "sk-1"));
		assert_false(fetch->result.sent_whole);
		assert_int_equal(fetch->heads, 0);
		fetch_finish(fetch);
	}
}

static void many_at_once_all_end(void **state) {
	(void)state;
	static struct fetch fetches[200];
	memset(fetches, 0, sizeof(fetches));
	for (size_t i = 0; i < 200; i++) {
		fetch_start(&fetches[i], "%s/echo?%zu", http_base(), i);
	}
	assert_int_equal(transfer_engine_running(engine), 200);
	for (size_t i = 0; i < 200; i++) {
		char expected[32];
		snprintf(expected, sizeof(expected), "GET /echo?%zu\n", i);
		if (fetches[i].ends == 0) {
			fetch_wait(&fetches[i]);
		}
		assert_int_equal(fetches[i].result.code, 0);
		assert_contains(buf_string(&fetches[i].data), expected);
		fetch_finish(&fetches[i]);
	}
	assert_int_equal(transfer_engine_running(engine), 0);
}

/* Looks at every descriptor from inside an event, while a connection is open. */
static void look_at_descriptors(struct fetch *fetch) {
	(void)fetch;
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);
		if (fd > 2 && fd != dirfd(dir) && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) {
			fetch->pauses++;
		}
	}
	closedir(dir);
}

static unsigned open_descriptors(void) {
	struct fetch fetch = {0};
	look_at_descriptors(&fetch);
	return fetch.pauses;
}

static void every_descriptor_is_closed_on_exec(void **state) {
	(void)state;
	unsigned inherited = open_descriptors();
	transfer_engine_destroy(engine);
	engine = NULL;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(inherited, open_descriptors());
	engine = transfer_engine_create(&loop, &(struct transfer_engine_options){0}, NULL);
	struct fetch fetch = {.on_head = look_at_descriptors};
	fetch_run(&fetch, "%s/echo", http_base());
	assert_int_equal(fetch.heads, 1);
	assert_int_equal(fetch.pauses, inherited);
	fetch_finish(&fetch);
}

#define http_test(name) cmocka_unit_test_setup_teardown(name, engine_start, engine_stop)

int main(void) {
	const struct CMUnitTest tests[] = {
			http_test(a_get_brings_head_data_and_end),
			http_test(the_body_the_headers_and_the_key_are_sent_as_given),
			http_test(a_body_without_a_type_is_not_called_a_form),
			http_test(methods_without_a_body_send_none),
			http_test(the_key_goes_only_where_the_list_says),
			http_test(the_second_transfer_uses_the_connection_of_the_first),
			http_test(error_statuses_are_successes_with_their_body),
			http_test(retry_after_counts_on_429_and_503_only),
			http_test(chunks_are_joined_and_trailers_are_no_second_head),
			http_test(informational_heads_are_passed_over),
			http_test(headers_above_16_kib_are_left_out_and_the_type_is_still_known),
			http_test(gzip_is_unpacked),
			http_test(the_bound_of_a_body_holds_for_what_it_unpacks_to),
			http_test(an_encoding_that_was_not_asked_for_is_refused),
			http_test(a_large_file_is_sent_whole),
			http_test(requests_that_cannot_start_end_from_the_loop),
			http_test(many_at_once_all_end),
			http_test(every_descriptor_is_closed_on_exec),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
