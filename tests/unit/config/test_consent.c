/* What a manifest asks for, and whether it was granted. */
#include "core/config/consent.h"

#include "core/base/strings.h"
#include "core/config/yaml/fields.h"
#include "tests/unit/config/scratch.h"

static struct manifest manifest;
static struct consent asked;

static void ask(const char *text) {
	struct fail fail = {0};
	if (!manifest_read(&manifest, scratch_write("m.yml", text), &fail)) {
		print_error("%s\n", fail_words(&fail));
		fail();
	}
	assert_true(consent_of_manifest(&asked, &manifest));
	manifest_finish(&manifest);
}

#define BASE "id: acme-provider\ndriver: openai\ncapabilities: [text-to-text]\n"
#define ACME                                                                                       \
	BASE "base_url: https://API.acme.dev/v1\nkey_env: ACME_API_KEY\n"                          \
	     "endpoints: [{host: cdn.acme.dev}, {host: auth.acme.dev, port: 8443, key: true}]\n"   \
	     "programs: [ffmpeg]\n"

static void assert_asked(const char *words) {
	struct buf out = {0};
	assert_true(consent_describe(&asked, &out));
	assert_string_equal(buf_string(&out), words);
	buf_finish(&out);
}

static void a_manifest_asks_for_its_key_its_hosts_and_its_programs(void **state) {
	(void)state;
	ask(ACME);
	assert_asked("the key in $ACME_API_KEY, sent to api.acme.dev\n"
		     "the key in $ACME_API_KEY, sent to auth.acme.dev:8443\n"
		     "requests to cdn.acme.dev\n"
		     "the program ffmpeg\n");
	consent_finish(&asked);
}

static void one_that_reaches_nothing_asks_for_nothing(void **state) {
	(void)state;
	ask(BASE);
	assert_true(consent_is_empty(&asked));
	assert_asked("");
	assert_true(consent_covers(&(struct consent){0}, &asked, NULL));
	consent_finish(&asked);
}

static void a_key_without_a_host_is_asked_for_all_the_same(void **state) {
	(void)state;
	ask(BASE "key_env: OPENAI_API_KEY\n");
	assert_asked("the key in $OPENAI_API_KEY\n");
	consent_finish(&asked);
}

static void hosts_of_the_local_network_are_called_so(void **state) {
	(void)state;
	ask(BASE "key_env: K\nbase_url: http://127.0.0.1:8080\n"
		 "endpoints: [{host: 169.254.169.254}, {host: '::1', port: 81}, {host: 10.0.0.1},\n"
		 "  {host: 192.168.1.1, key: true}, {host: localhost}, {host: 'fd00::1'},\n"
		 "  {host: a.localhost}, {host: 9.9.9.9}, {host: 'fe80::1'}, {host: "
		 "10.example}]\n");
	assert_asked("the key in $K, sent to 192.168.1.1, an address of the local network\n"
		     "the key in $K, sent to http://127.0.0.1:8080, an address of the local "
		     "network\n"
		     "requests to 10.0.0.1, an address of the local network\n"
		     "requests to 10.example\n"
		     "requests to 169.254.169.254, an address of the local network\n"
		     "requests to 9.9.9.9\n"
		     "requests to [::1]:81, an address of the local network\n"
		     "requests to [fd00::1], an address of the local network\n"
		     "requests to [fe80::1], an address of the local network\n"
		     "requests to a.localhost, an address of the local network\n"
		     "requests to localhost, an address of the local network\n");
	consent_finish(&asked);
}

static void exactly_what_was_asked_covers_it(void **state) {
	(void)state;
	struct consent granted = {0};
	ask(ACME);
	assert_true(consent_copy(&granted, &asked));
	assert_true(consent_covers(&granted, &asked, NULL));
	consent_finish(&granted);
	consent_finish(&asked);
}

static void assert_missing(const struct consent *granted, const char *words) {
	struct buf missing = {0};
	assert_false(consent_covers(granted, &asked, &missing));
	assert_string_equal(buf_string(&missing), words);
	buf_finish(&missing);
}

static void what_is_missing_is_told_a_line_each(void **state) {
	(void)state;
	struct consent granted = {0};
	ask(ACME);
	assert_true(consent_copy(&granted, &asked));
	consent_finish(&asked);
	ask(ACME "pkg_config: []\n");
	strings_free(take(granted.programs));
	strings_free(take(granted.hosts));
	assert_missing(&granted, "requests to cdn.acme.dev\nthe program ffmpeg\n");
	assert_true(strings_add(&granted.hosts, "*.acme.dev"));
	assert_missing(&granted, "requests to cdn.acme.dev\nthe program ffmpeg\n");
	assert_true(strings_add(&granted.hosts, "cdn.acme.dev"));
	assert_true(strings_add(&granted.programs, "ffmpeg"));
	assert_true(consent_covers(&granted, &asked, NULL));
	consent_finish(&granted);
	consent_finish(&asked);
}

static void another_variable_is_another_key_for_every_host(void **state) {
	(void)state;
	struct consent granted = {0};
	ask(ACME);
	assert_true(consent_copy(&granted, &asked));
	free(granted.key);
	granted.key = strdup("OTHER");
	assert_missing(&granted, "the key in $ACME_API_KEY, sent to api.acme.dev\n"
				 "the key in $ACME_API_KEY, sent to auth.acme.dev:8443\n");
	consent_finish(&granted);
	consent_finish(&asked);
}

static void a_host_granted_for_requests_is_not_granted_the_key(void **state) {
	(void)state;
	ask(BASE "key_env: K\nbase_url: https://a.dev\n");
	struct consent granted = {.key = strdup("K")};
	assert_true(strings_add(&granted.hosts, "a.dev"));
	assert_missing(&granted, "the key in $K, sent to a.dev\n");
	assert_true(strings_add(&granted.key_hosts, "a.dev"));
	assert_true(consent_covers(&granted, &asked, NULL));
	consent_finish(&granted);
	consent_finish(&asked);
}

static void a_host_granted_the_key_is_granted_requests(void **state) {
	(void)state;
	ask(BASE "endpoints: [{host: a.dev}]\n");
	struct consent granted = {0};
	assert_true(strings_add(&granted.key_hosts, "a.dev"));
	assert_true(consent_covers(&granted, &asked, NULL));
	consent_finish(&granted);
	consent_finish(&asked);
}

static void a_host_has_one_spelling(void **state) {
	(void)state;
	static const char *const good[] = {"api.acme.dev", "api.acme.dev:8443", "*.acme.dev",
			"http://127.0.0.1", "http://127.0.0.1:8080", "[::1]", "http://[::1]:1",
			"localhost:1"};
	static const char *const wrong[] = {"", "*", "*.dev", "API.acme.dev", "api.acme.dev:443",
			"http://127.0.0.1:80", "https://a.dev", "a.dev/", "a.dev:0", "a.dev:65536",
			"a.dev:+1", "a.dev: 1", "a.dev:", "::1", "[::1", "[::1]x", "127.1",
			"0x7f000001", "2130706433", "a b", "a\nb", "user@a.dev", "-a.dev",
			"[a.dev]"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!consent_host_valid(good[i])) {
			fail_msg("'%s' was refused", good[i]);
		}
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (consent_host_valid(wrong[i])) {
			fail_msg("'%s' was accepted", wrong[i]);
		}
	}
}

static void a_host_comes_apart(void **state) {
	(void)state;
	static const struct {
		const char *text, *host;
		bool https;
		int port;
	} hosts[] = {{"api.acme.dev", "api.acme.dev", true, 0},
			{"*.acme.dev:8443", "*.acme.dev", true, 8443},
			{"http://127.0.0.1:8080", "127.0.0.1", false, 8080},
			{"http://[::1]", "::1", false, 0}};
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		bool https = !hosts[i].https;
		int port = -1;
		char *host = consent_host_parts(hosts[i].text, &https, &port);
		assert_string_equal(host, hosts[i].host);
		assert_int_equal(https, hosts[i].https);
		assert_int_equal(port, hosts[i].port);
		free(host);
	}
	bool https;
	int port;
	assert_null(consent_host_parts("https://a.dev", &https, &port));
}

/* Reads {…}; the faults' words, "" for none, to be freed. */
static char *read_grant(const char *text, struct consent *ret) {
	struct faults faults = {.file = "F"};
	struct yaml_node *root = yaml_tree_parse(text, strlen(text), &faults);
	const struct place place = {&faults, "allow"};
	consent_read(&place, root, ret);
	char *words = strdup(buf_string(&faults.words));
	yaml_tree_destroy(root);
	faults_finish(&faults);
	return words;
}

static void a_grant_is_read_sorted_and_each_once(void **state) {
	(void)state;
	struct consent grant = {0};
	char *words = read_grant(
			"{key: K, key_hosts: a.dev, hosts: [c.dev, b.dev, c.dev], programs: [sox]}",
			&grant);
	assert_string_equal(words, "");
	assert_string_equal(grant.key, "K");
	assert_string_equal(grant.key_hosts[0], "a.dev");
	assert_string_equal(grant.hosts[0], "b.dev");
	assert_string_equal(grant.hosts[1], "c.dev");
	assert_null(grant.hosts[2]);
	assert_string_equal(grant.programs[0], "sox");
	consent_finish(&grant);
	free(words);
}

static void a_wrong_grant_is_told_by_line_and_value(void **state) {
	(void)state;
	struct consent grant = {0};
	char *words = read_grant("key: sk-or-1\nkey_hosts: ['*']\nhosts: [https://a.dev]\n"
				 "programs: [/bin/sox, sh]\nhost: a.dev\n",
			&grant);
	assert_contains(words, "F:1: allow.key: must be the name of an environment variable");
	assert_contains(words, "F:2: allow.key_hosts: '*' is not a host");
	assert_contains(words, "F:3: allow.hosts: 'https://a.dev' is not a host");
	assert_contains(words, "F:4: allow.programs: '/bin/sox' is not a program");
	assert_contains(words, "F:4: allow.programs: 'sh' is not a program");
	assert_contains(words, "F:5: unknown field 'host' of allow, did you mean 'hosts'?");
	consent_finish(&grant);
	free(words);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_scratch(a_manifest_asks_for_its_key_its_hosts_and_its_programs),
			with_scratch(one_that_reaches_nothing_asks_for_nothing),
			with_scratch(a_key_without_a_host_is_asked_for_all_the_same),
			with_scratch(hosts_of_the_local_network_are_called_so),
			with_scratch(exactly_what_was_asked_covers_it),
			with_scratch(what_is_missing_is_told_a_line_each),
			with_scratch(another_variable_is_another_key_for_every_host),
			with_scratch(a_host_granted_for_requests_is_not_granted_the_key),
			with_scratch(a_host_granted_the_key_is_granted_requests),
			cmocka_unit_test(a_host_has_one_spelling),
			cmocka_unit_test(a_host_comes_apart),
			cmocka_unit_test(a_grant_is_read_sorted_and_each_once),
			cmocka_unit_test(a_wrong_grant_is_told_by_line_and_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
