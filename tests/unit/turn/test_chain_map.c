/* Whose turn: chains recorded of real and of invented processes, and who is led where. */
#include "core/turn/chain_map.h"

#include "tests/unit/turn/child.h"

enum { PLACE = 5, OTHER_PLACE = 6 };

static struct chain invented(int32_t pid) {
	return (struct chain){.n = 1, .ids = {{.pid = pid, .start = 1}}};
}

static int setup(void **state) {
	*state = chain_map_create(CHAIN_MAP_MOST);
	return *state == NULL;
}

static int teardown(void **state) {
	chain_map_destroy(*state);
	return 0;
}

static void record_of(struct chain_map *map, pid_t id, int64_t turn) {
	struct chain chain;
	chain_capture(id, &chain);
	assert_true(chain.n > 0);
	assert_true(chain_map_record(map, PLACE, &chain, turn));
}

/* 0: nothing known. */
static int64_t resolved(struct chain_map *map, pid_t id) {
	int64_t turn = 0;
	return chain_map_resolve(map, PLACE, id, &turn) ? turn : 0;
}

static void a_process_reads_its_own_turn_not_a_newer_one_of_a_sibling(void **state) {
	pid_t one = fork_pausing(), two = fork_pausing();
	record_of(*state, one, 1);
	record_of(*state, two, 2);
	assert_int_equal(resolved(*state, one), 1);
	assert_int_equal(resolved(*state, two), 2);
	end_child(one);
	end_child(two);
}

static void a_parent_reads_the_newest_of_its_children(void **state) {
	pid_t one = fork_pausing(), two = fork_pausing();
	record_of(*state, one, 1);
	record_of(*state, two, 2);
	assert_int_equal(resolved(*state, getpid()), 2);
	record_of(*state, one, 3);
	assert_int_equal(resolved(*state, getpid()), 3);
	assert_int_equal(resolved(*state, two), 2);
	end_child(one);
	end_child(two);
}

/* As `cp q input; $(cat output)` in one of several shells: neither wrote or reads itself. */
static void a_reader_is_led_by_the_nearest_ancestor_that_its_writer_shares(void **state) {
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t shells[2];
	int32_t writers[2], readers[2];
	for (int i = 0; i < 2; i++) {
		shells[i] = fork_bounded();
		if (shells[i] == 0) {
			send_value(ends[1], fork_pausing());
			send_value(ends[1], fork_pausing());
			pause();
			_exit(0);
		}
		writers[i] = receive(ends[0]);
		readers[i] = receive(ends[0]);
	}
	record_of(*state, writers[0], 1);
	record_of(*state, writers[1], 2);
	assert_int_equal(resolved(*state, readers[0]), 1);
	assert_int_equal(resolved(*state, readers[1]), 2);
	for (int i = 0; i < 2; i++) {
		end_child(shells[i]);
		close(ends[i]);
	}
}

static void a_writer_that_has_exited_still_leads_its_shell_to_its_turn(void **state) {
	pid_t writer = fork_pausing();
	struct chain stranger = invented(1 << 22);
	record_of(*state, writer, 1);
	end_child(writer);
	chain_map_record(*state, PLACE, &stranger, 2);
	assert_int_equal(resolved(*state, getpid()), 1);
}

static void nothing_is_known_where_nothing_was_recorded(void **state) {
	struct chain chain = invented(10);
	assert_int_equal(resolved(*state, getpid()), 0);
	chain_map_record(*state, OTHER_PLACE, &chain, 1);
	assert_int_equal(resolved(*state, getpid()), 0);
}

static void with_one_answer_possible_anyone_gets_it_without_a_look_at_proc(void **state) {
	struct chain chain = {.n = 2, .ids = {{.pid = 10, .start = 1}, {.pid = 11, .start = 1}}};
	chain_map_record(*state, PLACE, &chain, 1);
	chain_map_record(*state, PLACE, &chain, 2);
	assert_int_equal(resolved(*state, 0), 2);
}

static void an_unrelated_reader_of_two_chains_matches_none(void **state) {
	struct chain one = invented(10), two = invented(11);
	chain_map_record(*state, PLACE, &one, 1);
	chain_map_record(*state, PLACE, &two, 2);
	assert_int_equal(resolved(*state, getpid()), 0);
	assert_int_equal(resolved(*state, 0), 0);
}

static void a_turn_of_unknown_origin_belongs_to_no_recorded_process(void **state) {
	struct chain nobody = {0}, stranger = invented(10);
	chain_map_record(*state, PLACE, &nobody, 1);
	assert_int_equal(resolved(*state, getpid()), 0);
	record_of(*state, getpid(), 2);
	chain_map_record(*state, PLACE, &nobody, 3);
	assert_int_equal(resolved(*state, getpid()), 2);
	assert_int_equal(resolved(*state, 0), 0);
	chain_map_record(*state, OTHER_PLACE, &stranger, 4);
	assert_int_equal(resolved(*state, getpid()), 2);
}

static void a_pid_used_again_is_another_process(void **state) {
	struct chain chain, stranger = invented(10);
	chain_capture(getpid(), &chain);
	chain.n = 1;
	chain.ids[0].start--;
	chain_map_record(*state, PLACE, &chain, 1);
	chain_map_record(*state, PLACE, &stranger, 2);
	assert_int_equal(resolved(*state, getpid()), 0);
}

static void a_turn_taken_back_uncovers_the_one_before_it(void **state) {
	struct chain stranger = invented(10);
	record_of(*state, getpid(), 1);
	record_of(*state, getpid(), 2);
	record_of(*state, getpid(), 3);
	chain_map_forget(*state, PLACE, 3);
	assert_int_equal(resolved(*state, getpid()), 2);
	chain_map_record(*state, PLACE, &stranger, 4);
	chain_map_forget(*state, PLACE, 2);
	assert_int_equal(resolved(*state, getpid()), 1);
	chain_map_forget(*state, PLACE, 1);
	assert_int_equal(resolved(*state, getpid()), 0);
	chain_map_forget(*state, PLACE, 4);
	chain_map_forget(*state, PLACE, 4);
	assert_int_equal(resolved(*state, getpid()), 0);
}

static void a_process_whose_only_turn_was_taken_back_asks_its_parents(void **state) {
	pid_t child = fork_pausing(), other = fork_pausing();
	struct chain stranger = invented(10);
	record_of(*state, other, 1);
	record_of(*state, child, 2);
	chain_map_record(*state, PLACE, &stranger, 3);
	chain_map_forget(*state, PLACE, 2);
	assert_int_equal(resolved(*state, child), 1);
	end_child(child);
	end_child(other);
}

static void a_turn_recorded_twice_is_taken_back_once(void **state) {
	struct chain stranger = invented(10);
	record_of(*state, getpid(), 1);
	record_of(*state, getpid(), 2);
	record_of(*state, getpid(), 2);
	chain_map_record(*state, PLACE, &stranger, 3);
	chain_map_forget(*state, PLACE, 2);
	assert_int_equal(resolved(*state, getpid()), 1);
}

static void above_the_bound_the_longest_unrecorded_are_forgotten(void **state) {
	(void)state;
	enum { MOST = 40000 };
	struct chain_map *map = chain_map_create(MOST);
	assert_non_null(map);
	struct chain stranger = invented(1 << 22);
	record_of(map, getpid(), 1);
	chain_map_record(map, PLACE, &stranger, 2);
	for (int32_t i = 0; i < MOST - CHAIN_MOST - 1; i++) {
		struct chain chain = invented(i + 2);
		assert_true(chain_map_record(map, OTHER_PLACE + i % 7, &chain, i + 3));
	}
	assert_int_equal(resolved(map, getpid()), 1);
	for (int32_t i = 0; i < MOST; i++) {
		struct chain chain = invented(i + 100000);
		assert_true(chain_map_record(map, OTHER_PLACE + i % 7, &chain, i + 100000));
	}
	assert_int_equal(resolved(map, getpid()), 0);
	record_of(map, getpid(), 200000);
	assert_int_equal(resolved(map, getpid()), 200000);
	chain_map_destroy(map);
}

static void destroying_nothing_is_fine(void **state) {
	(void)state;
	chain_map_destroy(NULL);
}

#define with_map(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			with_map(a_process_reads_its_own_turn_not_a_newer_one_of_a_sibling),
			with_map(a_parent_reads_the_newest_of_its_children),
			with_map(a_reader_is_led_by_the_nearest_ancestor_that_its_writer_shares),
			with_map(a_writer_that_has_exited_still_leads_its_shell_to_its_turn),
			with_map(nothing_is_known_where_nothing_was_recorded),
			with_map(with_one_answer_possible_anyone_gets_it_without_a_look_at_proc),
			with_map(an_unrelated_reader_of_two_chains_matches_none),
			with_map(a_turn_of_unknown_origin_belongs_to_no_recorded_process),
			with_map(a_pid_used_again_is_another_process),
			with_map(a_turn_taken_back_uncovers_the_one_before_it),
			with_map(a_process_whose_only_turn_was_taken_back_asks_its_parents),
			with_map(a_turn_recorded_twice_is_taken_back_once),
			cmocka_unit_test(above_the_bound_the_longest_unrecorded_are_forgotten),
			cmocka_unit_test(destroying_nothing_is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
