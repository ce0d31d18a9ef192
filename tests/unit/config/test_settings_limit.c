/* Values of settings against what a model takes. */
#include "core/config/settings.h"

#include "tests/unit/config/scratch.h"

#include <errno.h>
#include <math.h>

static struct limit range(const char *name, double least, double most) {
	return (struct limit){name, least, most, "", "", ""};
}

static struct limit choices(const char *name, const char *choices) {
	return (struct limit){name, -INFINITY, INFINITY, choices, "", ""};
}

static void assert_kept(struct limit limit, const char *text, const char *expected) {
	struct fail fail = {0};
	char *value = setting_check_within(
			setting_find(limit.name), &limit, text, strlen(text), &fail);
	if (value == NULL) {
		print_error("%s '%s': %s\n", limit.name, text, fail_words(&fail));
	}
	assert_non_null(value);
	assert_string_equal(value, expected);
	free(value);
}

static void assert_refused(struct limit limit, const char *text, int code, const char *words) {
	struct fail fail = {0};
	assert_null(setting_check_within(
			setting_find(limit.name), &limit, text, strlen(text), &fail));
	assert_int_equal(fail.code, code);
	assert_string_equal(fail_words(&fail), words);
	fail_finish(&fail);
}

static void a_models_range_takes_the_tables_place(void **state) {
	(void)state;
	assert_kept(range("temperature", 0, 1), "1", "1");
	assert_refused(range("temperature", 0, 1), "1.5", ERANGE,
			"temperature: 1.5 is outside 0 to 1");
	assert_kept(range("temperature", 0, 5), "5", "5");
	assert_refused(range("width", 10, 200), "9", ERANGE, "width: 9 is outside 10 to 200");
	/* Where it states one end alone, the table's other end counts. */
	assert_refused(range("temperature", -INFINITY, 1), "-1", ERANGE,
			"temperature: -1 is outside 0 to 1");
	assert_refused(range("seed", 0, INFINITY), "-1", ERANGE, "seed: -1 is below 0");
}

static void a_number_among_choices_is_found_in_any_spelling(void **state) {
	(void)state;
	assert_kept(choices("fps", "24\n30"), "30.0", "30");
	assert_kept(choices("duration", "5\n10"), "10s", "10");
	assert_refused(choices("fps", "24\n30"), "25", EINVAL, "fps: '25' is none of 24, 30");
}

static void a_choice_is_kept_in_the_models_spelling(void **state) {
	(void)state;
	assert_kept(choices("voice", "Alloy\nNova"), "nova\n", "Nova");
	assert_refused(choices("voice", "Alloy\nNova"), "novo", EINVAL,
			"voice: 'novo' is none of Alloy, Nova");
	assert_kept(choices("task", "transcribe\nsummarise"), "summarise", "summarise");
	assert_kept(choices("reasoning_effort", "low\nhigh"), "HIGH", "high");
	assert_refused(choices("reasoning_effort", "low\nhigh"), "max", EINVAL,
			"reasoning_effort: 'max' is none of low, high");
}

static void of_many_choices_the_nearest_is_told(void **state) {
	(void)state;
	static char many[4096];
	size_t used = 0;
	for (int i = 0; i < 60; i++) {
		used += (size_t)snprintf(
				many + used, sizeof(many) - used, "voice-%02d-of-many\n", i);
	}
	assert_refused(choices("voice", many), "voice-17-of-man", EINVAL,
			"voice: 'voice-17-of-man' is none of the 60 that the model takes; the "
			"nearest is 'voice-17-of-many'");
	assert_refused(choices("voice", many), "x", EINVAL,
			"voice: 'x' is none of the 60 that the model takes, as voice-00-of-many, "
			"voice-01-of-many, voice-02-of-many");
}

static void open_choices_take_others(void **state) {
	(void)state;
	assert_kept(choices("voice", "af_sky\n*"), "af_sky+af_bella", "af_sky+af_bella");
	assert_kept(choices("voice", "af_sky\n*"), "AF_SKY", "af_sky");
}

static void a_range_makes_a_number_of_a_word(void **state) {
	(void)state;
	assert_kept(range("scale", 1, 4), "2", "2");
	assert_refused(range("scale", 1, 4), "8", ERANGE, "scale: 8 is outside 1 to 4");
	assert_refused(range("scale", 1, 4), "big", EINVAL, "scale: 'big' is not a number");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_models_range_takes_the_tables_place),
			cmocka_unit_test(a_number_among_choices_is_found_in_any_spelling),
			cmocka_unit_test(a_choice_is_kept_in_the_models_spelling),
			cmocka_unit_test(of_many_choices_the_nearest_is_told),
			cmocka_unit_test(open_choices_take_others),
			cmocka_unit_test(a_range_makes_a_number_of_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
