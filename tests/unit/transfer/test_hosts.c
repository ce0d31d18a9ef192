/* Which URLs, addresses, headers and hosts are let through. */
#include "tests/unit/transfer/harness.h"

#include "core/transfer/address.h"
#include "core/transfer/request.h"

#include <errno.h>
#include <string.h>

static const struct transfer_host hosts[] = {
		{"https", "api.example.com", 0, true, false},
		{"https", "*.media.example.com", 0, false, false},
		{"http", "127.0.0.1", 8080, true, true},
		{"https", "::1", 8443, true, true},
};

static int verdict(const char *url) {
	cleanup_fail struct fail fail = {0};
	bool allowed = transfer_allowed(url, hosts, 4, &fail);
	assert_int_equal(allowed, fail.code == 0);
	return fail.code;
}

static void hosts_match_exactly_and_without_case(void **state) {
	(void)state;
	assert_int_equal(verdict("https://api.example.com/v1"), 0);
	assert_int_equal(verdict("HTTPS://API.Example.COM:443/v1"), 0);
	assert_int_equal(verdict("http://127.0.0.1:8080/"), 0);
	assert_int_equal(verdict("https://[::1]:8443/"), 0);
	assert_int_equal(verdict("https://example.com/"), EACCES);
	assert_int_equal(verdict("https://xapi.example.com/"), EACCES);
	assert_int_equal(verdict("https://api.example.com.evil.org/"), EACCES);
	assert_int_equal(verdict("https://api.example.com./"), EACCES);
	assert_int_equal(verdict("https://evil.org/api.example.com"), EACCES);
	assert_int_equal(verdict("https://evil.org#api.example.com"), EACCES);
	assert_int_equal(verdict("https://evil.org\\api.example.com/") != 0, 1);
}

static void ports_and_schemes_match_exactly(void **state) {
	(void)state;
	assert_int_equal(verdict("http://api.example.com/"), EACCES);
	assert_int_equal(verdict("https://api.example.com:444/"), EACCES);
	assert_int_equal(verdict("http://127.0.0.1/"), EACCES);
	assert_int_equal(verdict("http://127.0.0.1:80800/"), EINVAL);
	assert_int_equal(verdict("ftp://api.example.com/"), EINVAL);
	assert_int_equal(verdict("file:///etc/passwd"), EINVAL);
	assert_int_equal(verdict("api.example.com/v1"), EINVAL);
	assert_int_equal(verdict(""), EINVAL);
}

static void other_spellings_of_an_address_are_that_address(void **state) {
	(void)state;
	assert_int_equal(verdict("http://2130706433:8080/"), 0);
	assert_int_equal(verdict("http://0x7f.1:8080/"), 0);
	assert_int_equal(verdict("https://api%2eexample.com/"), 0);
	assert_int_equal(verdict("http://2130706434:8080/"), EACCES);
}

static void a_wildcard_stands_for_subdomains_only(void **state) {
	(void)state;
	assert_int_equal(verdict("https://a.media.example.com/"), 0);
	assert_int_equal(verdict("https://a.b.media.example.com/"), 0);
	assert_int_equal(verdict("https://media.example.com/"), EACCES);
	assert_int_equal(verdict("https://.media.example.com/") != 0, 1);
	assert_int_equal(verdict("https://evilmedia.example.com/"), EACCES);
}

static void users_and_odd_bytes_in_a_url_are_refused(void **state) {
	(void)state;
	assert_int_equal(verdict("https://key@api.example.com/"), EINVAL);
	assert_int_equal(verdict("https://a:b@api.example.com/"), EINVAL);
	assert_int_equal(verdict("https://api.example.com/a\r\nHost: evil"), EINVAL);
	assert_int_equal(verdict("https://api.example.com/a b"), EINVAL);
	assert_int_equal(verdict("https://api.example.com/\x7f"), EINVAL);
	assert_int_equal(verdict("https://\xc3\xa4pi.example.com/"), EINVAL);
	cleanup_fail struct fail fail = {0};
	assert_false(transfer_allowed("https://sk-secret@api.example.com/", hosts, 4, &fail));
	assert_null(strstr(fail.words, "sk-secret"));
}

static void a_refusal_names_the_host_and_the_remedy(void **state) {
	(void)state;
	cleanup_fail struct fail fail = {0};
	assert_false(transfer_allowed("https://evil.org/x?key=1", hosts, 4, &fail));
	assert_contains(fail.words, "https://evil.org:443");
	assert_contains(fail.words, "hosts: [\"evil.org\"]");
}

static void addresses_of_the_house_are_told_from_the_open_internet(void **state) {
	(void)state;
	static const char *const open[] = {"1.1.1.1", "104.18.2.115", "172.15.255.255",
			"172.32.0.1", "100.63.255.255", "100.128.0.1", "2606:4700::1111",
			"2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"};
	static const char *const closed[] = {"127.0.0.1", "127.255.0.1", "10.1.2.3", "172.16.0.1",
			"172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
			"100.127.255.255", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1",
			"::", "fe80::1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1",
			"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1",
			"64:ff9b:1::1", "2002:7f00:1::1", "2001:0:1::1", "100::1",
			"not an address"};
	for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++) {
		if (address_text_kind(open[i]) != NULL) {
			fail_msg("%s is %s", open[i], address_text_kind(open[i]));
		}
	}
	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
		if (address_text_kind(closed[i]) == NULL) {
			fail_msg("%s passes", closed[i]);
		}
	}
	assert_string_equal(address_text_kind("127.0.0.1"), "loopback");
	assert_string_equal(address_text_kind("169.254.169.254"), "link-local");
}

static int header_verdict(const char *line, const char *key) {
	char *lines[] = {(char *)line};
	struct request request = {.method = "GET",
			.headers = lines,
			.n_headers = 1,
			.key_header = (char *)key};
	cleanup_fail struct fail fail = {0};
	return request_check(&request, &fail) ? 0 : fail.code;
}

static void headers_that_could_end_early_or_are_the_daemons_are_refused(void **state) {
	(void)state;
	assert_int_equal(header_verdict("Accept: text/event-stream", NULL), 0);
	assert_int_equal(header_verdict("X-Tab: a\tb \xc3\xa9", NULL), 0);
	assert_int_equal(header_verdict("X-Empty:", NULL), 0);
	static const char *const refused[] = {"no colon", "", ": x", "X A: b", "X: a\r\nEvil: b",
			"X: a\nb", "X: \x01", "X: \x7f", "Host: evil", "HOST:evil",
			"authorization: Bearer x", "Content-Length: 3",
			"transfer-encoding: chunked", "Cookie: a", "Connection: close",
			"Proxy-Authorization: x", "Expect: x", "Host : evil", "X;"};
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		if (header_verdict(refused[i], NULL) != EINVAL) {
			fail_msg("'%s' passes", refused[i]);
		}
	}
	assert_int_equal(header_verdict("x-api-key: mine", NULL), 0);
	assert_int_equal(header_verdict("x-api-key: mine", "X-API-Key: sk-1"), EINVAL);
}

static void the_words_of_a_bad_key_do_not_show_it(void **state) {
	(void)state;
	struct request request = {.method = "GET", .key_header = "Authorization: Bearer sk-s\n"};
	cleanup_fail struct fail fail = {0};
	assert_false(request_check(&request, &fail));
	assert_int_equal(fail.code, EINVAL);
	assert_null(strstr(fail.words, "sk-s"));
}

static void unknown_methods_and_too_many_headers_are_refused(void **state) {
	(void)state;
	struct request request = {.method = "GET /x HTTP/1.1\r\nX:"};
	assert_false(request_check(&request, NULL));
	char *lines[65];
	for (size_t i = 0; i < 65; i++) {
		lines[i] = "X: y";
	}
	request = (struct request){.method = "PUT", .headers = lines, .n_headers = 64};
	assert_true(request_check(&request, NULL));
	request.n_headers = 65;
	assert_false(request_check(&request, NULL));
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(hosts_match_exactly_and_without_case),
			cmocka_unit_test(ports_and_schemes_match_exactly),
			cmocka_unit_test(other_spellings_of_an_address_are_that_address),
			cmocka_unit_test(a_wildcard_stands_for_subdomains_only),
			cmocka_unit_test(users_and_odd_bytes_in_a_url_are_refused),
			cmocka_unit_test(a_refusal_names_the_host_and_the_remedy),
			cmocka_unit_test(addresses_of_the_house_are_told_from_the_open_internet),
			cmocka_unit_test(
					headers_that_could_end_early_or_are_the_daemons_are_refused),
			cmocka_unit_test(the_words_of_a_bad_key_do_not_show_it),
			cmocka_unit_test(unknown_methods_and_too_many_headers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
