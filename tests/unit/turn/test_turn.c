/* Turns in memory: numbers, names, files, who is newest, and how many are kept at hand. */
#include "core/turn/turn.h"

#include "core/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define PLACE 7
#define OTHER 8

struct fixture {
	char directory[64];
	uv_loop_t loop;
	struct store *store;
	struct turn_table *table;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void open_all(struct fixture *f) {
	cleanup_fail struct fail fail = {0};
	f->store = store_open(&f->loop, f->directory, &fail);
	if (f->store == NULL) {
		fail_msg("%s", fail_words(&fail));
	}
	f->table = turn_table_create(f->store);
	assert_non_null(f->table);
}

static void close_all(struct fixture *f) {
	turn_table_destroy(take(f->table));
	store_close(take(f->store));
	uv_run(&f->loop, UV_RUN_DEFAULT);
}

static int setup(void **state) {
	struct fixture *f = calloc(1, sizeof(*f));
	strcpy(f->directory, "/tmp/conduitfs-turn-XXXXXX");
	if (mkdtemp(f->directory) == NULL || uv_loop_init(&f->loop) != 0) {
		free(f);
		return -1;
	}
	open_all(f);
	*state = f;
	return 0;
}

static int teardown(void **state) {
	struct fixture *f = *state;
	close_all(f);
	int left = uv_loop_close(&f->loop);
	nftw(f->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return left;
}

static struct turn *create(struct fixture *f, int64_t place, enum turn_kind kind) {
	cleanup_fail struct fail fail = {0};
	struct turn *turn = turn_create(f->table, place, kind, &fail);
	if (turn == NULL) {
		fail_msg("%s", fail_words(&fail));
	}
	return turn;
}

static void store(struct fixture *f, struct turn *turn, enum turn_state state) {
	turn->row.state = state;
	assert_true(store_turn_insert(f->store, &turn->row, NULL));
	turn->stored = true;
}

static bool is_there(struct turn *turn, enum turn_file file) {
	char path[PATH_MAX];
	return turn_file_path(turn, file, path, sizeof(path)) && access(path, F_OK) == 0;
}

static void a_models_turns_are_numbered_from_one(void **state) {
	struct fixture *f = *state;
	char name[TURN_NAME_SIZE];
	cleanup_turn struct turn *first = create(f, PLACE, TURN_REAL);
	cleanup_turn struct turn *other = create(f, OTHER, TURN_REAL);
	cleanup_turn struct turn *second = create(f, PLACE, TURN_REAL);
	assert_int_equal(first->row.number, 1);
	assert_int_equal(second->row.number, 2);
	assert_int_equal(other->row.number, 1);
	assert_true(second->row.id > first->row.id);
	turn_name(second, name);
	assert_string_equal(name, "000002");
	assert_int_equal(turn_find(f->table, PLACE, "000002"), second->row.id);
	assert_int_equal(turn_find(f->table, OTHER, "000002"), 0);
}

static void numbers_go_on_after_a_remount(void **state) {
	struct fixture *f = *state;
	struct turn *first = create(f, PLACE, TURN_REAL);
	int64_t id = first->row.id;
	store(f, first, TURN_DONE);
	turn_release(first);
	/* Never submitted: its number is free again, its id isn't. */
	struct turn *lost = create(f, PLACE, TURN_REAL);
	int64_t lost_id = lost->row.id;
	turn_release(lost);
	close_all(f);
	open_all(f);
	assert_int_equal(turn_newest(f->table, PLACE), id);
	cleanup_turn struct turn *next = create(f, PLACE, TURN_REAL);
	assert_int_equal(next->row.number, 2);
	assert_true(next->row.id > lost_id);
}

static void only_a_turns_own_name_finds_it(void **state) {
	static const char *const wrong[] = {"1", "0000001", "+00001", "000001 ", "00000", "-00001",
			"000000", "", "refused-", "refused-1x", "last"};
	struct fixture *f = *state;
	cleanup_turn struct turn *turn = create(f, PLACE, TURN_REAL);
	assert_int_equal(turn_find(f->table, PLACE, "000001"), turn->row.id);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(turn_find(f->table, PLACE, wrong[i]), 0);
	}
}

static void a_refusal_takes_no_number_and_counts_as_newest(void **state) {
	struct fixture *f = *state;
	char name[TURN_NAME_SIZE];
	cleanup_turn struct turn *refusal = create(f, PLACE, TURN_REFUSAL);
	cleanup_turn struct turn *turn = create(f, OTHER, TURN_REAL);
	assert_int_equal(refusal->row.number, 0);
	assert_int_equal(turn_newest(f->table, PLACE), refusal->row.id);
	turn_name(refusal, name);
	assert_true(strncmp(name, "refused-", 8) == 0);
	assert_int_equal(turn_find(f->table, PLACE, name), refusal->row.id);
	assert_int_equal(turn_find(f->table, OTHER, name), 0);
	cleanup_turn struct turn *next = create(f, PLACE, TURN_REAL);
	assert_int_equal(next->row.number, 1);
}

static void a_note_is_never_the_newest_turn(void **state) {
	struct fixture *f = *state;
	cleanup_turn struct turn *turn = create(f, PLACE, TURN_REAL);
	cleanup_turn struct turn *note = create(f, PLACE, TURN_NOTE);
	cleanup_turn struct turn *dropped = create(f, PLACE, TURN_REAL);
	assert_true(note->row.id > turn->row.id);
	turn_drop(dropped);
	assert_int_equal(turn_newest(f->table, PLACE), turn->row.id);
}

static void a_dropped_turn_leaves_nothing(void **state) {
	struct fixture *f = *state;
	char path[PATH_MAX];
	cleanup_turn struct turn *turn = create(f, PLACE, TURN_REAL);
	assert_true(turn_prompt_write(turn, "x", 1, 0, 10, NULL));
	assert_true(is_there(turn, TURN_PROMPT));
	turn_drop(turn);
	assert_false(is_there(turn, TURN_PROMPT));
	assert_true(turn_file_path(turn, TURN_PROMPT, path, sizeof(path)));
	*strrchr(path, '/') = '\0';
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(turn_find(f->table, PLACE, "000001"), 0);
	assert_int_equal(turn_newest(f->table, PLACE), 0);
}

static void a_prompt_is_written_anywhere_within_its_limit(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	char bytes[8] = {0};
	cleanup_turn struct turn *turn = create(f, PLACE, TURN_REAL);
	assert_true(turn_prompt_write(turn, "world", 5, 3, 8, &fail));
	assert_true(turn_prompt_write(turn, "abc", 3, 0, 8, &fail));
	assert_int_equal(turn_file_size(turn, TURN_PROMPT), 8);
	assert_int_equal(pread(turn_open_file(turn, TURN_PROMPT, false), bytes, 8, 0), 8);
	assert_memory_equal(bytes, "abcworld", 8);
	assert_false(turn_prompt_write(turn, "x", 1, 8, 8, &fail));
	assert_int_equal(fail.code, EFBIG);
	assert_non_null(strstr(fail_words(&fail), "larger than 8 bytes"));
	assert_non_null(strstr(fail_words(&fail), "limits.prompt"));
	assert_false(turn_prompt_write(turn, "x", 1, UINT64_MAX, 8, NULL));
	assert_int_equal(turn_file_size(turn, TURN_PROMPT), 8);
	assert_true(turn_prompt_truncate(turn, 3));
	assert_int_equal(turn_file_size(turn, TURN_PROMPT), 3);
}

struct counter {
	struct turn_watch watch;
	int changes;
	bool leave;
};

static void count_change(struct turn_watch *watch) {
	struct counter *counter = (struct counter *)watch;
	counter->changes++;
	if (counter->leave) {
		list_remove(&watch->link);
	}
}

static void who_watches_is_told_of_each_append_and_may_leave_then(void **state) {
	struct fixture *f = *state;
	cleanup_turn struct turn *turn = create(f, PLACE, TURN_REAL);
	struct counter stays = {.watch.changed = count_change};
	struct counter leaves = {.watch.changed = count_change, .leave = true};
	list_append(&turn->watches, &leaves.watch.link);
	list_append(&turn->watches, &stays.watch.link);
	assert_true(turn_output_append(turn, "one ", 4, NULL));
	assert_true(turn_output_append(turn, "two", 3, NULL));
	assert_int_equal(turn_file_size(turn, TURN_OUTPUT), 7);
	assert_int_equal(stays.changes, 2);
	assert_int_equal(leaves.changes, 1);
	list_remove(&stays.watch.link);
}

static void a_file_is_appended_to_and_emptied(void **state) {
	struct fixture *f = *state;
	cleanup_turn struct turn *turn = create(f, PLACE, TURN_REAL);
	assert_int_equal(turn_open_file(turn, TURN_RESPONSE, false), -1);
	turn_file_empty(turn, TURN_RESPONSE);
	assert_false(is_there(turn, TURN_RESPONSE));
	assert_true(turn_file_append(turn, TURN_RESPONSE, "abc", 3));
	assert_true(turn_file_append(turn, TURN_RESPONSE, "def", 3));
	assert_int_equal(turn_file_size(turn, TURN_RESPONSE), 6);
	turn_file_empty(turn, TURN_RESPONSE);
	assert_int_equal(turn_file_size(turn, TURN_RESPONSE), 0);
	assert_true(turn_file_append(turn, TURN_RESPONSE, "g", 1));
	assert_int_equal(turn_file_size(turn, TURN_RESPONSE), 1);
}

static void a_link_in_the_place_of_a_file_is_not_followed(void **state) {
	struct fixture *f = *state;
	char path[PATH_MAX];
	cleanup_turn struct turn *turn = create(f, PLACE, TURN_REAL);
	assert_true(turn_file_path(turn, TURN_OUTPUT, path, sizeof(path)));
	assert_int_equal(symlink("/etc/passwd", path), 0);
	cleanup_fail struct fail fail = {0};
	assert_false(turn_output_append(turn, "x", 1, &fail));
	assert_int_equal(fail.code, ELOOP);
	assert_int_equal(turn->row.output_size, 0);
}

static void a_write_that_is_too_large_for_the_disk_keeps_what_was_there(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	struct rlimit before, small;
	cleanup_turn struct turn *turn = create(f, PLACE, TURN_REAL);
	assert_true(turn_output_append(turn, "1234", 4, NULL));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 6;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool appended = turn_output_append(turn, "567890", 6, &fail);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(appended);
	assert_int_equal(fail.code, EFBIG);
	assert_non_null(strstr(fail_words(&fail), "state directory"));
	assert_int_equal(turn->row.output_size, 4);
	/* What was written of it before is written over by the next one. */
	assert_true(turn_output_append(turn, "ab", 2, NULL));
	char bytes[6] = {0};
	assert_int_equal(pread(turn_open_file(turn, TURN_OUTPUT, false), bytes, 6, 0), 6);
	assert_memory_equal(bytes, "1234ab", 6);
}

static void the_errno_of_a_turn_follows_from_its_state(void **state) {
	struct fixture *f = *state;
	cleanup_turn struct turn *turn = create(f, PLACE, TURN_REAL);
	assert_false(turn_over(turn));
	assert_int_equal(turn_error(turn), 0);
	turn->unsent = true;
	assert_true(turn_over(turn));
	assert_int_equal(turn_error(turn), ECANCELED);
	turn->unsent = false;
	turn->row.state = TURN_FAILED;
	assert_int_equal(turn_error(turn), EIO);
	turn_set_words(turn, EBUSY, "busy");
	assert_int_equal(turn_error(turn), EBUSY);
	turn->row.state = TURN_CANCELLED;
	assert_int_equal(turn_error(turn), ECANCELED);
	turn->row.state = TURN_DONE;
	assert_int_equal(turn_error(turn), 0);
}

static void a_turn_is_one_object_however_often_it_is_asked_for(void **state) {
	struct fixture *f = *state;
	struct turn *turn = create(f, PLACE, TURN_REAL);
	int64_t id = turn->row.id;
	store(f, turn, TURN_DONE);
	cleanup_turn struct turn *again = turn_get(f->table, id);
	assert_ptr_equal(again, turn);
	assert_int_equal(turn->refs, 2);
	turn_release(turn);
	assert_null(turn_get(f->table, id + 1));
	assert_null(turn_get(f->table, 0));
	assert_null(turn_get(f->table, -1));
	assert_false(turn_known(f->table, id + 1));
	assert_true(turn_known(f->table, id));
}

static void nobody_holds_no_descriptors(void **state) {
	struct fixture *f = *state;
	struct turn *turn = create(f, PLACE, TURN_REAL);
	assert_true(turn_prompt_write(turn, "x", 1, 0, 10, NULL));
	int fd = turn->fds[TURN_PROMPT];
	store(f, turn, TURN_DONE);
	turn_release(turn);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	cleanup_turn struct turn *again = turn_get(f->table, 1);
	assert_true(turn_open_file(again, TURN_PROMPT, false) >= 0);
	assert_true((fcntl(again->fds[TURN_PROMPT], F_GETFD) & FD_CLOEXEC) != 0);
}

static void long_unused_turns_leave_memory_and_come_back_from_the_store(void **state) {
	struct fixture *f = *state;
	for (int i = 0; i < 1000; i++) {
		struct turn *turn = create(f, PLACE, TURN_REAL);
		store(f, turn, TURN_DONE);
		turn_release(turn);
	}
	cleanup_turn struct turn *first = turn_get(f->table, 1);
	assert_non_null(first);
	assert_int_equal(first->row.number, 1);
	assert_int_equal(turn_newest(f->table, PLACE), 1000);
}

static void a_held_turn_stays_however_many_others_come(void **state) {
	struct fixture *f = *state;
	cleanup_turn struct turn *held = create(f, PLACE, TURN_REFUSAL);
	for (int i = 0; i < 1000; i++) {
		turn_release(create(f, OTHER, TURN_REFUSAL));
	}
	cleanup_turn struct turn *again = turn_get(f->table, held->row.id);
	assert_ptr_equal(again, held);
	assert_int_equal(turn_newest(f->table, PLACE), held->row.id);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_models_turns_are_numbered_from_one),
			TEST(numbers_go_on_after_a_remount),
			TEST(only_a_turns_own_name_finds_it),
			TEST(a_refusal_takes_no_number_and_counts_as_newest),
			TEST(a_note_is_never_the_newest_turn),
			TEST(a_dropped_turn_leaves_nothing),
			TEST(a_prompt_is_written_anywhere_within_its_limit),
			TEST(who_watches_is_told_of_each_append_and_may_leave_then),
			TEST(a_file_is_appended_to_and_emptied),
			TEST(a_link_in_the_place_of_a_file_is_not_followed),
			TEST(a_write_that_is_too_large_for_the_disk_keeps_what_was_there),
			TEST(the_errno_of_a_turn_follows_from_its_state),
			TEST(a_turn_is_one_object_however_often_it_is_asked_for),
			TEST(nobody_holds_no_descriptors),
			TEST(long_unused_turns_leave_memory_and_come_back_from_the_store),
			TEST(a_held_turn_stays_however_many_others_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
