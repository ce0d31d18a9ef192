/* What retention goes by: order, leaves, counts, bytes, and numbers that are never given again. */
#include "tests/unit/store/fixture.h"

#include "core/store/kept.h"

#include <errno.h>

static void add_turn(struct fixture *f, int64_t id, int64_t place, int64_t number, int64_t previous,
		int64_t bytes) {
	cleanup_fail struct fail fail = {0};
	struct turn_row row = {
			.id = id,
			.place = place,
			.number = number,
			.previous = previous,
			.state = TURN_DONE,
			.finished = id * 1000,
			.bytes = bytes,
	};
	if (!store_turn_insert(f->store, &row, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

static void forget(struct fixture *f, int64_t id) {
	assert_true(store_turn_forget(f->store, id, NULL));
}

static void the_oldest_come_in_order_and_those_under_way_dont(void **state) {
	struct fixture *f = *state;
	struct kept_turn turns[8];
	for (int64_t i = 1; i <= 5; i++) {
		add_turn(f, i, 1, i, 0, 0);
	}
	struct turn_row running = {.id = 6, .place = 1, .number = 6, .state = TURN_RUNNING};
	assert_true(store_turn_insert(f->store, &running, NULL));
	assert_int_equal(kept_oldest(f->store, 0, 0, turns, 3), 3);
	assert_int_equal(turns[0].id, 1);
	assert_int_equal(turns[2].id, 3);
	assert_int_equal(kept_oldest(f->store, turns[2].finished, 3, turns, 8), 2);
	assert_int_equal(turns[0].id, 4);
	assert_int_equal(kept_of_place(f->store, 1, 1, 4, turns, 8), 3);
	assert_int_equal(turns[0].number, 2);
	assert_false(kept_get(f->store, 6, turns));
	assert_true(kept_get(f->store, 5, turns));
	assert_int_equal(turns[0].finished, 5000);
}

static void a_turn_that_another_continues_is_told(void **state) {
	struct fixture *f = *state;
	add_turn(f, 1, 1, 1, 0, 0);
	add_turn(f, 2, 1, 2, 1, 0);
	assert_true(kept_is_continued(f->store, 1));
	assert_false(kept_is_continued(f->store, 2));
	forget(f, 2);
	assert_false(kept_is_continued(f->store, 1));
}

static void what_is_beyond_a_count_is_told_for_each_place(void **state) {
	struct fixture *f = *state;
	for (int64_t i = 1; i <= 10; i++) {
		add_turn(f, i, i % 2 != 0 ? 3 : 7, (i + 1) / 2, 0, 0);
	}
	assert_int_equal(kept_next_place(f->store, 0), 3);
	assert_int_equal(kept_next_place(f->store, 3), 7);
	assert_int_equal(kept_next_place(f->store, 7), 0);
	assert_int_equal(kept_beyond(f->store, 3, 2), 3);
	assert_int_equal(kept_beyond(f->store, 3, 4), 1);
	assert_int_equal(kept_beyond(f->store, 3, 5), 0);
	forget(f, 1);
	assert_int_equal(kept_beyond(f->store, 3, 4), 0);
}

static void bytes_follow_what_comes_changes_and_goes(void **state) {
	struct fixture *f = *state;
	assert_int_equal(kept_bytes(f->store), 0);
	add_turn(f, 1, 1, 1, 0, 100);
	add_turn(f, 2, 1, 2, 0, 0);
	struct turn_row row = {.id = 2, .place = 1, .number = 2, .state = TURN_DONE, .bytes = 50};
	assert_true(store_turn_update(f->store, &row, NULL));
	assert_int_equal(kept_bytes(f->store), 150);
	forget(f, 1);
	close_all(f);
	open_store(f);
	assert_int_equal(kept_bytes(f->store), 50);
}

static void a_number_whose_turn_is_gone_is_not_given_again(void **state) {
	struct fixture *f = *state;
	int64_t number;
	close_all(f);
	open_catalogue(f);
	int64_t place = provider_of(f, "acme")->id;
	add_turn(f, 1, place, 1, 0, 0);
	add_turn(f, 2, place, 2, 0, 0);
	forget(f, 2);
	assert_int_equal(store_turn_newest(f->store, place, &number), 1);
	assert_int_equal(number, 2);
	forget(f, 1);
	close_all(f);
	open_store(f);
	assert_int_equal(store_turn_newest(f->store, place, &number), 0);
	assert_int_equal(number, 2);
	assert_int_equal(store_turn_last_id(f->store), 2);
}

/* Nothing that retention asks walks all turns: each question is answered from an index. */
static void no_question_walks_the_turns(void **state) {
	struct fixture *f = *state;
	static const char *const questions[] = {"SELECT id FROM turn WHERE finished>0 AND "
						"(finished, id)>(1, 1) AND state NOT "
						"IN (1, 2, 3) ORDER BY finished, id LIMIT 9",
			"SELECT 1 FROM turn WHERE previous=1 AND previous<>0 LIMIT 1",
			"SELECT place FROM turn WHERE place>1 ORDER BY place LIMIT 1",
			"SELECT id FROM turn WHERE answer_key='x' AND answer_key<>'' AND state=4 "
			"ORDER BY finished DESC LIMIT 1"};
	char path[128];
	sqlite3 *db;
	close_all(f);
	snprintf(path, sizeof(path), "%s/conduitfs.db", f->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < 4; i++) {
		char sql[512];
		sqlite3_stmt *plan;
		snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", questions[i]);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(plan), SQLITE_ROW);
		const char *first = (const char *)sqlite3_column_text(plan, 3);
		if (strncmp(first, "SEARCH turn", strlen("SEARCH turn")) != 0) {
			fail_msg("%s: %s", questions[i], first);
		}
		sqlite3_finalize(plan);
	}
	sqlite3_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(the_oldest_come_in_order_and_those_under_way_dont),
			TEST(a_turn_that_another_continues_is_told),
			TEST(what_is_beyond_a_count_is_told_for_each_place),
			TEST(bytes_follow_what_comes_changes_and_goes),
			TEST(a_number_whose_turn_is_gone_is_not_given_again),
			TEST(no_question_walks_the_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
