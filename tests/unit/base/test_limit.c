/* What models say of settings, as text and back. */
#include "core/base/limit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct limits round_trip(const struct limit *limits, size_t n) {
	struct buf text = {0};
	struct limits ret;
	for (size_t i = 0; i < n; i++) {
		assert_true(limits_add(&text, &limits[i]));
	}
	assert_true(limits_read(buf_string(&text), &ret));
	assert_int_equal(ret.n, n);
	buf_finish(&text);
	return ret;
}

static void what_is_said_comes_back(void **state) {
	(void)state;
	const struct limit said[] = {{"temperature", 0, 1.1, NULL, "1", "How hot."},
			{"voice", 0, 0, "alloy\nnova sky", "alloy", NULL},
			{"steps", 1, NAN, NULL, NULL, NULL}};
	struct limits limits = round_trip(said, 3);
	const struct limit *hot = limits_find(&limits, "temperature");
	assert_true(hot->least == 0 && hot->most == 1.1);
	assert_string_equal(hot->standard, "1");
	assert_string_equal(hot->help, "How hot.");
	assert_string_equal(hot->choices, "");
	const struct limit *voice = limits_find(&limits, "voice");
	assert_string_equal(voice->choices, "alloy\nnova sky");
	/* Nothing was stated: no bound. */
	assert_true(isinf(voice->least) && isinf(voice->most));
	const struct limit *steps = limits_find(&limits, "steps");
	assert_true(steps->least == 1 && isinf(steps->most));
	assert_null(limits_find(&limits, "voic"));
	limits_finish(&limits);
}

static void control_characters_never_make_lines(void **state) {
	(void)state;
	const struct limit said = {"voice", 0, 0, "a\tb\n\nc\r", "x\ny", "\x1b[m"};
	struct limits limits = round_trip(&said, 1);
	const char *at = limits.list[0].choices, *choice;
	size_t length;
	assert_string_equal(limits.list[0].standard, "x y");
	assert_string_equal(limits.list[0].help, " [m");
	assert_true(limit_choice(&at, &choice, &length));
	assert_memory_equal(choice, "a b", length);
	assert_true(limit_choice(&at, &choice, &length));
	assert_memory_equal(choice, "c ", length);
	assert_false(limit_choice(&at, &choice, &length));
	limits_finish(&limits);
}

static void a_star_among_the_choices_leaves_them_open(void **state) {
	(void)state;
	assert_true(limit_is_open(&(struct limit){.choices = ""}));
	assert_true(limit_is_open(&(struct limit){.choices = "a\n*"}));
	assert_true(limit_is_open(&(struct limit){.choices = "*\na"}));
	assert_false(limit_is_open(&(struct limit){.choices = "a\n*b\nc*"}));
	const char *at = "*\na\n*", *choice;
	size_t length;
	assert_true(limit_choice(&at, &choice, &length));
	assert_int_equal(length, 1);
	assert_int_equal(choice[0], 'a');
	assert_false(limit_choice(&at, &choice, &length));
}

static void a_text_that_is_broken_gives_what_was_whole(void **state) {
	(void)state;
	const char *const texts[] = {"x", "\n", "0 1 a\n\n\n", "nan 1 a\n\n\n\n", "0 1 \n\n\n\n"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct limits limits;
		assert_true(limits_read(texts[i], &limits));
		assert_int_equal(limits.n, 0);
		limits_finish(&limits);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(what_is_said_comes_back),
			cmocka_unit_test(control_characters_never_make_lines),
			cmocka_unit_test(a_star_among_the_choices_leaves_them_open),
			cmocka_unit_test(a_text_that_is_broken_gives_what_was_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
