/* Prompts that were being written when the daemon died: none is lost, none is made up. */
#include "core/store/annex.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE PLACE_ROOT_ID /* any that is there */

static void write_prompt_at(
		struct fixture *f, int64_t id, int64_t place, int64_t number, const char *text) {
	char path[4200];
	assert_true(store_turn_path(f->store, id, true, path, 4096, NULL));
	assert_true(store_turn_claim(f->store, id, place, number, NULL));
	strcat(path, "/prompt");
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void write_prompt(struct fixture *f, int64_t id, int64_t number, const char *text) {
	write_prompt_at(f, id, PLACE, number, text);
}

static bool has_directory(struct fixture *f, int64_t id) {
	char path[4096];
	struct stat about;
	assert_true(store_turn_path(f->store, id, false, path, sizeof(path), NULL));
	return stat(path, &about) == 0;
}

static void reopen(struct fixture *f) {
	close_all(f);
	open_store(f);
}

static void a_prompt_without_a_row_becomes_an_interrupted_turn(void **state) {
	struct fixture *f = *state;
	struct turn_row row;
	write_prompt(f, 1, 1, "a question");
	reopen(f);
	assert_int_equal(store_turns_adopt(f->store), 1);
	assert_true(store_turn_get(f->store, 1, &row, NULL));
	assert_int_equal(row.place, PLACE);
	assert_int_equal(row.number, 1);
	assert_int_equal(row.state, TURN_INTERRUPTED);
	assert_int_equal(row.prompt_size, strlen("a question"));
	assert_int_equal(row.code, EIO);
	assert_int_equal(row.cost, 0);
	turn_row_finish(&row);
	/* Once. */
	reopen(f);
	assert_int_equal(store_turns_adopt(f->store), 0);
}

static void a_number_that_was_given_away_is_replaced(void **state) {
	struct fixture *f = *state;
	struct turn_row row;
	write_prompt(f, 1, 1, "first");
	write_prompt(f, 2, 1, "second");
	reopen(f);
	assert_int_equal(store_turns_adopt(f->store), 2);
	/* In either order. */
	int64_t numbers = 0;
	for (int64_t id = 1; id <= 2; id++) {
		assert_true(store_turn_get(f->store, id, &row, NULL));
		assert_true(row.number == 1 || row.number == 2);
		numbers += row.number;
		turn_row_finish(&row);
	}
	assert_int_equal(numbers, 3);
}

static void in_a_session_it_goes_on_from_what_was_submitted_last(void **state) {
	struct fixture *f = *state;
	struct turn_row row;
	close_all(f);
	open_catalogue(f);
	struct place *acme = provider_of(f, "acme");
	refresh_list(f, acme, "one");
	int64_t chat = annex_make(f->catalogue, at(acme, "one"), PLACE_SESSION, "s", NULL)->id;
	/* Submitted by a clock that was set back since. */
	const struct turn_row last = {.id = 2,
			.place = chat,
			.number = 2,
			.state = TURN_DONE,
			.submitted = INT64_MAX / 2,
			.words = "",
			.finish = "",
			.model = "",
			.provider = "",
			.cost_source = ""};
	assert_true(store_turn_insert(f->store, &last, NULL));
	write_prompt_at(f, 3, chat, 3, "a question");
	close_all(f);
	open_store(f);
	assert_int_equal(store_turns_adopt(f->store), 1);
	assert_true(store_turn_get(f->store, 3, &row, NULL));
	assert_int_equal(row.previous, 2);
	assert_int_equal(store_turn_last(f->store, chat), 3);
	turn_row_finish(&row);
}

static void what_holds_nothing_is_removed(void **state) {
	struct fixture *f = *state;
	write_prompt(f, 1, 1, "");
	reopen(f);
	assert_int_equal(store_turns_adopt(f->store), 0);
	assert_false(has_directory(f, 1));
}

static void a_place_that_has_ended_takes_its_prompts_along(void **state) {
	struct fixture *f = *state;
	char path[4096];
	assert_true(store_turn_path(f->store, 1, true, path, sizeof(path), NULL));
	assert_true(store_turn_claim(f->store, 1, 4711, 1, NULL));
	reopen(f);
	assert_int_equal(store_turns_adopt(f->store), 0);
	assert_false(has_directory(f, 1));
}

static void a_turn_with_a_row_stays_as_it_is(void **state) {
	struct fixture *f = *state;
	static char nothing[] = "";
	struct turn_row row = {.id = 1,
			.place = PLACE,
			.number = 1,
			.state = TURN_QUEUED,
			.words = nothing,
			.finish = nothing,
			.model = nothing,
			.provider = nothing,
			.cost_source = nothing,
			.cost = -1};
	write_prompt(f, 1, 1, "sent");
	assert_true(store_turn_insert(f->store, &row, NULL));
	reopen(f);
	assert_int_equal(store_turns_adopt(f->store), 0);
	assert_true(store_turn_get(f->store, 1, &row, NULL));
	assert_int_equal(row.state, TURN_QUEUED);
	turn_row_finish(&row);
}

static void directories_of_strangers_do_no_harm(void **state) {
	struct fixture *f = *state;
	char path[4096];
	static const char *const names[] = {"turns", "turns/000000", "turns/000000/5",
			"turns/9000000000000000", "turns/9000000000000000/9000000000000000001",
			"turns/x"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->directory, names[i]);
		mkdir(path, 0700);
	}
	snprintf(path, sizeof(path), "%s/turns/000000/5/unsubmitted", f->directory);
	assert_int_equal(symlink("nonsense", path), 0);
	write_prompt(f, 3, 1, "real");
	reopen(f);
	assert_int_equal(store_turns_adopt(f->store), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(a_prompt_without_a_row_becomes_an_interrupted_turn),
			TEST(a_number_that_was_given_away_is_replaced),
			TEST(in_a_session_it_goes_on_from_what_was_submitted_last),
			TEST(what_holds_nothing_is_removed),
			TEST(a_place_that_has_ended_takes_its_prompts_along),
			TEST(a_turn_with_a_row_stays_as_it_is),
			TEST(directories_of_strangers_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
