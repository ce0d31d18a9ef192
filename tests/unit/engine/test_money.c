/* What turns cost, and that the books say so whatever becomes of a turn. */
#include "tests/unit/engine/world.h"

#include "core/engine/money/budget.h"
#include "core/store/annex.h"
#include "core/store/ledger.h"

#include <errno.h>
#include <sqlite3.h>

/* A dollar a token in and out, and one for the request. */
#define DOLLAR INT64_C(1000000000000)
/* What a turn of these can cost at most is a dollar, and what it did depends on its tokens. */
#define A_DOLLAR "price: {completion: 1000000}, config: {max_tokens: 1}"
#define PRICED LOCAL_WITH("price: {prompt: 1000000, completion: 1000000, request: 1}")

static struct usage_sum all(struct world *world) {
	struct usage_sum sum;
	assert_true(ledger_sum(world->engine->store, NULL, LEDGER_ALL, &sum));
	return sum;
}

static void a_reported_cost_goes_before_a_computed_one(void **state) {
	struct world *world = *state;
	config_write(world, PRICED);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/echo", "hello\n");
	wait_over(world, turn);
	assert_string_equal(turn->row.cost_source, "reported");
	assert_int_equal(turn->row.cost, DOLLAR / 4);
	free(server_ask("/set?cost=none"));
	cleanup_turn struct turn *other = ask(world, "local/echo", "hello\n");
	wait_over(world, other);
	assert_string_equal(other->row.cost_source, "computed");
	assert_int_equal(other->row.cost, 6 * DOLLAR);
	struct usage_sum sum = all(world);
	assert_int_equal(sum.turns, 2);
	assert_int_equal(sum.cost, 6 * DOLLAR + DOLLAR / 4);
	assert_int_equal(sum.prompt_tokens, 6);
	assert_int_equal(sum.completion_tokens, 4);
	assert_int_equal(sum.unpriced, 0);
}

static void without_a_price_a_service_of_this_machine_costs_nothing(void **state) {
	struct world *world = *state;
	free(server_ask("/set?cost=none"));
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/echo", "hello\n");
	wait_over(world, turn);
	assert_string_equal(turn->row.cost_source, "computed");
	assert_int_equal(turn->row.cost, 0);
}

static void what_was_refused_or_never_sent_costs_nothing(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH(A_DOLLAR ", retries: 0, concurrent: 1"));
	world_open(world);
	cleanup_turn struct turn *refused = ask(world, "local/fail-500", "q\n");
	wait_over(world, refused);
	assert_failed(refused, EREMOTEIO, "500");
	assert_int_equal(refused->row.cost, 0);
	cleanup_turn struct turn *bad = begin(world, "local/echo", "\xff", 1);
	engine_submit(world->engine, bad);
	wait_over(world, bad);
	assert_int_equal(bad->row.cost, 0);
	cleanup_turn struct turn *holds = ask(world, "local/hold", "q\n");
	cleanup_turn struct turn *waits = ask(world, "local/echo", "q\n");
	WAIT(world, holds->row.output_size != 0);
	assert_true(engine_cancel(world->engine, waits, NULL));
	assert_int_equal(waits->row.cost, 0);
	assert_true(engine_cancel(world->engine, holds, NULL));
	struct usage_sum sum = all(world);
	assert_int_equal(sum.turns, 4);
	assert_int_equal(sum.unpriced, 1); /* the one that was answered in part */
}

static void a_turn_that_is_cut_off_counts_at_most_what_was_noted(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH(A_DOLLAR));
	world_open(world);
	cleanup_turn struct turn *cancelled = ask(world, "local/hold", "q\n");
	WAIT(world, cancelled->row.output_size != 0);
	assert_true(engine_cancel(world->engine, cancelled, NULL));
	assert_int_equal(cancelled->row.cost, -1);
	assert_string_equal(cancelled->row.cost_source, "unknown");
	cleanup_turn struct turn *broken = ask(world, "local/half-reset", "q\n");
	wait_over(world, broken);
	assert_int_equal(broken->row.cost, -1);
	struct usage_sum sum = all(world);
	assert_int_equal(sum.unpriced, 2);
	assert_int_equal(sum.bound, 2 * DOLLAR);
	assert_int_equal(sum.cost, 0);
}

static void a_request_that_was_sent_whole_and_never_answered_may_have_cost(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH(A_DOLLAR));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/reset", "q\n");
	wait_over(world, turn);
	assert_failed(turn, ECONNRESET, "");
	assert_int_equal(turn->row.cost, -1);
	assert_int_equal(all(world).bound, DOLLAR);
}

static void a_turn_that_ran_when_the_engine_ended_is_entered_once(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH(A_DOLLAR));
	world_open(world);
	struct turn *turn = ask(world, "local/hold", "q\n");
	WAIT(world, turn->row.output_size != 0);
	turn_release(turn);
	for (int i = 0; i < 2; i++) {
		world_close(world);
		world_open(world);
		assert_int_equal(all(world).turns, 1);
		assert_int_equal(all(world).bound, DOLLAR);
	}
}

static sqlite3 *second_connection(struct world *world) {
	char path[256];
	sqlite3 *db = NULL;
	snprintf(path, sizeof(path), "%s/conduitfs.db", store_directory(world->engine->store));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static void an_end_that_cant_be_written_is_written_later(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/hold", "q\n");
	WAIT(world, turn->row.output_size != 0);
	sqlite3 *db = second_connection(world);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	free(server_ask("/release"));
	wait_over(world, turn);
	assert_output(turn, "so far and on\n");
	assert_int_equal(all(world).turns, 0);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	WAIT(world, all(world).turns == 1);
	assert_int_equal(all(world).cost, DOLLAR / 4);
	sqlite3_close(db);
}

static void what_it_may_cost_is_noted_or_it_isnt_sent(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH(A_DOLLAR ", concurrent: 1"));
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/hold", "q\n");
	cleanup_turn struct turn *second = ask(world, "local/echo", "q\n");
	WAIT(world, first->row.output_size != 0);
	sqlite3 *db = second_connection(world);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_true(engine_cancel(world->engine, first, NULL));
	wait_over(world, second);
	assert_failed(second, EBUSY, "nothing was sent");
	assert_int_equal(second->row.cost, 0);
	assert_int_equal(server_count("echo"), 0);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	WAIT(world, all(world).turns == 2);
}

/* ---- budgets ---- */

static void a_sessions_budget_holds_for_that_session_alone(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, LOCAL_WITH("price: {request: 1}"));
	world_open(world);
	struct engine *engine = world->engine;
	struct place *session = annex_make(engine->catalogue, place_of(world, "local/echo"),
			PLACE_SESSION, "mine", &fail);
	assert_non_null(session);
	assert_true(budget_set(engine->budgets, session->id, BUDGET_TOTAL, DOLLAR, &fail));
	free(server_ask("/set?cost=none"));
	struct turn *turn = engine_begin(engine, session, me(), false, &fail);
	assert_true(turn_prompt_write(turn, "q", 1, 0, 100, &fail));
	assert_true(engine_may_submit(engine, session, &fail));
	engine_submit(engine, turn);
	/* Reserved as long as it runs, then spent. */
	assert_false(engine_may_submit(engine, session, &fail));
	assert_holds(fail_words(&fail),
			"sessions/mine/budget/total is 1 USD: 0 is spent and 1 res");
	wait_over(world, turn);
	assert_string_equal(turn->row.words, "");
	assert_false(engine_may_submit(engine, session, &fail));
	assert_int_equal(fail.code, EDQUOT);
	assert_holds(fail_words(&fail), "1 is spent and 0 reserved");
	assert_true(engine_may_submit(engine, place_of(world, "local/echo"), &fail));
	turn_release(turn);
	world_close(world);
	world_open(world);
	session = annex_find(place_of(world, "local/echo"), PLACE_SESSION, "mine");
	assert_false(engine_may_submit(world->engine, session, &fail));
}

static void a_limit_that_was_lowered_meanwhile_holds_for_what_waits(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, LOCAL_WITH("price: {request: 1}, concurrent: 1"));
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/hold", "q\n");
	cleanup_turn struct turn *second = ask(world, "local/echo", "q\n");
	WAIT(world, first->row.output_size != 0);
	struct budgets *budgets = world->engine->budgets;
	assert_true(budget_set(budgets, PLACE_ROOT_ID, BUDGET_DAY, DOLLAR, &fail));
	assert_true(engine_cancel(world->engine, first, NULL));
	wait_over(world, second);
	assert_failed(second, EDQUOT, "this one may cost up to 1:");
	assert_int_equal(second->row.cost, 0);
	assert_int_equal(server_count("echo"), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_reported_cost_goes_before_a_computed_one),
			TEST(without_a_price_a_service_of_this_machine_costs_nothing),
			TEST(what_was_refused_or_never_sent_costs_nothing),
			TEST(a_turn_that_is_cut_off_counts_at_most_what_was_noted),
			TEST(a_request_that_was_sent_whole_and_never_answered_may_have_cost),
			TEST(a_turn_that_ran_when_the_engine_ended_is_entered_once),
			TEST(an_end_that_cant_be_written_is_written_later),
			TEST(what_it_may_cost_is_noted_or_it_isnt_sent),
			TEST(a_sessions_budget_holds_for_that_session_alone),
			TEST(a_limit_that_was_lowered_meanwhile_holds_for_what_waits),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
