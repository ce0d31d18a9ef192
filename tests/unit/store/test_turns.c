/* The index of turns, and the turns' files. */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct turn_row row_of(int64_t id, int64_t place, int64_t number) {
	return (struct turn_row){
			.id = id,
			.place = place,
			.number = number,
			.state = TURN_DONE,
			.submitted = 1,
			.finished = id * 1000,
			.prompt_tokens = 10,
			.completion_tokens = 20,
			.reasoning_tokens = -1,
			.cached_tokens = -1,
			.cost = 5,
	};
}

static void insert(struct fixture *f, const struct turn_row *row) {
	cleanup_fail struct fail fail = {0};
	if (!store_turn_insert(f->store, row, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

static void a_turn_comes_back_as_it_was_stored(void **state) {
	struct fixture *f = *state;
	struct turn_row row = {
			.id = 12,
			.place = 3,
			.number = 4,
			.previous = 11,
			.state = TURN_FAILED,
			.submitted = 1,
			.started = 2,
			.first_byte = 3,
			.finished = 4,
			.prompt_size = 5,
			.output_size = UINT64_C(1) << 40,
			.code = ETIMEDOUT,
			.words = (char *)"it took too long",
			.finish = (char *)"length",
			.model = (char *)"a/b",
			.provider = (char *)"acme",
			.http_status = 504,
			.prompt_tokens = 6,
			.completion_tokens = 7,
			.reasoning_tokens = 8,
			.cached_tokens = -1,
			.cost = INT64_MAX,
			.cost_source = (char *)"computed",
			.overhead_us = 9,
	};
	insert(f, &row);
	close_all(f);
	open_store(f);
	struct turn_row back;
	assert_true(store_turn_get(f->store, 12, &back, NULL));
	assert_int_equal(back.place, 3);
	assert_int_equal(back.number, 4);
	assert_int_equal(back.previous, 11);
	assert_int_equal(back.state, TURN_FAILED);
	assert_int_equal(back.submitted, 1);
	assert_int_equal(back.started, 2);
	assert_int_equal(back.first_byte, 3);
	assert_int_equal(back.finished, 4);
	assert_int_equal(back.prompt_size, 5);
	assert_true(back.output_size == UINT64_C(1) << 40);
	assert_int_equal(back.code, ETIMEDOUT);
	assert_string_equal(back.words, "it took too long");
	assert_string_equal(back.finish, "length");
	assert_string_equal(back.model, "a/b");
	assert_string_equal(back.provider, "acme");
	assert_int_equal(back.http_status, 504);
	assert_int_equal(back.prompt_tokens, 6);
	assert_int_equal(back.completion_tokens, 7);
	assert_int_equal(back.reasoning_tokens, 8);
	assert_int_equal(back.cached_tokens, -1);
	assert_true(back.cost == INT64_MAX);
	assert_string_equal(back.cost_source, "computed");
	assert_int_equal(back.overhead_us, 9);
	turn_row_finish(&back);
}

static void an_update_changes_only_a_turn_that_is_there(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	struct turn_row row = row_of(1, 1, 1), back;
	assert_false(store_turn_update(f->store, &row, &fail));
	assert_int_equal(fail.code, ENOENT);
	assert_false(store_turn_get(f->store, 1, &back, &fail));
	assert_int_equal(fail.code, ENOENT);
	row.state = TURN_WAITING;
	insert(f, &row);
	assert_true(store_turn_get(f->store, 1, &back, NULL));
	assert_int_equal(back.state, TURN_RUNNING);
	assert_string_equal(back.words, "");
	turn_row_finish(&back);
	row.words = (char *)"done";
	assert_true(store_turn_update(f->store, &row, NULL));
	assert_true(store_turn_get(f->store, 1, &back, NULL));
	assert_string_equal(back.words, "done");
	turn_row_finish(&back);
	row.state = TURN_OPEN;
	assert_false(store_turn_update(f->store, &row, &fail));
	assert_int_equal(fail.code, EINVAL);
}

static void a_number_is_given_once_a_model(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	struct turn_row row = row_of(1, 5, 1);
	insert(f, &row);
	row.id = 2;
	assert_false(store_turn_insert(f->store, &row, &fail));
	assert_int_equal(fail.code, EEXIST);
	row.id = 1;
	row.number = 2;
	assert_false(store_turn_insert(f->store, &row, &fail));
	assert_int_equal(fail.code, EEXIST);
}

static void turns_are_found_by_number_and_in_order(void **state) {
	struct fixture *f = *state;
	for (int64_t i = 1; i <= 10; i++) {
		struct turn_row row = row_of(i, i % 2, (i + 1) / 2);
		insert(f, &row);
	}
	int64_t ids[10], numbers[10], id, number;
	assert_int_equal(store_turns_after(f->store, 1, 2, ids, numbers, 2), 2);
	assert_int_equal(ids[0], 5);
	assert_int_equal(numbers[0], 3);
	assert_int_equal(ids[1], 7);
	assert_int_equal(store_turns_after(f->store, 1, 0, ids, numbers, 10), 5);
	assert_int_equal(store_turns_after(f->store, 1, 5, ids, numbers, 10), 0);
	assert_int_equal(store_turn_newest(f->store, 0, &number), 10);
	assert_int_equal(number, 5);
	assert_int_equal(store_turn_newest(f->store, 77, &number), 0);
	assert_int_equal(number, 0);
	assert_true(store_turn_find(f->store, 1, 2, &id));
	assert_int_equal(id, 3);
	assert_false(store_turn_find(f->store, 1, 6, &id));
}

static void an_id_is_never_given_again(void **state) {
	struct fixture *f = *state;
	assert_int_equal(store_turn_last_id(f->store), 0);
	struct turn_row row = row_of(41, 1, 1);
	insert(f, &row);
	assert_int_equal(store_turn_last_id(f->store), 41);
	close_all(f);
	run_sql(f, "DELETE FROM turn");
	open_store(f);
	assert_int_equal(store_turn_last_id(f->store), 41);
	/* One whose row was lost, but not its files. */
	char path[4096];
	assert_true(store_turn_path(f->store, 12345, true, path, sizeof(path), NULL));
	assert_true(store_turn_path(f->store, 9999, true, path, sizeof(path), NULL));
	close_all(f);
	open_store(f);
	assert_int_equal(store_turn_last_id(f->store), 12345);
	/* The last thousand was begun, and nothing came into it. */
	assert_true(store_turn_path(f->store, 15999, true, path, sizeof(path), NULL));
	assert_true(store_turn_path(f->store, 16000, true, path, sizeof(path), NULL));
	assert_int_equal(rmdir(path), 0);
	close_all(f);
	open_store(f);
	assert_int_equal(store_turn_last_id(f->store), 15999);
}

static void what_was_under_way_says_interrupted_after_a_start(void **state) {
	struct fixture *f = *state;
	static const enum turn_state states[] = {TURN_QUEUED, TURN_WAITING, TURN_RUNNING, TURN_DONE,
			TURN_FAILED, TURN_CANCELLED};
	for (int64_t i = 0; i < 6; i++) {
		struct turn_row row = row_of(i + 1, 1, i + 1);
		row.state = states[i];
		row.finished = i < 3 ? 0 : 1;
		insert(f, &row);
	}
	assert_int_equal(store_turns_interrupt(f->store), 3);
	assert_int_equal(store_turns_interrupt(f->store), 0);
	for (int64_t i = 0; i < 6; i++) {
		struct turn_row row;
		assert_true(store_turn_get(f->store, i + 1, &row, NULL));
		assert_int_equal(row.state, i < 3 ? TURN_INTERRUPTED : states[i]);
		assert_true(row.finished > 0);
		assert_int_equal(row.words[0] != '\0', i < 3);
		turn_row_finish(&row);
	}
}

static void damaged_rows_are_read_without_harm(void **state) {
	struct fixture *f = *state;
	struct turn_row row = row_of(1, 1, 1), back;
	insert(f, &row);
	close_all(f);
	run_sql(f, "UPDATE turn SET state=99, words=CAST(x'ff00' AS TEXT), model=char(0)||'x', "
		   "prompt_size=-5, cost=-9223372036854775807-1");
	open_store(f);
	assert_true(store_turn_get(f->store, 1, &back, NULL));
	assert_int_equal(back.state, TURN_INTERRUPTED);
	assert_string_equal(back.words, "");
	assert_string_equal(back.model, "");
	turn_row_finish(&back);
}

/* ---- files ---- */

static void a_turns_directory_is_private_and_a_thousand_share_one(void **state) {
	struct fixture *f = *state;
	char path[4096], expected[128];
	struct stat st;
	assert_true(store_turn_path(f->store, 12345, false, path, sizeof(path), NULL));
	snprintf(expected, sizeof(expected), "%s/turns/000012/12345", f->directory);
	assert_string_equal(path, expected);
	assert_int_equal(stat(path, &st), -1);
	assert_true(store_turn_path(f->store, 12345, true, path, sizeof(path), NULL));
	assert_true(store_turn_path(f->store, 12345, true, path, sizeof(path), NULL));
	assert_string_equal(path, expected);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	cleanup_fail struct fail fail = {0};
	assert_false(store_turn_path(f->store, 0, true, path, sizeof(path), &fail));
	assert_int_equal(fail.code, EINVAL);
	assert_false(store_turn_path(f->store, 1, true, path, 10, &fail));
	assert_int_equal(fail.code, ENAMETOOLONG);
	assert_true(store_turn_path(f->store, INT64_MAX, false, path, sizeof(path), NULL));
}

static void syncing_ends_and_a_missing_turn_does_no_harm(void **state) {
	struct fixture *f = *state;
	char path[4096];
	for (int64_t id = 1; id <= 600; id++) {
		assert_true(id > 20 ||
				store_turn_path(f->store, id, true, path, sizeof(path), NULL));
		store_sync_soon(f->store, id);
		store_sync_soon(f->store, id);
	}
	strcat(path, "/output");
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	double before = seconds_now();
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_true(seconds_now() - before < 30);
}

static void closing_with_a_sync_under_way_is_safe(void **state) {
	struct fixture *f = *state;
	char path[4096];
	bool never = false;
	for (int64_t id = 1; id <= 50; id++) {
		assert_true(store_turn_path(f->store, id, true, path, sizeof(path), NULL));
		store_sync_soon(f->store, id);
	}
	run_until(f, &never, 1000); /* the pool begins now or has just begun */
	store_sync_soon(f->store, 3);
	close_all(f);
	open_store(f);
}

/* ---- the daemon's sudden death ---- */

static void write_turns_for_ever(const struct fixture *f, int out) {
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct store *store = store_open(&loop, f->directory, NULL);
	for (int64_t id = store_turn_last_id(store) + 1; store != NULL; id++) {
		struct turn_row row = row_of(id, 1, id);
		if (!store_turn_insert(store, &row, NULL) ||
				write(out, &id, sizeof(id)) != (ssize_t)sizeof(id)) {
			break;
		}
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	_exit(1);
}

static void every_committed_turn_outlives_a_kill(void **state) {
	struct fixture *f = *state;
	close_all(f);
	int64_t last = 0;
	for (int round = 0; round < 5; round++) {
		int ends[2];
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			write_turns_for_ever(f, ends[1]);
		}
		close(ends[1]);
		int64_t id, goal = last + 100 + round * 37;
		while (last < goal && read(ends[0], &id, sizeof(id)) == (ssize_t)sizeof(id)) {
			assert_int_equal(id, last + 1);
			last = id;
		}
		kill(child, SIGKILL);
		while (read(ends[0], &id, sizeof(id)) == (ssize_t)sizeof(id)) {
			last = id; /* said before it died */
		}
		close(ends[0]);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_true(last >= goal);
		open_store(f);
		assert_null(store_notice(f->store));
		int64_t number;
		assert_true(store_turn_newest(f->store, 1, &number) >= last);
		last = number; /* one more may be committed than was said */
		close_all(f);
		assert_int_equal(sql_number(f, "SELECT count(*)=max(id) FROM turn"), 1);
		assert_int_equal(sql_number(f, "SELECT count(*) FROM pragma_integrity_check "
					       "WHERE integrity_check='ok'"),
				1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(a_turn_comes_back_as_it_was_stored),
			TEST(an_update_changes_only_a_turn_that_is_there),
			TEST(a_number_is_given_once_a_model),
			TEST(turns_are_found_by_number_and_in_order),
			TEST(an_id_is_never_given_again),
			TEST(what_was_under_way_says_interrupted_after_a_start),
			TEST(damaged_rows_are_read_without_harm),
			TEST(a_turns_directory_is_private_and_a_thousand_share_one),
			TEST(syncing_ends_and_a_missing_turn_does_no_harm),
			TEST(closing_with_a_sync_under_way_is_safe),
			TEST(every_committed_turn_outlives_a_kill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
