/* Which process opened which turn's output lately. */
#include "core/turn/lineage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct process_id one = {100, 7}, again = {100, 8}, other = {101, 7};

static void the_last_that_the_same_process_opened_is_found(void **state) {
	(void)state;
	struct lineage *lineage = lineage_create();
	assert_int_equal(lineage_find(lineage, &one, lineage_now()), 0);
	lineage_note(lineage, &one, 11);
	lineage_note(lineage, &other, 12);
	lineage_note(lineage, &one, 13);
	assert_int_equal(lineage_find(lineage, &one, lineage_now()), 13);
	assert_int_equal(lineage_find(lineage, &other, lineage_now()), 12);
	/* A later process that was given the same pid. */
	assert_int_equal(lineage_find(lineage, &again, lineage_now()), 0);
	lineage_destroy(lineage);
}

static void what_is_long_ago_is_no_origin(void **state) {
	(void)state;
	struct lineage *lineage = lineage_create();
	lineage_note(lineage, &one, 11);
	int64_t now = lineage_now();
	assert_int_equal(lineage_find(lineage, &one, now + 59000000), 11);
	assert_int_equal(lineage_find(lineage, &one, now + 61000000), 0);
	/* What is read while the prompt is written counts. */
	assert_int_equal(lineage_find(lineage, &one, now - 61000000), 11);
	lineage_destroy(lineage);
}

static void the_oldest_notes_are_forgotten(void **state) {
	(void)state;
	struct lineage *lineage = lineage_create();
	lineage_note(lineage, &one, 11);
	for (int i = 0; i < 1023; i++) {
		lineage_note(lineage, &other, 12);
	}
	assert_int_equal(lineage_find(lineage, &one, lineage_now()), 11);
	lineage_note(lineage, &other, 13);
	assert_int_equal(lineage_find(lineage, &one, lineage_now()), 0);
	assert_int_equal(lineage_find(lineage, &other, lineage_now()), 13);
	lineage_destroy(lineage);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(the_last_that_the_same_process_opened_is_found),
			cmocka_unit_test(what_is_long_ago_is_no_origin),
			cmocka_unit_test(the_oldest_notes_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
