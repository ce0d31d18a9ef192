/* The ledger: each end once, sums that add up, whatever happens to turns, clocks and daemons. */
#include "tests/unit/store/fixture.h"

#include "core/store/database.h"
#include "core/store/ledger.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define DAY INT64_C(86400000000)
/* Noon, so that no time zone makes it another day than meant. */
#define NOON INT64_C(1700049600000000)

static struct turn_row row_of(int64_t id) {
	return (struct turn_row){
			.id = id,
			.place = 7,
			.number = id,
			.state = TURN_QUEUED,
			.submitted = 1,
			.provider = (char *)"acme",
			.cost_source = (char *)"reported",
			.prompt_tokens = 10,
			.completion_tokens = 20,
			.reasoning_tokens = -1,
			.cached_tokens = -1,
			.cost = 100,
	};
}

static void insert(struct fixture *f, const struct turn_row *row) {
	cleanup_fail struct fail fail = {0};
	if (!store_turn_insert(f->store, row, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

static void end(struct fixture *f, struct turn_row *row, int64_t finished, int64_t reserved) {
	cleanup_fail struct fail fail = {0};
	struct ledger_terms terms = {"maker/one", reserved};
	row->state = TURN_DONE;
	row->finished = finished;
	if (!ledger_end(f->store, row, &terms, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

/* A turn from its submission to its end, of a cost. */
static void book(struct fixture *f, int64_t id, int64_t finished, int64_t cost) {
	struct turn_row row = row_of(id);
	insert(f, &row);
	row.cost = cost;
	end(f, &row, finished, 500);
}

static struct usage_sum sum_of(struct fixture *f, const char *provider, int64_t period) {
	struct usage_sum sum;
	assert_true(ledger_sum(f->store, provider, period, &sum));
	return sum;
}

static void an_end_counts_on_its_day_in_its_month_and_in_all(void **state) {
	struct fixture *f = *state;
	book(f, 1, NOON, 100);
	book(f, 2, NOON + DAY, 100);
	book(f, 3, NOON + 40 * DAY, 1000);
	int64_t day = ledger_day(NOON);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).turns, 3);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).cost, 1200);
	assert_int_equal(sum_of(f, NULL, ledger_month(day)).cost, 200);
	assert_int_equal(sum_of(f, NULL, day).cost, 100);
	assert_int_equal(sum_of(f, NULL, day).prompt_tokens, 10);
	assert_int_equal(sum_of(f, NULL, day).completion_tokens, 20);
	assert_int_equal(sum_of(f, "acme", day).turns, 1);
	assert_int_equal(sum_of(f, "other", day).turns, 0);
	assert_int_equal(sum_of(f, NULL, day - 1).turns, 0);
}

static void an_unknown_cost_counts_by_the_most_it_can_be(void **state) {
	struct fixture *f = *state;
	book(f, 1, NOON, -1);
	book(f, 2, NOON, 7);
	struct turn_row row = row_of(3);
	insert(f, &row);
	row.cost = -1;
	end(f, &row, NOON, -1);
	struct usage_sum sum = sum_of(f, NULL, LEDGER_ALL);
	assert_int_equal(sum.turns, 3);
	assert_int_equal(sum.cost, 7);
	assert_int_equal(sum.unpriced, 2);
	assert_int_equal(sum.bound, 500);
	struct usage_sum place;
	assert_true(ledger_sum_place(f->store, 7, ledger_day(NOON), &place));
	assert_memory_equal(&place, &sum, sizeof(sum));
	assert_true(ledger_sum_place(f->store, 8, LEDGER_ALL, &place));
	assert_int_equal(place.turns, 0);
}

static void a_turn_is_never_entered_twice(void **state) {
	struct fixture *f = *state;
	book(f, 1, NOON, 100);
	struct turn_row row = row_of(1);
	end(f, &row, NOON + DAY, 100);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).turns, 1);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).cost, 100);
}

static void an_end_is_recorded_whole_or_not_at_all(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	struct ledger_terms terms = {"maker/one", 5};
	struct turn_row row = row_of(1);
	insert(f, &row);
	row.state = TURN_OPEN;
	row.finished = NOON;
	assert_false(ledger_end(f->store, &row, &terms, &fail));
	assert_int_equal(fail.code, EINVAL);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).turns, 0);
	/* And nothing of it is left open. */
	end(f, &row, NOON, 5);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).turns, 1);
}

static void a_turn_that_was_forgotten_while_it_ran_is_entered_all_the_same(void **state) {
	struct fixture *f = *state;
	struct turn_row row = row_of(1);
	insert(f, &row);
	assert_true(store_turn_forget(f->store, 1, NULL));
	end(f, &row, NOON, 5);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).cost, 100);
}

static void removing_turns_changes_no_sum_and_entries_cant_be_changed(void **state) {
	struct fixture *f = *state;
	book(f, 1, NOON, 100);
	close_all(f);
	run_sql(f, "DELETE FROM turn");
	char path[128];
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/conduitfs.db", f->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(db, "UPDATE ledger SET cost=1", NULL, NULL, NULL), 0);
	assert_int_not_equal(sqlite3_exec(db, "DELETE FROM ledger", NULL, NULL, NULL), 0);
	sqlite3_close(db);
	open_store(f);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).cost, 100);
	/* The id isn't given again, though its turn is gone. */
	assert_int_equal(store_turn_last_id(f->store), 1);
}

static void what_was_noted_counts_after_a_crash_and_what_wasnt_costs_nothing(void **state) {
	struct fixture *f = *state;
	struct ledger_terms terms = {"maker/one", 300};
	for (int64_t id = 1; id <= 3; id++) {
		struct turn_row row = row_of(id);
		insert(f, &row);
		assert_true(id == 3 || ledger_reserve(f->store, &row, &terms, NULL));
	}
	/* Noted again before another attempt: it counts once. */
	struct turn_row row = row_of(2);
	terms.reserved = 400;
	assert_true(ledger_reserve(f->store, &row, &terms, NULL));
	close_all(f);
	for (int round = 0; round < 2; round++) {
		open_store(f);
		assert_int_equal(store_turns_interrupt(f->store), round == 0 ? 3 : 0);
		struct usage_sum sum = sum_of(f, "acme", LEDGER_ALL);
		assert_int_equal(sum.turns, 3);
		assert_int_equal(sum.cost, 0);
		assert_int_equal(sum.unpriced, 2);
		assert_int_equal(sum.bound, 700);
		close_all(f);
	}
	open_store(f);
	struct turn_row back;
	assert_true(store_turn_get(f->store, 1, &back, NULL));
	assert_string_equal(back.cost_source, "unknown");
	assert_int_equal(back.cost, -1);
	turn_row_finish(&back);
	assert_true(store_turn_get(f->store, 3, &back, NULL));
	assert_int_equal(back.cost, 0);
	turn_row_finish(&back);
}

static void a_cost_that_is_told_later_settles_the_entry_once(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	struct ledger_cost cost = {70, 4, 5, -1, 0};
	struct turn_row row = row_of(1);
	row.cost_source = NULL;
	insert(f, &row);
	assert_false(ledger_settle(f->store, &row, &cost, &fail));
	assert_int_equal(fail.code, ENOENT);
	row.cost = row.prompt_tokens = -1;
	end(f, &row, NOON, 500);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).bound, 500);
	for (int i = 0; i < 2; i++) {
		assert_true(ledger_settle(f->store, &row, &cost, &fail));
		struct usage_sum sum = sum_of(f, "acme", ledger_day(NOON)), place;
		assert_int_equal(sum.turns, 1);
		assert_int_equal(sum.cost, 70);
		assert_int_equal(sum.unpriced, 0);
		assert_int_equal(sum.bound, 0);
		/* What was known isn't added again. */
		assert_int_equal(sum.prompt_tokens, 4);
		assert_int_equal(sum.completion_tokens, 20);
		assert_true(ledger_sum_place(f->store, 7, LEDGER_ALL, &place));
		assert_memory_equal(&place, &sum, sizeof(sum));
	}
	assert_int_equal(row.cost, 70);
	assert_string_equal(row.cost_source, "reported");
	free(row.cost_source);
	struct turn_row back;
	assert_true(store_turn_get(f->store, 1, &back, NULL));
	assert_int_equal(back.cost, 70);
	assert_string_equal(back.cost_source, "reported");
	turn_row_finish(&back);
}

static void a_clock_that_is_set_back_neither_loses_nor_counts_twice(void **state) {
	struct fixture *f = *state;
	book(f, 1, NOON + 2 * DAY, 100);
	book(f, 2, NOON, 10); /* the clock was set back */
	book(f, 3, NOON + 2 * DAY, 1); /* and went on */
	int64_t all = 0;
	for (int64_t i = -1; i <= 4; i++) {
		all += sum_of(f, NULL, ledger_day(NOON + i * DAY)).cost;
	}
	assert_int_equal(all, 111);
	assert_int_equal(sum_of(f, NULL, ledger_day(NOON + 2 * DAY)).cost, 101);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).cost, 111);
}

static void a_sum_that_would_overflow_stays_at_the_top(void **state) {
	struct fixture *f = *state;
	for (int64_t id = 1; id <= 3; id++) {
		struct turn_row row = row_of(id);
		row.cost = row.prompt_tokens = INT64_MAX - 1;
		insert(f, &row);
		end(f, &row, NOON, 0);
	}
	assert_true(sum_of(f, NULL, LEDGER_ALL).cost == INT64_MAX);
	assert_true(sum_of(f, NULL, LEDGER_ALL).prompt_tokens == INT64_MAX);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).completion_tokens, 60);
}

/* ---- groups ---- */

struct lines {
	char text[512];
};

static void note(void *data, const struct ledger_line *line) {
	struct lines *lines = data;
	size_t length = strlen(lines->text);
	snprintf(lines->text + length, sizeof(lines->text) - length, "%lld %s %s %lld\n",
			(long long)line->period, line->provider, line->model,
			(long long)line->sum.cost);
}

static void end_as(struct fixture *f, int64_t id, const char *provider, const char *model,
		int64_t finished) {
	struct turn_row row = row_of(id);
	struct ledger_terms terms = {model, 0};
	row.provider = (char *)provider;
	insert(f, &row);
	row.state = TURN_DONE;
	row.finished = finished;
	assert_true(ledger_end(f->store, &row, &terms, NULL));
}

static void groups_come_in_order_each_once(void **state) {
	struct fixture *f = *state;
	end_as(f, 1, "b", "two", NOON);
	end_as(f, 2, "a", "one", NOON + DAY);
	end_as(f, 3, "b", "one", NOON);
	end_as(f, 4, "b", "two", NOON);
	struct lines lines = {0};
	assert_true(ledger_each(
			f->store, LEDGER_BY_PROVIDER, NULL, LEDGER_ALL, LEDGER_ALL, note, &lines));
	assert_string_equal(lines.text, "0 a  100\n0 b  300\n");
	lines = (struct lines){0};
	assert_true(ledger_each(
			f->store, LEDGER_BY_MODEL, NULL, LEDGER_ALL, LEDGER_ALL, note, &lines));
	assert_string_equal(lines.text, "0 a one 100\n0 b one 100\n0 b two 200\n");
	lines = (struct lines){0};
	int64_t day = ledger_day(NOON);
	char expected[128];
	assert_true(ledger_each(
			f->store, LEDGER_BY_PERIOD, NULL, day, LEDGER_DAY_LAST, note, &lines));
	snprintf(expected, sizeof(expected), "%lld   300\n%lld   100\n", (long long)day,
			(long long)ledger_day(NOON + DAY));
	assert_string_equal(lines.text, expected);
	lines = (struct lines){0};
	assert_true(ledger_each(
			f->store, LEDGER_BY_PERIOD, "a", day, LEDGER_DAY_LAST, note, &lines));
	snprintf(expected, sizeof(expected), "%lld   100\n", (long long)ledger_day(NOON + DAY));
	assert_string_equal(lines.text, expected);
}

/* ---- an older state directory ---- */

static void the_turns_of_a_first_version_are_the_ledgers_first_entries(void **state) {
	struct fixture *f = *state;
	close_all(f);
	remove_tree(f->directory);
	assert_int_equal(mkdir(f->directory, 0700), 0);
	run_sql(f, database_steps[0]);
	char sql[1024];
	snprintf(sql, sizeof(sql),
			"PRAGMA application_id=%d; PRAGMA user_version=1;"
			"INSERT INTO turn VALUES"
			"(1,7,1,0,4,1,1,1,%lld,5,5,0,'','','m','acme',200,10,20,-1,-1,100,"
			"'reported',1),"
			"(2,7,2,0,5,1,1,1,%lld,5,5,5,'','','m','acme',200,-1,-1,-1,-1,-1,"
			"'unknown',1),"
			"(3,7,3,0,3,1,1,1,0,5,5,0,'','','m','acme',200,-1,-1,-1,-1,-1,'',1),"
			"(4,7,4,0,4,1,1,1,9223372036854775807,5,5,0,'','','m','acme',200,1,1,1,1,"
			"1,'reported',1)",
			DATABASE_APPLICATION_ID, (long long)NOON, (long long)NOON);
	run_sql(f, sql);
	open_store(f);
	struct usage_sum sum = sum_of(f, "acme", LEDGER_ALL);
	assert_int_equal(sum.turns, 3);
	assert_int_equal(sum.cost, 101);
	assert_int_equal(sum.unpriced, 1);
	assert_int_equal(sum_of(f, NULL, ledger_day(NOON)).turns, 2);
	/* What ran when that version ended may have cost. */
	assert_int_equal(store_turns_interrupt(f->store), 1);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).unpriced, 2);
	assert_int_equal(sum_of(f, NULL, LEDGER_ALL).turns, 4);
	struct turn_row back;
	assert_true(store_turn_get(f->store, 1, &back, NULL));
	assert_int_equal(back.cost, 100);
	turn_row_finish(&back);
}

/* ---- the daemon's sudden death ---- */

static void book_for_ever(const struct fixture *f, int out) {
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct store *store = store_open(&loop, f->directory, NULL);
	struct ledger_terms terms = {"m", 3};
	for (int64_t id = store_turn_last_id(store) + 1; store != NULL; id++) {
		struct turn_row row = row_of(id);
		char said[2] = {'s', 'e'};
		bool done = store_turn_insert(store, &row, NULL) &&
			    ledger_reserve(store, &row, &terms, NULL) &&
			    write(out, &said[0], 1) == 1;
		row.state = TURN_DONE;
		row.finished = NOON;
		row.cost = 2;
		if (!done || !ledger_end(store, &row, &terms, NULL) ||
				write(out, &said[1], 1) != 1) {
			break;
		}
	}
	_exit(1);
}

static void the_ledger_adds_up_after_a_kill(void **state) {
	struct fixture *f = *state;
	close_all(f);
	int64_t sent = 0, ended = 0; /* as they were said, in all rounds */
	for (int round = 0; round < 5; round++) {
		int ends[2];
		char byte;
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			book_for_ever(f, ends[1]);
		}
		close(ends[1]);
		int64_t goal = ended + 50 + round * 31;
		while (ended < goal && read(ends[0], &byte, 1) == 1) {
			sent += byte == 's';
			ended += byte == 'e';
		}
		kill(child, SIGKILL);
		while (read(ends[0], &byte, 1) == 1) {
			sent += byte == 's';
			ended += byte == 'e';
		}
		close(ends[0]);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_true(ended >= goal);
		open_store(f);
		store_turns_interrupt(f->store);
		struct usage_sum sum = sum_of(f, NULL, LEDGER_ALL);
		/* Each kill cuts one turn: before its note, before its end, or before it said so.
		 */
		assert_true(sum.turns >= sent && sum.turns <= sent + 2 * (round + 1));
		assert_true(sum.cost >= ended * 2);
		assert_true(sum.cost <= (sum.turns - sum.unpriced) * 2);
		assert_int_equal(sum.bound, sum.unpriced * 3);
		close_all(f);
		assert_int_equal(sql_number(f, "SELECT count(*)=count(DISTINCT turn) AND "
					       "sum(max(cost, 0))=(SELECT sum(cost) FROM usage "
					       "WHERE period=0) FROM ledger"),
				1);
		assert_int_equal(sql_number(f, "SELECT count(*) FROM reservation"), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(an_end_counts_on_its_day_in_its_month_and_in_all),
			TEST(an_unknown_cost_counts_by_the_most_it_can_be),
			TEST(a_turn_is_never_entered_twice),
			TEST(an_end_is_recorded_whole_or_not_at_all),
			TEST(a_turn_that_was_forgotten_while_it_ran_is_entered_all_the_same),
			TEST(removing_turns_changes_no_sum_and_entries_cant_be_changed),
			TEST(what_was_noted_counts_after_a_crash_and_what_wasnt_costs_nothing),
			TEST(a_cost_that_is_told_later_settles_the_entry_once),
			TEST(a_clock_that_is_set_back_neither_loses_nor_counts_twice),
			TEST(a_sum_that_would_overflow_stays_at_the_top),
			TEST(groups_come_in_order_each_once),
			TEST(the_turns_of_a_first_version_are_the_ledgers_first_entries),
			TEST(the_ledger_adds_up_after_a_kill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
