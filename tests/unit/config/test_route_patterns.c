/* Patterns of a route: what they match, in what order, and in how much time. */
#include "core/base/glob.h"
#include "core/config/route_patterns.h"

#include "tests/unit/config/scratch.h"

#include <errno.h>
#include <time.h>

static void globs_match_whole_strings(void **state) {
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
			{"a/b", "a/b", true},
			{"a/b", "a/bc", false},
			{"a/b", "a/", false},
			{"*", "", true},
			{"*", "a/b/c", true},
			{"openrouter/*:free", "openrouter/google/gemma:free", true},
			{"openrouter/*:free", "openrouter/google/gemma:freed", false},
			{"*/gemma*", "acme/gemma-3", true},
			{"a*b*c", "aXbYbZc", true},
			{"a*b*c", "aXbYbZ", false},
			{"a/?", "a/x", true},
			{"a/?", "a/\xc3\xbc", true},
			{"a/?", "a/xy", false},
			{"a/[bc]", "a/c", true},
			{"a/[!bc]", "a/c", false},
			{"a/[!bc]", "a/d", true},
			{"a/[a-f]1", "a/e1", true},
			{"a/[a-f]1", "a/g1", false},
			{"a/[]x]", "a/]", true},
			{"a/[open", "a/[open", false},
			{"a/\\*", "a/*", true},
			{"a/\\*", "a/x", false},
			{"a/\\[open", "a/[open", true},
			{"**a**", "bab", true},
			{"", "", true},
			{"", "a", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (glob_match(cases[i].pattern, cases[i].text) != cases[i].matches) {
			fail_msg("%s against %s", cases[i].pattern, cases[i].text);
		}
	}
}

/* fnmatch(3) would be busy for years with the first of these. */
static void no_pattern_takes_long(void **state) {
	(void)state;
	static char pattern[1101], text[1024];
	struct timespec from, to;
	for (size_t i = 0; i + 1 < sizeof(pattern); i++) {
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	}
	pattern[sizeof(pattern) - 2] = 'b';
	memset(text, 'a', sizeof(text) - 1);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 100; i++) {
		assert_false(glob_match(pattern, text));
	}
	memset(pattern + 1, '[', sizeof(pattern) - 2);
	memset(text, '[', sizeof(text) - 1);
	for (int i = 0; i < 100; i++) {
		assert_false(glob_match(pattern, text));
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 10);
}

static struct route_patterns read_good(const char *text) {
	struct route_patterns patterns = {0};
	struct fail fail = {0};
	if (!route_patterns_read(&patterns, text, strlen(text), &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
	return patterns;
}

static int rank(const struct route_patterns *patterns, const char *name, bool local, bool free,
		bool *excluded) {
	const struct route_subject subject = {name, local, free};
	return route_patterns_rank(patterns, &subject, excluded);
}

static void the_first_pattern_that_names_a_model_ranks_it(void **state) {
	(void)state;
	bool excluded;
	cleanup_route_patterns struct route_patterns patterns = read_good(
			"# a comment\n\n  acme/b  \n@local\nacme/*\n@free\n!*/bad\n");
	assert_int_equal(patterns.n, 5);
	assert_int_equal(rank(&patterns, "acme/b", false, false, &excluded), 0);
	assert_false(excluded);
	assert_int_equal(rank(&patterns, "acme/c", true, false, &excluded), 1);
	assert_int_equal(rank(&patterns, "acme/c", false, true, &excluded), 2);
	assert_int_equal(rank(&patterns, "other/c", false, true, &excluded), 3);
	assert_int_equal(rank(&patterns, "other/c", false, false, &excluded), -1);
	assert_false(excluded);
	assert_int_equal(rank(&patterns, "acme/bad", false, false, &excluded), 2);
	assert_true(excluded);
}

static void reading_its_own_text_gives_the_same(void **state) {
	(void)state;
	cleanup_buf struct buf text = {0}, again = {0};
	cleanup_route_patterns struct route_patterns patterns = read_good(
			"a/b\n!c/[d]*\n# x\n@free\n!@local");
	assert_true(route_patterns_text(&patterns, &text));
	assert_string_equal(buf_string(&text), "a/b\n!c/[d]*\n@free\n!@local\n");
	cleanup_route_patterns struct route_patterns same = read_good(buf_string(&text));
	assert_true(route_patterns_text(&same, &again));
	assert_string_equal(buf_string(&again), buf_string(&text));
}

static void those_that_only_leave_out_name_nothing(void **state) {
	(void)state;
	cleanup_route_patterns struct route_patterns none = read_good("!a/b\n");
	cleanup_route_patterns struct route_patterns some = read_good("!a/b\n@free\n");
	assert_false(route_patterns_name_any(&none));
	assert_true(route_patterns_name_any(&some));
}

static void assert_refused(const char *text, size_t size, int code, const char *words) {
	struct route_patterns patterns = {.n = 0};
	cleanup_fail struct fail fail = {0};
	assert_false(route_patterns_read(&patterns, text, size, &fail));
	assert_int_equal(fail.code, code);
	assert_contains(fail_words(&fail), words);
	assert_int_equal(patterns.n, 0);
}

static void what_can_never_match_is_refused_with_its_line(void **state) {
	(void)state;
	static char many[1000], longer[1200];
#define REFUSED(text, words) assert_refused(text, strlen(text), EINVAL, words)
	REFUSED("a/b\ngpt-5\n", "line 2: 'gpt-5' names no model");
	REFUSED("@cheap\n", "line 1: '@cheap' is neither @local nor @free");
	REFUSED("!\n", "line 1: '!' names no model");
	REFUSED("a/\tb\n", "line 1 holds a control character");
	REFUSED("a/\xff\n", "isn't UTF-8");
	assert_refused("a/b\0c\n", 6, EINVAL, "NUL");
	for (size_t i = 0; i + 4 <= sizeof(many) - 4; i += 4) {
		memcpy(many + i, "a/b\n", 4);
	}
	assert_refused(many, strlen(many), E2BIG, "more than 100 patterns");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[1] = '/';
	REFUSED(longer, "more than 1100 bytes");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(globs_match_whole_strings),
			cmocka_unit_test(no_pattern_takes_long),
			cmocka_unit_test(the_first_pattern_that_names_a_model_ranks_it),
			cmocka_unit_test(reading_its_own_text_gives_the_same),
			cmocka_unit_test(those_that_only_leave_out_name_nothing),
			cmocka_unit_test(what_can_never_match_is_refused_with_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
