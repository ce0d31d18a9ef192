/* What is sent again, and what never is (design section 3.8). */
#include "tests/unit/engine/world.h"

#include <errno.h>

static double seconds(const struct turn *turn) {
	return (double)(turn->row.finished - turn->row.started) / 1e6;
}

static void a_429_is_sent_again(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/busy-once", "q\n");
	wait_state(world, turn, TURN_WAITING);
	assert_holds(turn->waiting_for, "attempt 2 after: ");
	assert_true(turn->retry_at > now_us());
	wait_over(world, turn);
	assert_output(turn, "q\n");
	assert_int_equal(server_count("busy-once"), 2);
	assert_true(seconds(turn) > 0.3);
}

static void the_record_is_of_the_attempt_that_was_answered(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/busy-once", "q\n");
	wait_over(world, turn);
	cleanup_free char *response = text_of(turn, TURN_RESPONSE);
	assert_null(strstr(response, "the service says"));
	assert_int_equal(turn->row.http_status, 200);
}

static void retry_after_is_waited_for(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/busy-after-1", "q\n");
	wait_over(world, turn);
	assert_output(turn, "q\n");
	assert_true(seconds(turn) > 0.95);
	assert_true(seconds(turn) < 10);
}

static void a_retry_after_of_more_than_300_seconds_is_not_waited_for(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/busy-after-301", "q\n");
	wait_over(world, turn);
	assert_failed(turn, EBUSY, "the service says 429");
	assert_int_equal(server_count("busy-after-301"), 1);
}

static void a_500_is_sent_again_as_often_as_retries_says(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("retries: 1"));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/fail-500", "q\n");
	wait_over(world, turn);
	assert_failed(turn, EREMOTEIO, "the service says 500");
	assert_int_equal(turn->row.http_status, 500);
	assert_int_equal(server_count("fail-500"), 2);
}

static void with_retries_0_nothing_is_sent_again(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("retries: 0"));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/fail-500", "q\n");
	wait_over(world, turn);
	assert_failed(turn, EREMOTEIO, "the service says 500");
	assert_int_equal(server_count("fail-500"), 1);
}

static void a_refused_connection_is_tried_again(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	world_close(world);
	/* The models are stored; nobody listens on port 1. */
	config_write(world, "providers:\n  local: {driver: openai, base_url: "
			    "\"http://127.0.0.1:1/v1\", retries: 1}\n");
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/echo", "q\n");
	wait_state(world, turn, TURN_WAITING);
	wait_over(world, turn);
	assert_failed(turn, ECONNREFUSED, "127.0.0.1:1");
}

static void a_reset_after_the_request_was_sent_is_not_tried_again(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/reset", "q\n");
	wait_over(world, turn);
	assert_failed(turn, ECONNRESET, "127.0.0.1");
	assert_int_equal(server_count("reset"), 1);
}

static void nothing_is_sent_again_after_the_first_byte(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/half-reset", "q\n");
	wait_over(world, turn);
	assert_int_equal(turn->row.state, TURN_FAILED);
	cleanup_free char *output = text_of(turn, TURN_OUTPUT);
	assert_string_equal(output, "half ");
	cleanup_turn struct turn *other = ask(world, "local/half-500", "q\n");
	wait_over(world, other);
	assert_failed(other, EREMOTEIO, "broken inside");
	assert_int_equal(server_count("half-reset"), 1);
	assert_int_equal(server_count("half-500"), 1);
}

static void a_job_that_was_submitted_is_not_sent_again(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/odd"));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "odd/submits", "q\n");
	wait_over(world, turn);
	assert_failed(turn, EREMOTEIO, "refused");
	assert_int_equal(server_count("jobs"), 1);
}

static void a_turn_that_waits_can_be_cancelled(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/busy-long", "q\n");
	wait_state(world, turn, TURN_WAITING);
	assert_true(engine_cancel(world->engine, turn, NULL));
	assert_int_equal(turn->row.state, TURN_CANCELLED);
	assert_int_equal(turn_error(turn), ECANCELED);
	assert_string_equal(turn->waiting_for, "");
	assert_int_equal(turn->retry_at, 0);
}

/* The model's turns alone: the list of its provider may take longer. */
static void end_after_half_a_second(struct world *world, const char *model) {
	write_setting(world, place_of(world, model), "timeout_total", "0.5");
}

static void a_provider_that_polls_without_end_is_ended_by_timeout_total(void **state) {
	struct world *world = *state;
	config_write(world, "providers:\n  odd: {base_url: \"http://127.0.0.1:%1$d/odd\"}\n");
	world_open(world);
	end_after_half_a_second(world, "odd/poll");
	cleanup_turn struct turn *turn = ask(world, "odd/poll", "q\n");
	wait_over(world, turn);
	assert_failed(turn, ETIMEDOUT, "timeout_total");
	assert_true(server_count("polls") > 1);
}

static void a_service_that_never_ends_is_ended_by_timeout_total(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	end_after_half_a_second(world, "local/hold");
	cleanup_turn struct turn *turn = ask(world, "local/hold", "q\n");
	wait_over(world, turn);
	assert_failed(turn, ETIMEDOUT, "timeout_total");
	assert_int_equal(server_count("hold"), 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_429_is_sent_again),
			TEST(the_record_is_of_the_attempt_that_was_answered),
			TEST(retry_after_is_waited_for),
			TEST(a_retry_after_of_more_than_300_seconds_is_not_waited_for),
			TEST(a_500_is_sent_again_as_often_as_retries_says),
			TEST(with_retries_0_nothing_is_sent_again),
			TEST(a_refused_connection_is_tried_again),
			TEST(a_reset_after_the_request_was_sent_is_not_tried_again),
			TEST(nothing_is_sent_again_after_the_first_byte),
			TEST(a_job_that_was_submitted_is_not_sent_again),
			TEST(a_turn_that_waits_can_be_cancelled),
			TEST(a_provider_that_polls_without_end_is_ended_by_timeout_total),
			TEST(a_service_that_never_ends_is_ended_by_timeout_total),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
