/* Addresses of services: what is taken, what isn't, and that words repeat no password. */
#include "core/config/base_url.h"

#include "tests/unit/config/scratch.h"

#include <errno.h>

static void assert_taken(const char *text, bool insecure, const char *expected) {
	struct fail fail = {0};
	char *url = base_url_check(text, insecure, &fail);
	if (url == NULL) {
		print_error("%s: %s\n", text, fail_words(&fail));
	}
	assert_non_null(url);
	assert_string_equal(url, expected);
	free(url);
}

static void assert_refused(const char *text, int code, const char *words) {
	struct fail fail = {0};
	char *url = base_url_check(text, false, &fail);
	if (url != NULL) {
		print_error("taken: %s\n", text);
	}
	assert_null(url);
	assert_int_equal(fail.code, code);
	assert_contains(fail_words(&fail), words);
	assert_null(strstr(fail_words(&fail), "secret"));
	fail_finish(&fail);
}

static void https_is_taken_and_a_trailing_slash_dropped(void **state) {
	(void)state;
	assert_taken("https://openrouter.ai/api/v1", false, "https://openrouter.ai/api/v1");
	assert_taken("https://openrouter.ai/api/v1//", false, "https://openrouter.ai/api/v1");
	assert_taken("HTTPS://Example.com:8443/", false, "HTTPS://Example.com:8443");
}

static void plain_http_is_taken_for_loopback(void **state) {
	(void)state;
	assert_taken("http://127.0.0.1:8080/v1", false, "http://127.0.0.1:8080/v1");
	assert_taken("http://127.1.2.3", false, "http://127.1.2.3");
	assert_taken("http://localhost:11434/", false, "http://localhost:11434");
	assert_taken("http://[::1]:8000", false, "http://[::1]:8000");
}

static void plain_http_elsewhere_needs_the_users_word(void **state) {
	(void)state;
	assert_refused("http://example.com/v1", EACCES, "insecure: true");
	assert_refused("HTTP://example.com/v1", EACCES, "insecure: true");
	assert_refused("http://127.0.0.1.example.com", EACCES, "insecure: true");
	assert_refused("http://localhost.example.com", EACCES, "insecure: true");
	assert_refused("http://192.168.1.2", EACCES, "insecure: true");
	assert_taken("http://192.168.1.2:8000/", true, "http://192.168.1.2:8000");
}

static void what_may_hold_a_secret_is_refused_without_repeating_it(void **state) {
	(void)state;
	assert_refused("https://me:secret@example.com", EINVAL, "user name or password");
	assert_refused("https://example.com/v1?key=secret", EINVAL, "query");
	assert_refused("https://example.com/v1#secret", EINVAL, "fragment");
	assert_refused("https://example.com/ secret", EINVAL, "blank");
}

static void what_is_no_address_is_refused(void **state) {
	(void)state;
	assert_refused("", EINVAL, "0 bytes");
	assert_refused("example.com/v1", EINVAL, "must begin with https://");
	assert_refused("ftp://example.com", EINVAL, "must begin with https://");
	assert_refused("file:///etc/passwd", EINVAL, "must begin with https://");
	assert_refused("https://", EINVAL, "not an address");
	assert_refused("https:///v1", EINVAL, "and a host");
	assert_refused("https://example.com:99999", EINVAL, "not an address");
	assert_refused("https://ex\xc3\xa4mple.com", EINVAL, "ASCII");
}

static void assert_means(const char *text, const char *expected) {
	cleanup_free char *url = base_url_of_host(text, "http://127.0.0.1:11434");
	assert_non_null(url);
	assert_string_equal(url, expected);
}

static void a_variable_that_names_a_host_means_an_address(void **state) {
	(void)state;
	assert_means("localhost", "http://localhost:11434");
	assert_means("127.0.0.1:8080", "http://127.0.0.1:8080");
	assert_means(":8080", "http://127.0.0.1:8080");
	assert_means("0.0.0.0", "http://127.0.0.1:11434");
	assert_means("0.0.0.0:5000", "http://127.0.0.1:5000");
	assert_means("::", "http://[::1]:11434");
	assert_means("[::1]:5000", "http://[::1]:5000");
	assert_means("http://0.0.0.0:5000", "http://127.0.0.1:5000");
	assert_means("https://ollama.com", "https://ollama.com");
	assert_means("example.com/ollama", "http://example.com:11434/ollama");
	assert_means("example.com:80/ollama", "http://example.com:80/ollama");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(https_is_taken_and_a_trailing_slash_dropped),
			cmocka_unit_test(plain_http_is_taken_for_loopback),
			cmocka_unit_test(plain_http_elsewhere_needs_the_users_word),
			cmocka_unit_test(what_may_hold_a_secret_is_refused_without_repeating_it),
			cmocka_unit_test(what_is_no_address_is_refused),
			cmocka_unit_test(a_variable_that_names_a_host_means_an_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
