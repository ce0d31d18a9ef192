/* The queue: order, how many run side by side, how many may wait, and cancelling. */
#include "tests/unit/engine/world.h"

#include <errno.h>

static bool may_submit(struct world *world, const char *path, struct fail *fail) {
	return engine_may_submit(world->engine, place_of(world, path), fail);
}

static void as_many_run_as_concurrent_says_and_the_rest_wait(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("concurrent: 2"));
	world_open(world);
	struct turn *turns[5];
	for (int i = 0; i < 5; i++) {
		turns[i] = ask(world, "local/hold", "q\n");
	}
	size_t running, queued;
	queue_count(world->engine, turns[0]->row.place, &running, &queued);
	assert_int_equal(running, 2);
	assert_int_equal(queued, 3);
	WAIT(world, server_count("holding") == 2);
	assert_int_equal(server_count("hold"), 2);
	for (int i = 0; i < 5; i++) {
		WAIT(world, (free(server_ask("/release")), turn_over(turns[i])));
		assert_output(turns[i], "so far and on\n");
	}
	/* In the order in which they were submitted. */
	for (int i = 1; i < 5; i++) {
		assert_true(turns[i]->row.started >= turns[i - 1]->row.started);
	}
	for (int i = 0; i < 5; i++) {
		turn_release(turns[i]);
	}
}

static void a_full_queue_refuses_at_the_opening_and_accepts_what_was_opened(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, "limits: {queue: 2}\n" LOCAL_WITH("concurrent: 1"));
	world_open(world);
	struct turn *turns[4];
	turns[3] = begin(world, "local/echo", "late\n", 5);
	for (int i = 0; i < 3; i++) {
		assert_true(may_submit(world, "local/hold", &fail));
		turns[i] = ask(world, "local/hold", "q\n");
	}
	assert_false(may_submit(world, "local/hold", &fail));
	assert_int_equal(fail.code, EBUSY);
	assert_holds(fail_words(&fail), "2 turns wait for local already; limits.queue");
	engine_submit(world->engine, turns[3]);
	assert_int_equal(turns[3]->row.state, TURN_QUEUED);
	for (int i = 0; i < 3; i++) {
		assert_true(engine_cancel(world->engine, turns[i], NULL));
	}
	wait_over(world, turns[3]);
	assert_output(turns[3], "late\n");
	assert_true(may_submit(world, "local/hold", NULL));
	for (int i = 0; i < 4; i++) {
		turn_release(turns[i]);
	}
}

static void with_a_queue_of_0_a_turn_that_may_run_at_once_is_taken(void **state) {
	struct world *world = *state;
	config_write(world, "limits: {queue: 0}\n" LOCAL_WITH("concurrent: 1"));
	world_open(world);
	assert_true(may_submit(world, "local/hold", NULL));
	cleanup_turn struct turn *turn = ask(world, "local/hold", "q\n");
	assert_false(may_submit(world, "local/hold", NULL));
	assert_true(engine_cancel(world->engine, turn, NULL));
	assert_true(may_submit(world, "local/hold", NULL));
}

static void a_queued_turn_that_is_cancelled_is_never_sent(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("concurrent: 1"));
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/hold", "q\n");
	cleanup_turn struct turn *second = ask(world, "local/echo", "q\n");
	assert_int_equal(second->row.state, TURN_QUEUED);
	assert_true(engine_cancel(world->engine, second, NULL));
	assert_int_equal(second->row.state, TURN_CANCELLED);
	WAIT(world, server_count("holding") == 1);
	free(server_ask("/release"));
	wait_over(world, first);
	assert_output(first, "so far and on\n");
	assert_int_equal(server_count("echo"), 0);
}

static void a_running_turn_that_is_cancelled_keeps_its_bytes_and_closes_its_connection(
		void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/hold", "q\n");
	WAIT(world, turn->row.output_size != 0);
	assert_true(engine_cancel(world->engine, turn, &fail));
	assert_int_equal(turn->row.state, TURN_CANCELLED);
	cleanup_free char *output = text_of(turn, TURN_OUTPUT);
	assert_string_equal(output, "so far ");
	WAIT(world, server_count("hold-closed") == 1);
	assert_false(engine_cancel(world->engine, turn, &fail));
	assert_int_equal(fail.code, ESRCH);
	assert_holds(fail_words(&fail), "turn 000001 is over");
}

struct canceller {
	struct turn_watch watch;
	struct world *world;
	struct turn *turn, *other;
};

static void cancel_other(struct turn_watch *watch) {
	struct canceller *canceller = (struct canceller *)watch;
	if (turn_over(canceller->turn)) {
		list_remove(&watch->link);
		engine_cancel(canceller->world->engine, canceller->other, NULL);
	}
}

static void who_is_told_of_an_end_may_cancel_another_turn(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("concurrent: 1"));
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/echo", "one\n");
	cleanup_turn struct turn *second = ask(world, "local/echo", "two\n");
	cleanup_turn struct turn *third = ask(world, "local/echo", "three\n");
	struct canceller canceller = {{.changed = cancel_other}, world, first, second};
	list_append(&first->watches, &canceller.watch.link);
	wait_over(world, third);
	assert_output(first, "one\n");
	assert_int_equal(second->row.state, TURN_CANCELLED);
	assert_output(third, "three\n");
	assert_int_equal(server_count("echo"), 2);
}

static void who_is_told_that_the_engine_stops_may_cancel_another_turn(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct turn *first = ask(world, "local/hold", "one\n");
	struct turn *second = ask(world, "local/hold", "two\n");
	struct turn *third = ask(world, "local/hold", "three\n");
	struct canceller canceller = {{.changed = cancel_other}, world, first, second};
	list_append(&first->watches, &canceller.watch.link);
	engine_stop(world->engine);
	assert_int_equal(first->row.state, TURN_INTERRUPTED);
	assert_int_equal(second->row.state, TURN_CANCELLED);
	assert_int_equal(third->row.state, TURN_INTERRUPTED);
	turn_release(first);
	turn_release(second);
	turn_release(third);
}

static void a_turn_waits_for_the_one_it_continues_while_others_pass(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/hold", "one\n");
	cleanup_turn struct turn *second = ask_on(world, "local/hold", "two\n");
	cleanup_turn struct turn *other = ask(world, "local/echo", "passing\n");
	wait_over(world, other);
	assert_output(other, "passing\n");
	assert_int_equal(second->row.state, TURN_QUEUED);
	assert_true(engine_cancel(world->engine, first, NULL));
	wait_state(world, second, TURN_RUNNING);
	WAIT(world, (free(server_ask("/release")), turn_over(second)));
	assert_output(second, "so far and on\n");
}

static void many_turns_that_fail_at_once_all_end(void **state) {
	struct world *world = *state;
	config_write(world, "limits: {queue: 2000}\n" LOCAL_WITH("concurrent: 1"));
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/hold", "q\n");
	struct turn *bad[1000];
	for (int i = 0; i < 1000; i++) {
		bad[i] = begin(world, "local/echo", "\xff", 1);
		engine_submit(world->engine, bad[i]);
	}
	/* Each ends as soon as it begins; none may stand on another's stack. */
	assert_true(engine_cancel(world->engine, first, NULL));
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(turn_error(bad[i]), EINVAL);
		turn_release(bad[i]);
	}
	assert_int_equal(provider_of(world, "local")->n_queued, 0);
	assert_int_equal(provider_of(world, "local")->n_running, 0);
}

static void a_turn_in_the_queue_keeps_the_settings_of_its_submission(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/odd"));
	world_open(world);
	struct place *place = place_of(world, "odd/settings");
	int top_k = setting_find("top_k");
	cleanup_turn struct turn *polls = ask(world, "odd/poll", "q\n");
	cleanup_turn struct turn *others = ask(world, "odd/poll", "q\n");
	values_set(world->engine->values, place->id, top_k, "7", NULL);
	cleanup_turn struct turn *turn = ask(world, "odd/settings", "q\n");
	assert_int_equal(turn->row.state, TURN_QUEUED);
	values_set(world->engine->values, place->id, top_k, "9", NULL);
	assert_true(engine_cancel(world->engine, polls, NULL));
	wait_over(world, turn);
	assert_output(turn, "top_k=7\nmax_tokens=3984\n");
	assert_true(engine_cancel(world->engine, others, NULL));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(as_many_run_as_concurrent_says_and_the_rest_wait),
			TEST(a_full_queue_refuses_at_the_opening_and_accepts_what_was_opened),
			TEST(with_a_queue_of_0_a_turn_that_may_run_at_once_is_taken),
			TEST(a_queued_turn_that_is_cancelled_is_never_sent),
			TEST(a_running_turn_that_is_cancelled_keeps_its_bytes_and_closes_its_connection),
			TEST(who_is_told_of_an_end_may_cancel_another_turn),
			TEST(who_is_told_that_the_engine_stops_may_cancel_another_turn),
			TEST(a_turn_waits_for_the_one_it_continues_while_others_pass),
			TEST(many_turns_that_fail_at_once_all_end),
			TEST(a_turn_in_the_queue_keeps_the_settings_of_its_submission),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
