/* The database's health: damage is found, set aside and told; its log; another writer. */
#include "core/store/database.h"
#include "core/store/ledger.h"
#include "tests/unit/store/fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static void overwrite(const struct fixture *f, off_t from, size_t size) {
	char path[128], noise[8192];
	snprintf(path, sizeof(path), "%s/conduitfs.db", f->directory);
	memset(noise, 0xa5, sizeof(noise));
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, noise, size, from), size);
}

static void leave_unclean(const struct fixture *f) {
	char path[128];
	snprintf(path, sizeof(path), "%s/lock", f->directory);
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "1\n", 2), 2);
}

static size_t count_aside(const struct fixture *f) {
	size_t n = 0;
	cleanup_closedir DIR *directory = opendir(f->directory);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		n += strncmp(entry->d_name, "conduitfs.db.corrupt-", 21) == 0;
	}
	return n;
}

static void a_file_that_is_no_database_is_set_aside(void **state) {
	struct fixture *f = *state;
	open_store(f);
	close_all(f);
	overwrite(f, 0, 100);
	open_store(f);
	assert_non_null(store_notice(f->store));
	assert_non_null(strstr(store_notice(f->store), "conduitfs.db.corrupt-"));
	assert_int_equal(count_aside(f), 1);
	assert_true(store_setting_set(f->store, 1, "a", "b", NULL));
	close_all(f);
	open_store(f);
	assert_null(store_notice(f->store));
}

static void damage_is_found_after_an_unclean_end(void **state) {
	struct fixture *f = *state;
	open_store(f);
	for (int i = 0; i < 400; i++) {
		char name[300];
		memset(name, 'x', sizeof(name));
		snprintf(name + 280, 20, "%d", i);
		assert_true(store_setting_set(f->store, i, name, name, NULL));
	}
	close_all(f);
	overwrite(f, 20 * 4096, 8192);
	leave_unclean(f);
	open_store(f);
	assert_non_null(store_notice(f->store));
	assert_int_equal(count_aside(f), 1);
}

static void what_can_be_read_of_a_damaged_database_is_carried_over(void **state) {
	struct fixture *f = *state;
	open_store(f);
	for (int64_t i = 1; i <= 400; i++) {
		char name[300];
		memset(name, 'x', sizeof(name));
		snprintf(name + 280, 20, "%d", (int)i);
		struct turn_row row = {.id = i, .place = 70, .number = i, .state = TURN_QUEUED};
		struct ledger_terms terms = {"one", 0};
		row.words = name;
		assert_true(store_turn_insert(f->store, &row, NULL));
		row.state = TURN_DONE;
		row.finished = 1;
		row.cost = 1000;
		assert_true(ledger_end(f->store, &row, &terms, NULL));
	}
	assert_true(store_setting_set(f->store, 1, "budget_day", "2", NULL));
	close_all(f);
	/* The root of a table, and one page somewhere in the middle of another. */
	off_t page = sql_number(f, "SELECT rootpage FROM sqlite_schema WHERE name='health'");
	overwrite(f, (page - 1) * 4096, 4096);
	page = sql_number(f, "SELECT pageno FROM dbstat WHERE name='turn' AND pagetype='leaf' "
			     "LIMIT 1 OFFSET 5");
	overwrite(f, (page - 1) * 4096, 4096);
	leave_unclean(f);
	open_store(f);
	assert_non_null(strstr(store_notice(f->store), "with what could be read of it"));
	struct usage_sum sum;
	assert_true(ledger_sum(f->store, NULL, LEDGER_ALL, &sum));
	assert_int_equal(sum.turns, 400);
	assert_int_equal(sum.cost, 400000);
	struct turn_row first, last;
	assert_true(store_turn_get(f->store, 1, &first, NULL));
	assert_true(store_turn_get(f->store, 400, &last, NULL));
	turn_row_finish(&first);
	turn_row_finish(&last);
	struct seen seen = {0};
	assert_true(store_settings_each(f->store, see_setting, &seen, NULL));
	assert_int_equal(seen.n, 1);
	close_all(f);
	int64_t left = sql_number(f, "SELECT count(*) FROM turn");
	assert_true(left >= 380 && left < 400);
	assert_true(sql_number(f, "SELECT seq FROM sqlite_sequence WHERE name='place'") >= 70);
}

static void a_sound_database_survives_an_unclean_end(void **state) {
	struct fixture *f = *state;
	open_store(f);
	assert_true(store_setting_set(f->store, 1, "a", "b", NULL));
	close_all(f);
	leave_unclean(f);
	open_store(f);
	assert_null(store_notice(f->store));
	struct seen seen = {0};
	assert_true(store_settings_each(f->store, see_setting, &seen, NULL));
	assert_int_equal(seen.n, 1);
}

static void damage_met_while_open_fails_with_words_and_is_checked_next_time(void **state) {
	struct fixture *f = *state;
	open_store(f);
	for (int i = 0; i < 400; i++) {
		char name[300];
		memset(name, 'x', sizeof(name));
		snprintf(name + 280, 20, "%d", i);
		assert_true(store_setting_set(f->store, i, name, name, NULL));
	}
	close_all(f);
	for (off_t page = 40; page < 90; page++) {
		overwrite(f, page * 4096, 4096);
	}
	open_store(f); /* the end was clean: not looked at */
	cleanup_fail struct fail fail = {0};
	struct seen seen = {0};
	assert_false(store_settings_each(f->store, see_setting, &seen, &fail));
	assert_int_equal(fail.code, EIO);
	assert_non_null(strstr(fail.words, "next mount"));
	assert_non_null(strstr(store_notice(f->store), "is damaged"));
	close_all(f);
	open_store(f);
	assert_non_null(store_notice(f->store));
}

static void the_log_is_checkpointed_on_the_pool(void **state) {
	struct fixture *f = *state;
	char path[128], value[60000];
	struct stat st;
	open_store(f);
	snprintf(path, sizeof(path), "%s/conduitfs.db", f->directory);
	memset(value, 'v', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < 50; i++) {
		assert_true(store_setting_set(f->store, i, "big", value, NULL));
	}
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 1 << 20); /* 3 MB so far, in the log only */
	for (int i = 50; i < 100; i++) {
		assert_true(store_setting_set(f->store, i, "big", value, NULL));
	}
	/* The loop ends when the checkpoint and the fsync are done. */
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 4 << 20);
	assert_true(store_setting_set(f->store, 1, "after", "x", NULL));
}

static void another_writer_gives_ebusy_at_once(void **state) {
	struct fixture *f = *state;
	char path[128];
	sqlite3 *db;
	cleanup_fail struct fail fail = {0};
	open_store(f);
	snprintf(path, sizeof(path), "%s/conduitfs.db", f->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_false(store_setting_set(f->store, 1, "a", "b", &fail));
	assert_int_equal(fail.code, EBUSY);
	sqlite3_close(db);
	assert_true(store_setting_set(f->store, 1, "a", "b", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(a_file_that_is_no_database_is_set_aside),
			TEST(damage_is_found_after_an_unclean_end),
			TEST(what_can_be_read_of_a_damaged_database_is_carried_over),
			TEST(a_sound_database_survives_an_unclean_end),
			TEST(damage_met_while_open_fails_with_words_and_is_checked_next_time),
			TEST(the_log_is_checkpointed_on_the_pool),
			TEST(another_writer_gives_ebusy_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
