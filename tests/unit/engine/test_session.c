/* Sessions: the order of their turns, retries, moves and ends. */
#include "core/engine/session/session.h"
#include "core/store/annex.h"
#include "tests/unit/engine/world.h"

#include <errno.h>

static struct place *make(struct world *world, const char *above, const char *name) {
	cleanup_fail struct fail fail = {0};
	struct place *place = session_make(world->engine, place_of(world, above), name, &fail);
	if (place == NULL) {
		fail_msg("%s", fail_words(&fail));
	}
	return place;
}

/* A prompt in a session, not submitted yet. */
static struct turn *write_at(struct world *world, struct place *place, const char *prompt) {
	cleanup_fail struct fail fail = {0};
	struct turn *turn = engine_begin(world->engine, place, me(), false, &fail);
	if (turn == NULL || !turn_prompt_write(turn, prompt, strlen(prompt), 0, 1000, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
	return turn;
}

static struct turn *ask_at(struct world *world, struct place *place, const char *prompt) {
	struct turn *turn = write_at(world, place, prompt);
	engine_submit(world->engine, turn);
	return turn;
}

static void what_is_submitted_last_is_continued_whatever_was_opened_first(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct place *chat = make(world, "local/echo", "chat");
	struct turn *first = write_at(world, chat, "opened first\n");
	struct turn *second = ask_at(world, chat, "sent first\n");
	engine_submit(world->engine, first);
	struct turn *third = ask_at(world, chat, "third\n");
	assert_int_equal(second->row.previous, 0);
	assert_int_equal(first->row.previous, second->row.id);
	assert_int_equal(third->row.previous, first->row.id);
	wait_over(world, third);
	int64_t id = chat->id, last = third->row.id;
	turn_release(first);
	turn_release(second);
	turn_release(third);
	world_close(world);
	world_open(world);
	assert_int_equal(turn_last(world->engine->turns, id), last);
}

static void a_clock_that_is_set_back_doesnt_change_the_order(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct place *chat = make(world, "local/echo", "chat");
	cleanup_turn struct turn *first = ask_at(world, chat, "first\n");
	wait_over(world, first);
	first->row.submitted += INT64_C(3600000000);
	assert_true(store_turn_update(world->engine->store, &first->row, NULL));
	cleanup_turn struct turn *second = ask_at(world, chat, "second\n");
	assert_true(second->row.submitted > first->row.submitted);
	wait_over(world, second);
}

static void one_that_is_cancelled_while_it_waits_lets_nobody_overtake(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct place *chat = make(world, "local/hold", "chat");
	cleanup_turn struct turn *first = ask_at(world, chat, "first\n");
	cleanup_turn struct turn *second = ask_at(world, chat, "second\n");
	cleanup_turn struct turn *third = ask_at(world, chat, "third\n");
	WAIT(world, server_count("holding") == 1);
	assert_true(engine_cancel(world->engine, second, NULL));
	assert_int_equal(third->row.state, TURN_QUEUED);
	assert_int_equal(queue_waits_for(third), first->row.id);
	WAIT(world, (free(server_ask("/release")), turn_over(first)));
	assert_int_equal(third->row.state, TURN_RUNNING);
	assert_true(engine_cancel(world->engine, third, NULL));
}

static void a_retry_of_the_newest_stands_in_its_stead(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct place *chat = make(world, "local/echo", "chat");
	cleanup_turn struct turn *first = ask_at(world, chat, "first\n");
	cleanup_turn struct turn *second = ask_at(world, chat, "second\n");
	wait_over(world, second);
	assert_true(engine_retry(world->engine, second, me(), NULL));
	cleanup_turn struct turn *again = turn_get(
			world->engine->turns, turn_last(world->engine->turns, chat->id));
	assert_int_equal(again->row.previous, first->row.id);
	wait_over(world, again);
	/* An older one's cuts nothing off. */
	assert_true(engine_retry(world->engine, first, me(), NULL));
	cleanup_turn struct turn *last = turn_get(
			world->engine->turns, turn_last(world->engine->turns, chat->id));
	assert_int_equal(last->row.previous, again->row.id);
	wait_over(world, last);
}

static void an_ended_session_leaves_nothing_that_leads_to_it(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct place *chat = make(world, "local/hold", "chat");
	cleanup_turn struct turn *runs = ask_at(world, chat, "first\n");
	cleanup_turn struct turn *waits = ask_at(world, chat, "second\n");
	cleanup_turn struct turn *open = write_at(world, chat, "third\n");
	WAIT(world, server_count("holding") == 1);
	int64_t place = chat->id, id = runs->row.id;
	assert_true(values_set(world->engine->values, place, setting_find("seed"), "1", NULL));
	assert_true(session_end(world->engine, chat, NULL));
	assert_int_equal(runs->row.state, TURN_CANCELLED);
	assert_int_equal(waits->row.state, TURN_CANCELLED);
	assert_int_equal(waits->row.started, 0);
	assert_true(turn_over(open));
	assert_int_equal(turn_error(open), ECANCELED);
	assert_null(turn_get(world->engine->turns, id));
	assert_null(values_own(world->engine->values, place, setting_find("seed")));
	WAIT(world, server_count("hold-closed") == 1);
	struct turn_row row;
	assert_false(store_turn_get(world->engine->store, id, &row, NULL));
	assert_int_equal(server_count("hold"), 1);
}

static void a_session_that_is_under_way_can_be_renamed_but_not_moved(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, LOCAL);
	world_open(world);
	struct place *chat = make(world, "local/hold", "chat"),
		     *other = place_of(world, "local/echo");
	cleanup_turn struct turn *turn = ask_at(world, chat, "q\n");
	assert_null(session_move(world->engine, chat, other, "chat", &fail));
	assert_int_equal(fail.code, EBUSY);
	assert_holds(fail_words(&fail), "turns of the session are under way (1)");
	chat = session_move(world->engine, chat, chat->parent, "talk", NULL);
	assert_non_null(chat);
	assert_true(engine_cancel(world->engine, turn, NULL));
	chat = session_move(world->engine, chat, other, "talk", NULL);
	assert_non_null(chat);
	cleanup_turn struct turn *next = ask_at(world, chat, "after\n");
	wait_over(world, next);
	assert_output(next, "after\n");
	assert_int_equal(next->row.previous, turn->row.id);
}

static void sessions_are_of_models_alone(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, LOCAL);
	world_open(world);
	struct place *chat = make(world, "local/echo", "chat");
	struct place *const wrong[] = {
			chat, place_of(world, "local"), place_of(world, "local/maker")};
	for (size_t i = 0; i < 3; i++) {
		assert_null(session_make(world->engine, wrong[i], "x", &fail));
		assert_int_equal(fail.code, EPERM);
	}
	assert_null(session_move(world->engine, chat, place_of(world, "local"), "x", &fail));
	assert_int_equal(fail.code, EPERM);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(what_is_submitted_last_is_continued_whatever_was_opened_first),
			TEST(a_clock_that_is_set_back_doesnt_change_the_order),
			TEST(one_that_is_cancelled_while_it_waits_lets_nobody_overtake),
			TEST(a_retry_of_the_newest_stands_in_its_stead),
			TEST(an_ended_session_leaves_nothing_that_leads_to_it),
			TEST(a_session_that_is_under_way_can_be_renamed_but_not_moved),
			TEST(sessions_are_of_models_alone),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
