/* How models and providers do: what counts, back-off, and that it is kept. */
#include "tests/unit/engine/world.h"

#include <errno.h>

static double seconds_off(struct world *world, const char *path) {
	int64_t until = health_back_off(world->engine->health, place_of(world, path), NULL);
	return until != 0 ? (double)(until - now_us()) / 1e6 : 0;
}

static enum health_state state_of(struct world *world, const char *path) {
	return health_state(world->engine->health, place_of(world, path));
}

static void failed(struct world *world, const char *path, int code, double retry_after) {
	health_failed(world->engine->health, place_of(world, path), code, retry_after, "words");
}

static void answered(struct world *world, const char *path) {
	health_answered(world->engine->health, place_of(world, path), 0.5);
}

static void a_turn_that_is_answered_is_a_success_with_its_latency(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	assert_int_equal(state_of(world, "local/echo"), HEALTH_UNKNOWN);
	cleanup_turn struct turn *turn = ask(world, "local/echo", "q\n");
	wait_over(world, turn);
	const struct health_row *model = health_row(
			world->engine->health, place_of(world, "local/echo"));
	const struct health_row *provider = health_row(
			world->engine->health, place_of(world, "local"));
	assert_non_null(model);
	assert_non_null(provider);
	assert_true(model->success > 0 && provider->success > 0);
	assert_true(model->latency > 0 && model->latency < 20);
	assert_int_equal(state_of(world, "local/echo"), HEALTH_GOOD);
	assert_int_equal(state_of(world, "local"), HEALTH_GOOD);
}

static void a_turn_that_fails_is_a_failure_of_the_model_and_lets_it_be_for_a_while(void **state) {
	struct world *world = *state;
	const struct health_row *why = NULL;
	config_write(world, LOCAL_WITH("retries: 0"));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/fail-500", "q\n");
	wait_over(world, turn);
	assert_int_equal(state_of(world, "local/fail-500"), HEALTH_DOWN);
	assert_true(seconds_off(world, "local/fail-500") > 3);
	health_back_off(world->engine->health, place_of(world, "local/fail-500"), &why);
	assert_int_equal(why->code, EREMOTEIO);
	assert_holds(why->words, "the service says 500");
	assert_true(seconds_off(world, "local/echo") == 0);
	assert_true(seconds_off(world, "local") == 0);
}

static void retry_after_is_how_long_it_is_let_be(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/busy-after-301", "q\n");
	wait_over(world, turn);
	assert_true(seconds_off(world, "local/busy-after-301") > 290);
	assert_true(seconds_off(world, "local/busy-after-301") < 302);
}

static void what_the_prompt_brought_about_counts_for_nothing(void **state) {
	struct world *world = *state;
	static const int codes[] = {EINVAL, EMSGSIZE, EPERM, ECANCELED, EFBIG, ENOSPC};
	config_write(world, LOCAL);
	world_open(world);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		failed(world, "local/echo", codes[i], -1);
	}
	assert_int_equal(state_of(world, "local/echo"), HEALTH_UNKNOWN);
	assert_null(health_row(world->engine->health, place_of(world, "local")));
}

static void a_refused_connection_is_the_whole_providers(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	failed(world, "local/echo", ECONNREFUSED, -1);
	assert_true(seconds_off(world, "local/hold") > 3);
	assert_int_equal(state_of(world, "local"), HEALTH_DOWN);
	health_reached(world->engine->health, place_of(world, "local"));
	assert_true(seconds_off(world, "local/hold") == 0);
}

static void a_refused_key_is_forgiven_with_the_next_key_alone(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	failed(world, "local/echo", EKEYREJECTED, -1);
	health_reached(world->engine->health, place_of(world, "local"));
	assert_true(seconds_off(world, "local/hold") > 50);
	health_renewed(world->engine->health, place_of(world, "local"));
	assert_true(seconds_off(world, "local/hold") == 0);
}

static void a_limit_that_is_used_up_is_of_all_that_cost_alike(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	failed(world, "local/echo", EDQUOT, -1);
	assert_true(seconds_off(world, "local/hold") > 200);
	struct place *gratis = place_of(world, "local/big");
	gratis->free = true;
	assert_true(seconds_off(world, "local/big") == 0);
	gratis->free = false;
	answered(world, "local/hold");
	assert_true(seconds_off(world, "local/echo") == 0);
}

static void each_failure_in_a_row_doubles_the_wait_up_to_a_bound(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	failed(world, "local/echo", EREMOTEIO, -1);
	double first = seconds_off(world, "local/echo");
	/* Those that were under way at the same time are one. */
	failed(world, "local/echo", EREMOTEIO, -1);
	const struct health_row *row = health_row(
			world->engine->health, place_of(world, "local/echo"));
	assert_int_equal(row->streak, 1);
	struct health_row *past = (struct health_row *)row;
	past->back_off = 1;
	failed(world, "local/echo", EREMOTEIO, -1);
	assert_true(seconds_off(world, "local/echo") > 1.5 * first);
	for (int i = 0; i < 40; i++) {
		past->back_off = 1;
		failed(world, "local/echo", EREMOTEIO, -1);
	}
	assert_true(seconds_off(world, "local/echo") <= 300);
	answered(world, "local/echo");
	assert_true(seconds_off(world, "local/echo") == 0);
	assert_int_equal(row->streak, 0);
}

static void a_quarter_of_failures_is_degraded_and_time_heals(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct health_row *row;
	failed(world, "local/echo", EREMOTEIO, -1);
	failed(world, "local/echo", EREMOTEIO, -1);
	row = (struct health_row *)health_row(world->engine->health, place_of(world, "local/echo"));
	row->back_off = 0;
	assert_int_equal(state_of(world, "local/echo"), HEALTH_DEGRADED);
	row->failure -= INT64_C(3600000000);
	assert_int_equal(state_of(world, "local/echo"), HEALTH_GOOD);
}

static void a_back_off_of_another_clock_holds_nobody(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	failed(world, "local/echo", EREMOTEIO, -1);
	struct health_row *row = (struct health_row *)health_row(
			world->engine->health, place_of(world, "local/echo"));
	row->back_off = now_us() + INT64_C(86400000000);
	assert_true(seconds_off(world, "local/echo") == 0);
}

static void what_is_known_is_kept(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	answered(world, "local/hold");
	failed(world, "local/echo", EBUSY, 200);
	failed(world, "local/big", EDQUOT, -1);
	world_close(world);
	world_open(world);
	assert_true(seconds_off(world, "local/echo") > 190);
	assert_true(seconds_off(world, "local/big") > 200);
	const struct health_row *row = health_row(
			world->engine->health, place_of(world, "local/hold"));
	assert_non_null(row);
	assert_true(row->latency > 0.49 && row->latency < 0.51);
	assert_true(row->success > 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_turn_that_is_answered_is_a_success_with_its_latency),
			TEST(a_turn_that_fails_is_a_failure_of_the_model_and_lets_it_be_for_a_while),
			TEST(retry_after_is_how_long_it_is_let_be),
			TEST(what_the_prompt_brought_about_counts_for_nothing),
			TEST(a_refused_connection_is_the_whole_providers),
			TEST(a_refused_key_is_forgiven_with_the_next_key_alone),
			TEST(a_limit_that_is_used_up_is_of_all_that_cost_alike),
			TEST(each_failure_in_a_row_doubles_the_wait_up_to_a_bound),
			TEST(a_quarter_of_failures_is_degraded_and_time_heals),
			TEST(a_back_off_of_another_clock_holds_nobody),
			TEST(what_is_known_is_kept),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
