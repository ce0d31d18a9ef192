/* The table of settings and the check of values. */
#include "core/config/settings.h"

#include "tests/unit/config/scratch.h"

#include <errno.h>

static int index_of(const char *name) {
	int index = setting_find(name);
	assert_true(index >= 0);
	return index;
}

static void assert_kept(const char *name, const char *text, const char *expected) {
	struct fail fail = {0};
	char *value = setting_check(index_of(name), text, strlen(text), &fail);
	if (value == NULL) {
		print_error("%s '%s': %s\n", name, text, fail_words(&fail));
	}
	assert_non_null(value);
	assert_string_equal(value, expected);
	/* Writing the value in force changes nothing. */
	char *again = setting_check(index_of(name), value, strlen(value), &fail);
	assert_non_null(again);
	assert_string_equal(again, value);
	free(again);
	free(value);
}

static void assert_refused(const char *name, const char *text, int code, const char *words) {
	struct fail fail = {0};
	char *value = setting_check(index_of(name), text, strlen(text), &fail);
	if (value != NULL) {
		print_error("%s '%s' kept as '%s'\n", name, text, value);
	}
	assert_null(value);
	assert_int_equal(fail.code, code);
	assert_contains(fail_words(&fail), words);
	fail_finish(&fail);
}

static void every_setting_is_found_once_and_has_help(void **state) {
	(void)state;
	for (size_t i = 0; i < n_setting_specs; i++) {
		const struct setting_spec *spec = &setting_specs[i];
		assert_int_equal(setting_find(spec->name), i);
		assert_true(strlen(spec->help) > 10);
		assert_int_equal(spec->help[strlen(spec->help) - 1], '.');
		assert_true(spec->least <= spec->most);
		if (spec->standard[0] != '\0') {
			assert_kept(spec->name, spec->standard, spec->standard);
		}
	}
	assert_int_equal(setting_find("temprature"), -1);
	assert_string_equal(setting_nearest("temprature"), "temperature");
	assert_null(setting_nearest("qqqqqqqqqqqq"));
}

/* Indices are part of inode numbers: what was published never moves. */
static void the_first_settings_keep_their_places(void **state) {
	(void)state;
	const char *const names[] = {"system", "temperature", "top_p", "max_tokens", "seed", "stop",
			"schema", "extra", "timeout_connect", "timeout_first_byte", "timeout_idle",
			"timeout_total", "retries", "top_k"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_string_equal(setting_specs[i].name, names[i]);
	}
}

static void numbers_become_canonical(void **state) {
	(void)state;
	assert_kept("temperature", "0.70\n", "0.7");
	assert_kept("temperature", " 1 ", "1");
	assert_kept("temperature", ".5", "0.5");
	assert_kept("temperature", "+2", "2");
	assert_kept("temperature", "-0", "0");
	assert_kept("top_p", "1e-1", "0.1");
	assert_kept("temperature", "0.1234567890123456", "0.1234567890123456");
	assert_kept("presence_penalty", "-1.50", "-1.5");
}

static void numbers_out_of_range_name_the_range(void **state) {
	(void)state;
	assert_refused("temperature", "3\n", ERANGE, "temperature: 3 is outside 0 to 2");
	assert_refused("temperature", "-0.1", ERANGE, "temperature: -0.1 is outside 0 to 2");
	assert_refused("frequency_penalty", "2.01", ERANGE, "2.01 is outside -2 to 2");
	assert_refused("top_logprobs", "21", ERANGE, "21 is outside 0 to 20");
	assert_refused("width", "0", ERANGE, "0 is outside 1 to 65536");
	assert_refused("max_tokens", "0", ERANGE, "max_tokens: 0 is outside 1 to 2147483647");
}

static void what_is_no_number_is_refused(void **state) {
	(void)state;
	const char *const wrong[] = {
			"nan", "inf", "-inf", "hot", "1,5", "0x1", "1 2", "1e", "--1", "1e999"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_refused("temperature", wrong[i], EINVAL, "is not a number");
	}
	assert_refused("max_tokens", "1.5", EINVAL, "max_tokens: '1.5' is not a whole number");
	assert_refused("max_tokens", "1e3", EINVAL, "is not a whole number");
	assert_refused("max_tokens", "many", EINVAL, "is not a whole number");
	assert_refused("seed", "-", EINVAL, "is not a whole number");
}

static void a_seed_beyond_64_bits_keeps_its_digits(void **state) {
	(void)state;
	assert_kept("seed", "15619174981588513000\n", "15619174981588513000");
	assert_kept("seed", "-0042", "-42");
	assert_kept("seed", "+0", "0");
	assert_kept("seed", "-0", "0");
	assert_refused("seed", "11111111111111111111111111111111111111111", ERANGE,
			"too many digits");
}

static void times_are_kept_as_seconds(void **state) {
	(void)state;
	assert_kept("timeout_idle", "2m\n", "120");
	assert_kept("timeout_total", "1h", "3600");
	assert_kept("timeout_connect", "2.50", "2.5");
	assert_refused("timeout_idle", "soon", EINVAL, "is not a time");
	assert_refused("timeout_idle", "0", ERANGE, "0 is outside 0.01 to 604800");
	assert_refused("timeout_idle", "8d", ERANGE, "8d is outside");
}

static void choices_are_told_when_missed(void **state) {
	(void)state;
	assert_kept("reasoning_effort", "High\n", "high");
	assert_refused("verbosity", "loud", EINVAL,
			"verbosity: 'loud' is none of low, medium, high");
}

static void a_word_is_one_line_without_blanks_around(void **state) {
	(void)state;
	assert_kept("voice", " af_bella(2)+af_sky(1)\n", "af_bella(2)+af_sky(1)");
	assert_kept("size", "1024x1024", "1024x1024");
	assert_refused("voice", "alloy\nnova", EINVAL,
			"voice: 'alloy nova' is not a single line of text");
	assert_refused("voice", "a\x1b[m", EINVAL, "is not a single line of text");
}

static void yes_and_no_have_many_spellings(void **state) {
	(void)state;
	const char *const yes[] = {"yes", "true", "ON", "1"}, *const no[] = {"no", "False", "off",
									      "0"};
	for (size_t i = 0; i < 4; i++) {
		assert_kept("logprobs", yes[i], "yes");
		assert_kept("logprobs", no[i], "no");
	}
	assert_refused("logprobs", "2", EINVAL, "is neither yes nor no");
}

static void text_is_kept_byte_for_byte_but_one_newline(void **state) {
	(void)state;
	assert_kept("system", "  Be brief.\t\n", "  Be brief.\t");
	assert_kept("system", "\xe2\x98\x83 a\n b", "\xe2\x98\x83 a\n b");
	struct fail fail = {0};
	char *value = setting_check(index_of("system"), "a\n\n", 3, &fail);
	assert_string_equal(value, "a\n");
	free(value);
	assert_null(setting_check(index_of("system"), "a\xff", 2, &fail));
	assert_int_equal(fail.code, EINVAL);
	assert_null(setting_check(index_of("system"), "a\0b", 3, &fail));
	assert_int_equal(fail.code, EINVAL);
	fail_finish(&fail);
}

static void lines_keep_their_blanks_and_lose_empty_ones(void **state) {
	(void)state;
	assert_kept("stop", "END\n", "END");
	assert_kept("stop", "\n a \r\n\n###\n\n", " a \n###");
}

static void json_is_checked_and_kept_as_written(void **state) {
	(void)state;
	assert_kept("schema", "{\n  \"type\": \"object\"\n}\n", "{\n  \"type\": \"object\"\n}");
	assert_kept("extra", "{\"seed\": 18446744073709551616}",
			"{\"seed\": 18446744073709551616}");
	assert_kept("tools", "[]", "[]");
	assert_refused("schema", "[]", EINVAL, "schema: '[]' is not a JSON object");
	assert_refused("tools", "{}", EINVAL, "is not a JSON array");
	assert_refused("schema", "{\"a\": }", EINVAL, "schema: not JSON from byte 7 on: '}'");
	assert_refused("schema", "{} {}", EINVAL, "schema: not JSON from byte 4 on");
	assert_refused("extra", "temperature=1", EINVAL, "extra: not JSON from byte 1 on");
}

static void what_is_almost_json_is_refused(void **state) {
	(void)state;
	const char *const wrong[] = {"{\"a\": 01}", "{\"a\": 1.}", "{\"a\": -}", "{\"a\": .5}",
			"{\"a\": +1}", "{\"a\": 1e}", "{\"a\": \"x\ny\"}", "{\"a\":\x01 1}",
			"{\"a\": \"\nx\"}", "{\"a\": \"\n\"}", "\xef\xbb\xbf{}", "{\"a\": 1,}",
			"{'a': 1}", "{\"a\": nan}", "{\"a\": \"\\x\"}", "{\"a\": \"\\\""};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_refused("extra", wrong[i], EINVAL, "extra: not JSON from byte");
	}
	assert_refused("extra", "{\"a\": 01}", EINVAL, "from byte 7 on: '01}'");
	const char *const good[] = {"{\"a\":[-0,0.5,1e9,-1.25E-7,true,false,null]}",
			"{\"1e.\":\"\\\"01\\\\\"}", "{\n\t\"\xc3\xa9\": \"-\"\r\n}"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_kept("extra", good[i], good[i]);
	}
}

static void deeply_nested_json_is_refused_and_crashes_nothing(void **state) {
	(void)state;
	char *text = malloc(SETTING_MOST + 1);
	assert_non_null(text);
	memset(text, '[', SETTING_MOST);
	text[SETTING_MOST] = '\0';
	assert_refused("tools", text, EINVAL, "tools: not JSON");
	free(text);
}

static void a_tool_choice_is_a_word_or_json(void **state) {
	(void)state;
	assert_kept("tool_choice", "auto\n", "\"auto\"");
	assert_kept("tool_choice", "\"none\"", "\"none\"");
	assert_kept("tool_choice", "{\"type\":\"function\"}", "{\"type\":\"function\"}");
	assert_refused("tool_choice", "sometimes", EINVAL, "not JSON");
}

static void too_much_is_efbig(void **state) {
	(void)state;
	struct fail fail = {0};
	char *text = malloc(SETTING_MOST + 1);
	assert_non_null(text);
	memset(text, 'a', SETTING_MOST + 1);
	char *value = setting_check(index_of("system"), text, SETTING_MOST, &fail);
	assert_non_null(value);
	free(value);
	assert_null(setting_check(index_of("system"), text, SETTING_MOST + 1, &fail));
	assert_int_equal(fail.code, EFBIG);
	fail_finish(&fail);
	free(text);
}

static void nothing_but_blanks_is_empty(void **state) {
	(void)state;
	assert_true(setting_is_empty(index_of("temperature"), " \n", 2));
	assert_true(setting_is_empty(index_of("temperature"), "", 0));
	assert_false(setting_is_empty(index_of("temperature"), "0", 1));
	assert_false(setting_is_empty(index_of("temperature"), "\0", 1));
	assert_true(setting_is_empty(index_of("system"), "\n", 1));
	assert_false(setting_is_empty(index_of("system"), " ", 1));
	assert_true(setting_is_empty(index_of("stop"), "\n\n", 2));
	assert_false(setting_is_empty(index_of("stop"), " \n", 2));
	assert_refused("temperature", "\n", EINVAL, "nothing but blanks");
	assert_refused("stop", "\n\n", EINVAL, "nothing but blanks");
}

static void long_or_odd_values_are_shown_short_in_words(void **state) {
	(void)state;
	struct fail fail = {0};
	char text[300];
	memset(text, 'x', sizeof(text));
	text[1] = '\033';
	assert_null(setting_check(index_of("verbosity"), text, sizeof(text), &fail));
	assert_true(strlen(fail_words(&fail)) < 200);
	assert_null(strchr(fail_words(&fail), '\033'));
	fail_finish(&fail);
}

static void a_model_offers_what_it_names_and_what_is_everywhere(void **state) {
	(void)state;
	assert_true(setting_offered(index_of("temperature"), NULL));
	assert_false(setting_offered(index_of("top_k"), NULL));
	assert_true(setting_offered(index_of("top_k"), "temperature,top_k"));
	assert_true(setting_offered(index_of("top_k"), "top_k,seed"));
	assert_false(setting_offered(index_of("top_k"), "top_kk,atop_k"));
	assert_false(setting_offered(index_of("logprobs"), "top_logprobs"));
	assert_false(setting_offered(index_of("top_k"), ""));
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_setting_is_found_once_and_has_help),
			cmocka_unit_test(the_first_settings_keep_their_places),
			cmocka_unit_test(numbers_become_canonical),
			cmocka_unit_test(numbers_out_of_range_name_the_range),
			cmocka_unit_test(what_is_no_number_is_refused),
			cmocka_unit_test(a_seed_beyond_64_bits_keeps_its_digits),
			cmocka_unit_test(times_are_kept_as_seconds),
			cmocka_unit_test(choices_are_told_when_missed),
			cmocka_unit_test(a_word_is_one_line_without_blanks_around),
			cmocka_unit_test(yes_and_no_have_many_spellings),
			cmocka_unit_test(text_is_kept_byte_for_byte_but_one_newline),
			cmocka_unit_test(lines_keep_their_blanks_and_lose_empty_ones),
			cmocka_unit_test(json_is_checked_and_kept_as_written),
			cmocka_unit_test(what_is_almost_json_is_refused),
			cmocka_unit_test(deeply_nested_json_is_refused_and_crashes_nothing),
			cmocka_unit_test(a_tool_choice_is_a_word_or_json),
			cmocka_unit_test(too_much_is_efbig),
			cmocka_unit_test(nothing_but_blanks_is_empty),
			cmocka_unit_test(long_or_odd_values_are_shown_short_in_words),
			cmocka_unit_test(a_model_offers_what_it_names_and_what_is_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
