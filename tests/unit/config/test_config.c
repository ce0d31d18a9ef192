/* config.yml: defaults, every key, and what a person is told about each mistake. */
#include "core/config/config.h"

#include "core/config/capability.h"

#include "tests/unit/config/scratch.h"

#include <errno.h>

static struct config config;

static void read_good(const char *text) {
	struct fail fail = {0};
	if (!config_read(&config, scratch_write("c.yml", text), &fail)) {
		print_error("%s\n", fail_words(&fail));
		fail();
	}
}

/* Expects a failure whose words hold each of the lines, "LINE: begin of what is said". */
static void assert_faults(const char *text, const char *const *lines, size_t n_lines) {
	struct fail fail = {0};
	struct config untouched = {.queue = 12345};
	const char *path = scratch_write("c.yml", text);
	assert_false(config_read(&untouched, path, &fail));
	assert_int_equal(untouched.queue, 12345);
	size_t found = 1;
	for (const char *at = fail_words(&fail); (at = strchr(at, '\n')) != NULL; at++) {
		found++;
	}
	for (size_t i = 0; i < n_lines; i++) {
		char line[512];
		snprintf(line, sizeof(line), "%s:%s", path, lines[i]);
		assert_contains(fail_words(&fail), line);
	}
	if (found != n_lines) {
		print_error("%zu faults: %s\n", found, fail_words(&fail));
	}
	assert_int_equal(found, n_lines);
	fail_finish(&fail);
}

#define ASSERT_FAULTS(text, ...)                                                                   \
	do {                                                                                       \
		const char *const lines_[] = {__VA_ARGS__};                                        \
		assert_faults((text), lines_, sizeof(lines_) / sizeof(lines_[0]));                 \
	} while (0)

static const char *value_of(const struct config_provider *provider, const char *name) {
	for (size_t i = 0; i < provider->n_settings; i++) {
		if (strcmp(provider->settings[i].name, name) == 0) {
			return provider->settings[i].value;
		}
	}
	return NULL;
}

static void without_a_file_everything_has_its_default(void **state) {
	(void)state;
	struct fail fail = {0};
	assert_true(config_read(&config, NULL, &fail));
	assert_null(config.file);
	assert_string_equal(config.state, scratch_path(".local/state/conduitfs"));
	assert_string_equal(config.config_dir, scratch_path(".config/conduitfs"));
	assert_int_equal(config.concurrent, 8);
	assert_int_equal(config.queue, 64);
	assert_true(config.prompt_most == 256ULL << 20);
	assert_true(config.media_most == 16ULL << 30);
	assert_true(config.refresh == 3600);
	assert_false(config.sandbox_seccomp);
	assert_int_equal(config.n_providers, 0);
	config_finish(&config);
}

static void an_empty_file_is_as_good_as_none(void **state) {
	(void)state;
	read_good("# nothing yet\n");
	assert_non_null(config.file);
	assert_int_equal(config.queue, 64);
	config_finish(&config);
	read_good("providers:\nlimits:\n");
	config_finish(&config);
}

static void xdg_variables_count_when_they_are_absolute(void **state) {
	(void)state;
	struct fail fail = {0};
	setenv("XDG_CONFIG_HOME", scratch, 1);
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_int_equal(mkdir(scratch_path("conduitfs"), 0700), 0);
	scratch_write("conduitfs/config.yml", "limits: {queue: 7}\n");
	assert_true(config_read(&config, NULL, &fail));
	assert_string_equal(config.file, scratch_path("conduitfs/config.yml"));
	assert_string_equal(config.config_dir, scratch_path("conduitfs"));
	assert_string_equal(config.state, scratch_path(".local/state/conduitfs"));
	assert_int_equal(config.queue, 7);
	config_finish(&config);
}

static void a_file_that_was_asked_for_must_be_there(void **state) {
	(void)state;
	struct fail fail = {0};
	assert_false(config_read(&config, scratch_path("none.yml"), &fail));
	assert_int_equal(fail.code, ENOENT);
	assert_contains(fail_words(&fail), "none.yml");
	fail_finish(&fail);
	assert_false(config_read(&config, scratch, &fail));
	assert_int_equal(fail.code, EISDIR);
	fail_finish(&fail);
}

static void every_key_of_the_daemon_is_read(void **state) {
	(void)state;
	read_good("state: ~/kept\nhistory: on\nrefresh: 10m\nsandbox: seccomp\n"
		  "budget: {day: 2.00}\n"
		  "retention: {age: 90d, count: 1000, bytes: 10G}\n"
		  "limits: {concurrent: 3, queue: 0, prompt: 64K, media: 8G, attach: 2G}\n");
	assert_string_equal(config.state, scratch_path("kept"));
	assert_true(config.refresh == 600);
	assert_true(config.sandbox_seccomp);
	assert_true(config.retention.age == 90 * 86400.0);
	assert_int_equal(config.retention.count, 1000);
	assert_true(config.retention.bytes == 10ULL << 30);
	assert_true(config.budget.limit[BUDGET_DAY] == INT64_C(2000000000000));
	assert_true(config.budget.limit[BUDGET_MONTH] == BUDGET_NONE);
	assert_int_equal(config.concurrent, 3);
	assert_int_equal(config.queue, 0);
	assert_true(config.prompt_most == 65536);
	assert_true(config.media_most == 8ULL << 30);
	config_finish(&config);
}

static void every_key_of_a_provider_is_read(void **state) {
	(void)state;
	read_good("providers:\n"
		  "  openrouter: {}\n"
		  "  together:\n"
		  "  mistral: off\n"
		  "  local: {driver: openai, base_url: \"http://127.0.0.1:8080/v1/\","
		  " key_file: ~/.keys/local, insecure: no}\n"
		  "  work:\n"
		  "    driver: openrouter\n"
		  "    key: sk-or-v1-abc\n"
		  "    key_env: WORK_KEY\n"
		  "    key_command: pass show work/openrouter\n"
		  "    retries: 0\n"
		  "    concurrent: 2\n"
		  "    budget: {month: 20, total: 0}\n"
		  "    price: {prompt: 0.5, completion: 1.50, request: 0.01}\n"
		  "    timeout: {connect: 5, first_byte: 1m, idle: 0.5, total: 1h}\n"
		  "    config: {max_tokens: 2000}\n");
	assert_int_equal(config.n_providers, 5);
	assert_null(config_provider(&config, "nobody"));
	const struct config_provider *plain = config_provider(&config, "openrouter");
	assert_false(plain->off);
	assert_null(plain->driver);
	assert_int_equal(plain->retries, -1);
	assert_int_equal(plain->concurrent, -1);
	assert_false(plain->price.stated);
	assert_true(plain->timeout.connect == -1 && plain->timeout.total == -1);
	assert_false(config_provider(&config, "together")->off);
	assert_true(config_provider(&config, "mistral")->off);
	const struct config_provider *local = config_provider(&config, "local");
	assert_string_equal(local->base_url, "http://127.0.0.1:8080/v1");
	assert_string_equal(local->key_file, scratch_path(".keys/local"));
	const struct config_provider *work = config_provider(&config, "work");
	assert_string_equal(work->driver, "openrouter");
	assert_string_equal(work->key, "sk-or-v1-abc");
	assert_string_equal(work->key_env, "WORK_KEY");
	assert_string_equal(work->key_command, "pass show work/openrouter");
	assert_int_equal(work->retries, 0);
	assert_int_equal(work->concurrent, 2);
	assert_true(work->timeout.connect == 5 && work->timeout.first_byte == 60);
	assert_true(work->timeout.idle == 0.5 && work->timeout.total == 3600);
	assert_string_equal(value_of(work, "max_tokens"), "2000");
	assert_true(work->budget.limit[BUDGET_DAY] == BUDGET_NONE);
	assert_true(work->budget.limit[BUDGET_MONTH] == INT64_C(20000000000000));
	assert_true(work->budget.limit[BUDGET_TOTAL] == 0);
	assert_true(work->price.stated && work->price.prompt == 0.5e-6);
	assert_true(work->price.completion == 1.5e-6 && work->price.request == 0.01);
	config_finish(&config);
}

static void settings_may_be_written_as_yaml(void **state) {
	(void)state;
	read_good("providers:\n  x:\n    config:\n"
		  "      system: |\n        Be brief.\n        Be kind.\n"
		  "      temperature: 0.70\n"
		  "      stop: [END, '###']\n"
		  "      extra: {provider: {sort: price}, seed: 18446744073709551616}\n"
		  "      schema: '{\"type\": \"object\"}'\n"
		  "      timeout_idle: 2m\n"
		  "      logprobs: on\n");
	const struct config_provider *x = config_provider(&config, "x");
	assert_string_equal(value_of(x, "system"), "Be brief.\nBe kind.");
	assert_string_equal(value_of(x, "temperature"), "0.7");
	assert_string_equal(value_of(x, "stop"), "END\n###");
	assert_string_equal(value_of(x, "extra"),
			"{\"provider\":{\"sort\":\"price\"},\"seed\":18446744073709551616}");
	assert_string_equal(value_of(x, "schema"), "{\"type\": \"object\"}");
	assert_string_equal(value_of(x, "timeout_idle"), "120");
	assert_string_equal(value_of(x, "logprobs"), "yes");
	config_finish(&config);
}

static void all_faults_are_told_at_once_with_their_lines(void **state) {
	(void)state;
	ASSERT_FAULTS("refresh: soon\n"
		      "limts: {}\n"
		      "limits: {queue: many, prompt: 5X}\n"
		      "sandbox: none\n"
		      "state: relative/path\n",
			"1: refresh: 'soon' is not a time",
			"2: unknown setting 'limts', did you mean 'limits'?",
			"3: limits.queue: 'many' is not a whole number from 0 to 65536",
			"3: limits.prompt: '5X' is not a size", "4: sandbox: 'none' is neither",
			"5: state: 'relative/path' is not an absolute path");
}

static void routes_and_aliases_are_read(void **state) {
	(void)state;
	read_good("routes:\n"
		  "  text-to-text: [\"openrouter/*:free\", \"!openrouter/openrouter/*\", "
		  "\"@local\"]\n"
		  "  TEXT_TO_IMAGE: acme/paint\n"
		  "aliases: {fast: acme/vendor/model, default: capabilities/text-to-text}\n");
	assert_int_equal(config.n_routes, 2);
	assert_int_equal(config.routes[0].capability, capability_number("text-to-text"));
	assert_string_equal(config.routes[0].patterns,
			"openrouter/*:free\n!openrouter/openrouter/*\n@local\n");
	assert_int_equal(config.routes[1].capability, capability_number("text-to-image"));
	assert_string_equal(config.routes[1].patterns, "acme/paint\n");
	assert_int_equal(config.n_aliases, 2);
	assert_string_equal(config.aliases[0].name, "fast");
	assert_string_equal(config.aliases[0].target, "acme/vendor/model");
	config_finish(&config);
	read_good("routes:\naliases:\n");
	assert_int_equal(config.n_routes + config.n_aliases, 0);
	config_finish(&config);
}

static void wrong_routes_and_aliases_are_told(void **state) {
	(void)state;
	ASSERT_FAULTS("routes:\n"
		      "  text-to-txt: [a/b]\n"
		      "  text-to-text: [nothing]\n"
		      "  text-to-image: [\"@paid\"]\n"
		      "aliases:\n"
		      "  status: a/b\n"
		      "  b: nothing\n",
			"2: unknown capability 'text-to-txt'",
			"3: routes.text-to-text: route: line 1: 'nothing' names no model",
			"4: routes.text-to-image: route: line 1: '@paid' is neither @local nor "
			"@free",
			"6: aliases.status: can't be the name of a link",
			"7: aliases.b: 'nothing' must be PROVIDER/MODEL");
	ASSERT_FAULTS("routes: [a/b]\naliases: x\n", "1: routes: must be a map",
			"2: aliases: must be a map");
}

static void what_says_how_to_choose_is_no_setting_of_a_provider(void **state) {
	(void)state;
	ASSERT_FAULTS("providers: {a: {config: {policy: free}}}\n",
			"1: providers.a.config.policy: is of routes");
}

static void keys_of_later_versions_are_unknown(void **state) {
	(void)state;
	ASSERT_FAULTS("allow: []\n", "1: unknown setting 'allow'");
}

static void history_is_on_unless_it_is_off(void **state) {
	(void)state;
	read_good("refresh: 1h\n");
	assert_true(config.history);
	config_finish(&config);
	read_good("history: off\n");
	assert_false(config.history);
	config_finish(&config);
	ASSERT_FAULTS("history: perhaps\n", "1: history: 'perhaps' is neither yes nor no");
}

static void a_providers_name_is_checked(void **state) {
	(void)state;
	ASSERT_FAULTS("providers:\n  Upper: {}\n  .hidden: {}\n  a/b: {}\n  status: {}\n  '': {}\n",
			"2: providers.Upper: a provider's name",
			"3: providers..hidden: a provider's", "4: providers.a/b: a provider's",
			"5: providers.status: this name is taken", "6: providers: a provider's");
	read_good("providers: {a: {}, a-b_c.9: {},"
		  " x123456789012345678901234567890123456789012345678901234567890123: {}}\n");
	config_finish(&config);
	ASSERT_FAULTS("providers: "
		      "{x1234567890123456789012345678901234567890123456789012345678901234:"
		      " {}}\n",
			"1: providers.x");
}

static void wrong_values_of_a_provider_are_told(void **state) {
	(void)state;
	ASSERT_FAULTS("providers:\n"
		      "  a: yes\n"
		      "  b:\n"
		      "    driver: Open AI\n"
		      "    retries: 21\n"
		      "    concurrent: 0\n"
		      "    insecure: maybe\n"
		      "    key_env: sk-or-v1-secret\n"
		      "    key_file: keys/mine\n"
		      "    timeout: {idle: 0, total: -1, conect: 1}\n"
		      "    config: {temperature: 3, temprature: 1, stop: {a: b}}\n"
		      "  c: [1]\n"
		      "  d:\n"
		      "    price: {prompt: -1, completion: $1, image: 2}\n"
		      "  e: {price: 3}\n"
		      "  f: {budget: {dy: 1, day: -2}}\n"
		      "budget: {week: 1, day: $2}\n",
			"2: providers.a: must be a map of settings, {} or off",
			"4: providers.b.driver: 'Open AI' can't be",
			"5: providers.b.retries: '21' is not a whole number from 0 to 20",
			"6: providers.b.concurrent: '0' is not a whole number from 1",
			"7: providers.b.insecure: 'maybe' is neither yes nor no",
			"8: providers.b.key_env: must be the name of an environment variable",
			"9: providers.b.key_file: 'keys/mine' is not an absolute path",
			"10: providers.b.timeout.idle: '0' is outside",
			"10: providers.b.timeout.total: '-1' is not a time",
			"10: unknown setting 'conect' of providers.b.timeout, did you mean "
			"'connect'?",
			"11: providers.b.config.temperature: 3 is outside 0 to 2",
			"11: unknown setting 'temprature' of providers.b.config, did you mean "
			"'temperature'?",
			"11: providers.b.config.stop: must be a single value, not a map",
			"12: providers.c: must be a map",
			"14: providers.d.price.prompt: '-1' is not an amount of USD",
			"14: providers.d.price.completion: '$1' is not an amount of USD",
			"14: unknown setting 'image' of providers.d.price",
			"15: providers.e.price: must be a map",
			"16: unknown setting 'dy' of providers.f.budget, did you mean 'day'?",
			"16: providers.f.budget.day: '-2' is not an amount of USD",
			"17: unknown setting 'week' of budget",
			"17: budget.day: '$2' is not an amount of USD");
}

static void a_key_is_never_repeated_in_words(void **state) {
	(void)state;
	const char *const texts[] = {
			"providers: {a: {key: 'sk secret'}}\n",
			"providers: {a: {key: [sk-secret]}}\n",
			"providers: {a: {key_env: sk-secret}}\n",
			"providers: {a: {base_url: 'https://sk-secret@example.com'}}\n",
			"providers: {a: sk-secret}\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fail fail = {0};
		assert_false(config_read(&config, scratch_write("c.yml", texts[i]), &fail));
		assert_int_equal(fail.code, EINVAL);
		assert_null(strstr(fail_words(&fail), "secret"));
		fail_finish(&fail);
	}
}

static void plain_http_needs_insecure_whichever_comes_first(void **state) {
	(void)state;
	ASSERT_FAULTS("providers: {a: {base_url: http://example.com}}\n",
			"1: providers.a.base_url: 'http://example.com' is plain http");
	read_good("providers: {a: {base_url: http://example.com, insecure: true}}\n");
	config_finish(&config);
}

static void sizes_and_durations_are_read_exactly(void **state) {
	(void)state;
	const struct {
		const char *text;
		uint64_t bytes;
	} sizes[] = {{"0", 0}, {"4096", 4096}, {"256M", 256ULL << 20}, {"16G", 16ULL << 30},
			{"2k", 2048}, {"1.5K", 1536}, {"1T", 1ULL << 40}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t bytes = 1;
		assert_true(parse_size(sizes[i].text, &bytes));
		assert_true(bytes == sizes[i].bytes);
	}
	const struct {
		const char *text;
		double seconds;
	} durations[] = {{"2.5", 2.5}, {"30s", 30}, {"10m", 600}, {"1h", 3600}, {"7d", 604800},
			{"0", 0}};
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		double seconds = -1;
		assert_true(parse_duration(durations[i].text, &seconds));
		assert_true(seconds == durations[i].seconds);
	}
	const char *const wrong[] = {"", " ", "K", "-1", "+1", "1 K", "1KB", "1e3", "0x10", "1.2.3",
			"nan", "inf", ".", ".5", "1_000", "99999999999999999999999999999999999"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint64_t bytes;
		double seconds;
		assert_false(parse_size(wrong[i], &bytes));
		assert_false(parse_duration(wrong[i], &seconds));
	}
	uint64_t bytes;
	assert_false(parse_size("0.5", &bytes));
	assert_false(parse_size("99999999T", &bytes));
	assert_false(parse_size("1h", &bytes));
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_scratch(without_a_file_everything_has_its_default),
			with_scratch(an_empty_file_is_as_good_as_none),
			with_scratch(xdg_variables_count_when_they_are_absolute),
			with_scratch(a_file_that_was_asked_for_must_be_there),
			with_scratch(every_key_of_the_daemon_is_read),
			with_scratch(every_key_of_a_provider_is_read),
			with_scratch(settings_may_be_written_as_yaml),
			with_scratch(all_faults_are_told_at_once_with_their_lines),
			with_scratch(routes_and_aliases_are_read),
			with_scratch(wrong_routes_and_aliases_are_told),
			with_scratch(what_says_how_to_choose_is_no_setting_of_a_provider),
			with_scratch(keys_of_later_versions_are_unknown),
			with_scratch(history_is_on_unless_it_is_off),
			with_scratch(a_providers_name_is_checked),
			with_scratch(wrong_values_of_a_provider_are_told),
			with_scratch(a_key_is_never_repeated_in_words),
			with_scratch(plain_http_needs_insecure_whichever_comes_first),
			cmocka_unit_test(sizes_and_durations_are_read_exactly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
