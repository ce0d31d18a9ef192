/* Forgetting turns: with the session that they belong to, or one alone; rows, then files. */
#include "core/store/annex.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static int64_t last_id;

/* A turn of a place with a prompt and a directory in its directory. */
static int64_t add_turn(struct fixture *f, int64_t place, int64_t number) {
	cleanup_fail struct fail fail = {0};
	char path[4096], name[4200];
	struct turn_row row = {.id = ++last_id,
			.place = place,
			.number = number,
			.submitted = number,
			.state = TURN_DONE};
	if (!store_turn_path(f->store, row.id, true, path, sizeof(path), &fail) ||
			!store_turn_insert(f->store, &row, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
	snprintf(name, sizeof(name), "%s/prompt", path);
	close(open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	snprintf(name, sizeof(name), "%s/artifacts", path);
	mkdir(name, 0700);
	snprintf(name, sizeof(name), "%s/artifacts/1.png", path);
	close(open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	return row.id;
}

static bool has_files(struct fixture *f, int64_t turn) {
	char path[4096];
	struct stat st;
	assert_true(store_turn_path(f->store, turn, false, path, sizeof(path), NULL));
	return stat(path, &st) == 0;
}

static bool has_row(struct fixture *f, int64_t turn) {
	struct turn_row row;
	bool there = store_turn_get(f->store, turn, &row, NULL);
	if (there) {
		turn_row_finish(&row);
	}
	return there;
}

/* Turns the loop until a turn has no files; false after 10 s. */
static bool files_go(struct fixture *f, int64_t turn) {
	double until = seconds_now() + 10;
	while (has_files(f, turn) && seconds_now() < until) {
		run_round(f);
	}
	return !has_files(f, turn);
}

static struct place *session(struct fixture *f, const char *name) {
	struct place *acme = provider_of(f, "acme");
	refresh_list(f, acme, "one");
	struct place *place = annex_make(f->catalogue, at(acme, "one"), PLACE_SESSION, name, NULL);
	assert_non_null(place);
	return place;
}

static void what_a_session_was_goes_with_it_and_nothing_else(void **state) {
	struct fixture *f = *state;
	struct place *chat = session(f, "chat"), *other = session(f, "other");
	int64_t first = add_turn(f, chat->id, 1), second = add_turn(f, chat->id, 2);
	int64_t kept = add_turn(f, other->id, 1), model = add_turn(f, chat->parent->id, 1);
	int64_t id = chat->id;
	assert_true(store_setting_set(f->store, id, "seed", "1", NULL));
	assert_true(store_setting_set(f->store, other->id, "seed", "2", NULL));
	assert_true(annex_remove(f->catalogue, chat, NULL));
	/* A few rows go at once. */
	assert_false(has_row(f, first));
	assert_false(has_row(f, second));
	assert_true(files_go(f, first));
	assert_true(files_go(f, second));
	assert_true(has_row(f, kept) && has_files(f, kept));
	assert_true(has_row(f, model) && has_files(f, model));
	double until = seconds_now() + 10;
	while (sql_number(f, "SELECT count(*) FROM forgotten") != 0) {
		assert_true(seconds_now() < until);
		run_round(f);
	}
	assert_int_equal(sql_number(f, "SELECT count(*) FROM setting WHERE name='seed'"), 1);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM ended"), 0);
}

static void a_long_session_goes_in_slices(void **state) {
	struct fixture *f = *state;
	struct place *chat = session(f, "chat");
	int64_t place = chat->id, last = 0;
	for (int64_t i = 1; i <= 500; i++) {
		last = add_turn(f, place, i);
	}
	assert_true(annex_remove(f->catalogue, chat, NULL));
	assert_true(store_turn_last(f->store, place) != 0);
	assert_true(files_go(f, last));
	assert_int_equal(store_turn_last(f->store, place), 0);
}

static void what_a_crash_left_is_forgotten_at_the_next_start(void **state) {
	struct fixture *f = *state;
	struct place *chat = session(f, "chat");
	int64_t first = add_turn(f, chat->id, 1), second = add_turn(f, chat->id, 2);
	char sql[128];
	snprintf(sql, sizeof(sql), "DELETE FROM place WHERE id=%lld", (long long)chat->id);
	close_all(f);
	/* As if it died between two slices. */
	run_sql(f, sql);
	snprintf(sql, sizeof(sql), "DELETE FROM turn WHERE id=%lld", (long long)first);
	run_sql(f, sql);
	open_store(f);
	assert_true(files_go(f, first));
	assert_true(files_go(f, second));
	assert_false(has_row(f, second));
}

static void one_turn_can_be_forgotten_alone(void **state) {
	struct fixture *f = *state;
	open_store(f);
	int64_t first = add_turn(f, 1, 1), second = add_turn(f, 1, 2);
	assert_true(store_turn_forget(f->store, first, NULL));
	assert_false(has_row(f, first));
	assert_true(files_go(f, first));
	assert_true(has_row(f, second) && has_files(f, second));
	/* And is not found again, nor its id given out once more. */
	assert_true(store_turn_forget(f->store, second, NULL));
	assert_true(files_go(f, second));
	close_all(f);
	open_store(f);
	assert_true(store_turn_last_id(f->store) >= second);
}

static void names_and_memory_of_ended_sessions_are_used_again(void **state) {
	struct fixture *f = *state;
	struct place *one = session(f, "first")->parent;
	char name[32];
	/* So that many names stand in each other's way. */
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_non_null(annex_make(f->catalogue, one, PLACE_SESSION, name, NULL));
	}
	for (int i = 0; i < 1000; i += 2) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_true(annex_remove(f->catalogue, annex_find(one, PLACE_SESSION, name), NULL));
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(annex_find(one, PLACE_SESSION, name) != NULL, i % 2);
	}
	assert_int_equal(annex_count(one, PLACE_SESSION), 501);
	run_round(f);
	assert_non_null(annex_make(f->catalogue, one, PLACE_SESSION, "s0", NULL));
}

static void the_last_submitted_isnt_always_the_highest_number(void **state) {
	struct fixture *f = *state;
	open_store(f);
	int64_t first = add_turn(f, 7, 1);
	struct turn_row row;
	add_turn(f, 7, 2);
	assert_true(store_turn_get(f->store, first, &row, NULL));
	row.submitted = 3;
	row.imported = true;
	row.origin = 5;
	assert_true(store_turn_update(f->store, &row, NULL));
	turn_row_finish(&row);
	assert_int_equal(store_turn_last(f->store, 7), first);
	assert_int_equal(store_turn_last(f->store, 8), 0);
	assert_true(store_turn_get(f->store, first, &row, NULL));
	assert_true(row.imported);
	assert_int_equal(row.origin, 5);
	turn_row_finish(&row);
}

static int setup_own(void **state) {
	last_id = 0;
	return setup_catalogue(state);
}

static int setup_closed(void **state) {
	last_id = 0;
	return setup(state);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_own, teardown)
#define ALONE(name) cmocka_unit_test_setup_teardown(name, setup_closed, teardown)
	const struct CMUnitTest tests[] = {
			TEST(what_a_session_was_goes_with_it_and_nothing_else),
			TEST(a_long_session_goes_in_slices),
			TEST(what_a_crash_left_is_forgotten_at_the_next_start),
			ALONE(one_turn_can_be_forgotten_alone),
			TEST(names_and_memory_of_ended_sessions_are_used_again),
			ALONE(the_last_submitted_isnt_always_the_highest_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
