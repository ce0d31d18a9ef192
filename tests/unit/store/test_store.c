/* The open store: its lock, its versions, settings and links. */
#include "tests/unit/store/fixture.h"

#include "core/store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void a_new_directory_is_made_private(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	char deep[128];
	struct stat st;
	snprintf(deep, sizeof(deep), "%s/a/b", f->directory);
	struct store *store = store_open(&f->loop, deep, &fail);
	assert_non_null(store);
	assert_string_equal(store_directory(store), deep);
	assert_null(store_notice(store));
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	char path[160];
	snprintf(path, sizeof(path), "%s/conduitfs.db", deep);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	store_close(store);
	assert_null(store_open(&f->loop, "relative", &fail));
	assert_int_equal(fail.code, EINVAL);
}

/* Holds the store open until it is killed. */
static void hold_store(struct fixture *f, int ready) {
	open_store(f);
	if (write(ready, "", 1) == 1) {
		pause();
	}
	_exit(1);
}

static void a_directory_that_everybody_writes_is_refused(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	assert_int_equal(chmod(f->directory, 01777), 0);
	assert_null(store_open(&f->loop, f->directory, &fail));
	assert_int_equal(fail.code, EPERM);
	assert_non_null(strstr(fail.words, "chmod 700"));
	struct stat st;
	assert_int_equal(stat(f->directory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
}

static void a_second_store_is_refused_with_the_pid_of_the_first(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	int ends[2];
	char byte, pid[32];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		hold_store(f, ends[1]);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	assert_null(store_open(&f->loop, f->directory, &fail));
	assert_int_equal(fail.code, EBUSY);
	snprintf(pid, sizeof(pid), "pid %d)", (int)child);
	assert_non_null(strstr(fail.words, pid));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	open_store(f); /* its death frees the lock */
	assert_null(store_notice(f->store));
}

static void settings_are_kept_replaced_and_removed(void **state) {
	struct fixture *f = *state;
	open_store(f);
	assert_true(store_setting_set(f->store, 7, "system", "Be brief.\n", NULL));
	assert_true(store_setting_set(f->store, 7, "max_tokens", "10", NULL));
	assert_true(store_setting_set(f->store, 3, "max_tokens", "", NULL));
	assert_true(store_setting_set(f->store, 7, "max_tokens", "20", NULL));
	assert_true(store_setting_set(f->store, 7, "system", NULL, NULL));
	assert_true(store_setting_set(f->store, 9, "never", NULL, NULL));
	close_all(f);
	open_store(f);
	struct seen seen = {0};
	assert_true(store_settings_each(f->store, see_setting, &seen, NULL));
	assert_string_equal(seen.text, "3 max_tokens=;7 max_tokens=20;");
}

static void see_link(void *data, int64_t id, int64_t parent, const char *name, const char *target,
		int64_t made, bool alias) {
	struct seen *seen = data;
	size_t used = strlen(seen->text);
	assert_true(id > 0 && parent > 0 && made > 0);
	snprintf(seen->text + used, sizeof(seen->text) - used, "%s%s->%s;", alias ? "@" : "", name,
			target);
	seen->n++;
}

static void a_replaced_link_gets_a_new_id(void **state) {
	struct fixture *f = *state;
	open_store(f);
	int64_t first, second, third, other;
	assert_true(store_link_set(f->store, 1, "fast", "providers/a", &first, NULL));
	assert_true(store_link_set(f->store, 1, "slow", "providers/b", &other, NULL));
	assert_true(store_link_set(f->store, 1, "fast", "providers/c", &second, NULL));
	assert_true(second > other && other > first);
	assert_true(store_link_set(f->store, 1, "fast", NULL, NULL, NULL));
	assert_true(store_link_set(f->store, 1, "fast", "providers/d", &third, NULL));
	assert_true(third > second);
	struct seen seen = {0};
	assert_true(store_links_each(f->store, see_link, &seen, NULL));
	assert_string_equal(seen.text, "slow->providers/b;fast->providers/d;");
}

static void an_alias_is_told_apart_until_it_is_replaced(void **state) {
	struct fixture *f = *state;
	open_store(f);
	int64_t id;
	struct seen seen = {0};
	assert_true(store_link_set(f->store, 1, "fast", "a", &id, NULL));
	assert_true(store_link_is_alias(f->store, id, NULL));
	assert_true(store_links_each(f->store, see_link, &seen, NULL));
	assert_string_equal(seen.text, "@fast->a;");
	assert_true(store_link_set(f->store, 1, "fast", "b", &id, NULL));
	seen = (struct seen){0};
	assert_true(store_links_each(f->store, see_link, &seen, NULL));
	assert_string_equal(seen.text, "fast->b;");
}

/* ---- versions ---- */

static void an_empty_database_of_ours_is_brought_up_to_date(void **state) {
	struct fixture *f = *state;
	run_sql(f, "PRAGMA application_id=0x63646673; PRAGMA user_version=0; VACUUM");
	open_store(f);
	assert_true(store_setting_set(f->store, 1, "a", "b", NULL));
	close_all(f);
	assert_int_equal(sql_number(f, "PRAGMA user_version"), (int64_t)database_n_steps);
	assert_int_equal(sql_number(f, "PRAGMA application_id"), DATABASE_APPLICATION_ID);
}

static void later_steps_run_once_and_keep_the_rows(void **state) {
	struct fixture *f = *state;
	static const char *const steps[] = {
			"CREATE TABLE a(x INTEGER) STRICT; INSERT INTO a VALUES(1)",
			"ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 5",
			"UPDATE a SET y=y+1",
	};
	char path[128];
	snprintf(path, sizeof(path), "%s/conduitfs.db", f->directory);
	bool broken;
	for (size_t version = 1; version <= 3; version++) {
		cleanup_fail struct fail fail = {0};
		sqlite3 *db = database_connect(path, &broken, &fail);
		assert_non_null(db);
		assert_true(database_migrate(db, path, steps, version, &fail));
		assert_true(database_migrate(db, path, steps, version, &fail));
		sqlite3_close(db);
		assert_int_equal(sql_number(f, "PRAGMA user_version"), version);
	}
	assert_int_equal(sql_number(f, "SELECT sum(x*10+y) FROM a"), 16);
}

static void a_step_that_fails_leaves_the_version_before(void **state) {
	struct fixture *f = *state;
	static const char *const steps[] = {
			"CREATE TABLE a(x)", "INSERT INTO a VALUES(1); nonsense"};
	cleanup_fail struct fail fail = {0};
	char path[128];
	bool broken;
	snprintf(path, sizeof(path), "%s/conduitfs.db", f->directory);
	sqlite3 *db = database_connect(path, &broken, &fail);
	assert_false(database_migrate(db, path, steps, 2, &fail));
	assert_non_null(strstr(fail.words, "nonsense"));
	sqlite3_close(db);
	assert_int_equal(sql_number(f, "PRAGMA user_version"), 1);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM a"), 0);
}

static void a_newer_version_is_refused_and_left_alone(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	run_sql(f, "PRAGMA application_id=0x63646673; PRAGMA user_version=99; CREATE TABLE a(x)");
	assert_null(store_open(&f->loop, f->directory, &fail));
	assert_int_equal(fail.code, EINVAL);
	assert_non_null(strstr(fail.words, "version 99"));
	assert_int_equal(sql_number(f, "PRAGMA user_version"), 99);
}

static void another_programs_database_is_refused(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	run_sql(f, "CREATE TABLE theirs(x)");
	assert_null(store_open(&f->loop, f->directory, &fail));
	assert_int_equal(fail.code, EINVAL);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM sqlite_schema"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(a_new_directory_is_made_private),
			TEST(a_directory_that_everybody_writes_is_refused),
			TEST(a_second_store_is_refused_with_the_pid_of_the_first),
			TEST(settings_are_kept_replaced_and_removed),
			TEST(a_replaced_link_gets_a_new_id),
			TEST(an_alias_is_told_apart_until_it_is_replaced),
			TEST(an_empty_database_of_ours_is_brought_up_to_date),
			TEST(later_steps_run_once_and_keep_the_rows),
			TEST(a_step_that_fails_leaves_the_version_before),
			TEST(a_newer_version_is_refused_and_left_alone),
			TEST(another_programs_database_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
