/* A prompt that a route brought to a model which fails goes to the next, before the first byte. */
#include "core/store/annex.h"
#include "tests/unit/engine/world.h"

#include <errno.h>

#define PROVIDER(name, path)                                                                       \
	"  " name ": {driver: openai, base_url: \"http://127.0.0.1:" path "/routes/v1\", "         \
	"retries: 1}\n"
#define TWO "providers:\n" PROVIDER("a", "%1$d") PROVIDER("b", "%1$d")

static struct place *route_of(struct world *world) {
	return annex_find(catalogue_root(world->engine->catalogue), PLACE_ROUTE, "text-to-text");
}

static void set(struct world *world, const char *patterns) {
	assert_true(route_set(world->engine, route_of(world), patterns, strlen(patterns), NULL));
}

static struct turn *ask_route(struct world *world, const char *prompt) {
	cleanup_fail struct fail fail = {0};
	struct turn *turn = engine_begin(world->engine, route_of(world), me(), false, &fail);
	if (turn == NULL || !turn_prompt_write(turn, prompt, strlen(prompt), 0, 1000, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
	engine_submit(world->engine, turn);
	return turn;
}

static void assert_tried(struct turn *turn, const char *part) {
	cleanup_free char *lines = text_of(turn, TURN_TRIED);
	assert_holds(lines, part);
}

static void assert_at_rest(struct world *world) {
	const struct provider *provider;
	list_for_each(provider, &world->engine->providers, link) {
		assert_int_equal(provider->n_running, 0);
		assert_int_equal(provider->n_queued, 0);
	}
}

static void each_failure_goes_on_or_stands_as_the_table_says(void **state) {
	struct world *world = *state;
	static const struct {
		const char *model;
		int code; /* of the failure */
		bool goes_on;
	} cases[] = {
			{"fail-400", EINVAL, false},
			{"fail-401", EKEYREJECTED, true},
			{"fail-402", EDQUOT, true},
			{"fail-403", EACCES, true},
			{"fail-404", ENOENT, true},
			{"fail-408", ETIMEDOUT, true},
			{"fail-413", EMSGSIZE, false}, /* the other's context is no longer */
			{"fail-422", EINVAL, false},
			{"fail-429", EBUSY, true},
			{"fail-500", EREMOTEIO, true},
			{"fail-503", EREMOTEIO, true},
			{"fail-529", EREMOTEIO, true},
			{"reset", ECONNRESET, true},
			{"html", EPROTO, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char patterns[64], tried[64];
		free(server_ask("/forget"));
		config_write(world, TWO);
		world_open(world);
		snprintf(patterns, sizeof(patterns), "a/%s\nb/ok\n", cases[i].model);
		set(world, patterns);
		/* What the case before left. */
		health_renewed(world->engine->health, place_of(world, "a"));
		cleanup_turn struct turn *turn = ask_route(world, "q\n");
		wait_over(world, turn);
		if (cases[i].goes_on) {
			assert_output(turn, "q\n");
			assert_string_equal(turn->row.provider, "b");
			snprintf(tried, sizeof(tried), "tried a/%s %s ", cases[i].model,
					errno_name(cases[i].code));
			assert_tried(turn, tried);
			/* At once, and no more than once. */
			assert_int_equal(server_count(cases[i].model), 1);
			assert_int_equal(server_count("ok"), 1);
		} else {
			assert_failed(turn, cases[i].code, "");
			assert_string_equal(turn->row.provider, "a");
			assert_int_equal(server_count("ok"), 0);
		}
		assert_at_rest(world);
		turn_release(take(turn));
		world_close(world);
	}
}

static void after_the_first_byte_the_failure_stands(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/half-reset\nb/ok\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_int_equal(turn->row.state, TURN_FAILED);
	cleanup_free char *output = text_of(turn, TURN_OUTPUT);
	assert_string_equal(output, "half ");
	assert_int_equal(server_count("ok"), 0);
	assert_at_rest(world);
}

static void what_is_too_long_goes_to_a_longer_context(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/fail-413\nb/ok\nb/longer\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_output(turn, "q\n");
	assert_int_equal(server_count("ok"), 0);
	assert_int_equal(server_count("longer"), 1);
}

static void a_refused_connection_goes_on_and_spares_the_others_of_that_provider(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	world_close(world);
	/* Its models are stored; nobody listens there any more. */
	config_write(world, "providers:\n" PROVIDER("a", "1") PROVIDER("b", "%1$d"));
	world_open(world);
	set(world, "a/*\nb/ok\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_output(turn, "q\n");
	cleanup_free char *tried = text_of(turn, TURN_TRIED);
	assert_holds(tried, " ECONNREFUSED ");
	assert_null(strstr(strchr(tried, '\n') + 1, "tried"));
	/* The next turn doesn't ask there at all. */
	cleanup_turn struct turn *next = ask_route(world, "r\n");
	wait_over(world, next);
	assert_output(next, "r\n");
	assert_int_equal(turn_file_size(next, TURN_TRIED), 0);
}

static void with_nobody_left_the_last_is_tried_again_and_its_failure_stands(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/fail-500\nb/fail-503\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_state(world, turn, TURN_WAITING);
	wait_over(world, turn);
	assert_failed(turn, EREMOTEIO, "the service says 503");
	assert_string_equal(turn->row.provider, "b");
	assert_tried(turn, "tried a/fail-500 EREMOTEIO ");
	assert_int_equal(server_count("fail-500"), 1);
	assert_int_equal(server_count("fail-503"), 2);
	assert_at_rest(world);
}

static void the_last_that_recovers_answers(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/fail-500\nb/busy-once\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_output(turn, "q\n");
	assert_int_equal(server_count("busy-once"), 2);
}

static void no_more_than_eight_are_asked(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/fail-500\na/fail-503\na/fail-529\na/fail-404\na/reset\nb/fail-500\n"
		   "b/fail-503\nb/fail-529\nb/ok\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_int_equal(turn->row.state, TURN_FAILED);
	assert_int_equal(server_count("ok"), 0);
	cleanup_free char *tried = text_of(turn, TURN_TRIED);
	int lines = 0;
	for (const char *at = tried; (at = strchr(at, '\n')) != NULL; at++) {
		lines++;
	}
	assert_int_equal(lines, ROUTE_TRIES - 1);
}

static void who_is_let_be_since_before_is_better_than_nobody(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/fail-404\nb/ok\n");
	health_failed(world->engine->health, place_of(world, "b/ok"), EREMOTEIO, 100, "words");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_output(turn, "q\n");
}

static void a_turn_in_the_queue_of_who_is_let_be_by_now_goes_on_without_asking(void **state) {
	struct world *world = *state;
	config_write(world, "limits: {concurrent: 1}\n" TWO);
	world_open(world);
	set(world, "a/hold\nb/ok\n");
	cleanup_turn struct turn *first = ask_route(world, "q\n");
	WAIT(world, server_count("holding") == 1);
	cleanup_turn struct turn *second = ask_route(world, "r\n");
	assert_int_equal(second->row.state, TURN_QUEUED);
	health_failed(world->engine->health, place_of(world, "a/hold"), EREMOTEIO, 100, "words");
	assert_true(engine_cancel(world->engine, first, NULL));
	wait_over(world, second);
	assert_output(second, "r\n");
	assert_int_equal(server_count("hold"), 1);
	assert_at_rest(world);
}

static void a_turn_can_be_cancelled_where_it_went(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/fail-500\nb/hold\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	WAIT(world, server_count("holding") == 1);
	assert_int_equal(provider_of(world, "a")->n_running, 0);
	assert_int_equal(provider_of(world, "b")->n_running, 1);
	assert_true(engine_cancel(world->engine, turn, NULL));
	assert_int_equal(turn->row.state, TURN_CANCELLED);
	WAIT(world, server_count("hold-closed") == 1);
	assert_at_rest(world);
}

static void a_provider_that_is_unloaded_leaves_its_turns_to_the_next(void **state) {
	struct world *world = *state;
	config_write(world, "limits: {concurrent: 1}\n" TWO);
	world_open(world);
	set(world, "a/[hr]*\nb/ok\n!a/half*\n");
	/* The first runs without a byte of an answer so far, the second waits behind it. */
	cleanup_turn struct turn *silent = ask_route(world, "first\n");
	cleanup_turn struct turn *second = ask_route(world, "second\n");
	config_write(world, "providers:\n  a: off\n" PROVIDER("b", "%1$d"));
	assert_true(engine_reload(world->engine, NULL));
	wait_over(world, silent);
	wait_over(world, second);
	assert_output(silent, "first\n");
	assert_output(second, "second\n");
	assert_string_equal(second->row.provider, "b");
	assert_tried(second, " ENODEV its provider was unloaded");
}

static void a_provider_that_crashes_leaves_the_prompt_to_the_next(void **state) {
	struct world *world = *state;
	config_write(world,
			"providers:\n  odd: {base_url: \"http://127.0.0.1:%1$d/odd\"}\n" PROVIDER(
					"b", "%1$d"));
	world_open(world);
	set(world, "odd/crash-first\nb/ok\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_output(turn, "q\n");
	assert_tried(turn, "tried odd/crash-first EIO ");
	assert_at_rest(world);
}

static void a_paid_job_that_was_begun_is_begun_nowhere_else(void **state) {
	struct world *world = *state;
	config_write(world,
			"providers:\n  odd: {base_url: \"http://127.0.0.1:%1$d/odd\"}\n" PROVIDER(
					"b", "%1$d"));
	world_open(world);
	set(world, "odd/submits\nb/ok\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_failed(turn, EREMOTEIO, "refused");
	assert_int_equal(server_count("jobs"), 1);
	assert_int_equal(server_count("ok"), 0);
}

static void a_direct_prompt_goes_to_nobody_else(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "b/ok\n");
	cleanup_turn struct turn *turn = ask(world, "a/fail-404", "q\n");
	wait_over(world, turn);
	assert_failed(turn, ENOENT, "");
	assert_int_equal(server_count("ok"), 0);
	assert_int_equal(turn_file_size(turn, TURN_TRIED), 0);
}

static void a_conversation_goes_on_with_whoever_answers(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/ok\n");
	cleanup_turn struct turn *first = ask_route(world, "one\n");
	wait_over(world, first);
	set(world, "b/other\n");
	cleanup_turn struct turn *second = engine_begin(
			world->engine, route_of(world), me(), true, NULL);
	assert_true(turn_prompt_write(second, "two\n", 4, 0, 100, NULL));
	engine_submit(world->engine, second);
	wait_over(world, second);
	assert_output(second, "two\n");
	cleanup_free char *bodies = server_ask("/bodies");
	assert_holds(bodies, "{\"role\": \"assistant\", \"content\": \"one\"}");
	assert_string_equal(second->row.provider, "b");
}

static void settings_of_the_route_count_and_then_those_of_who_answers(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/fail-500\nb/ok\n");
	struct values *values = world->engine->values;
	assert_true(values_set(
			values, route_of(world)->id, setting_find("temperature"), "0.5", NULL));
	assert_true(values_set(values, place_of(world, "b/ok")->id, setting_find("temperature"),
			"0.1", NULL));
	assert_true(values_set(
			values, place_of(world, "b/ok")->id, setting_find("top_p"), "0.25", NULL));
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_output(turn, "q\n");
	cleanup_free char *bodies = server_ask("/bodies");
	const char *last = strstr(bodies, "\"ok\"");
	assert_non_null(last);
	assert_holds(last, "\"temperature\": 0.5");
	assert_holds(last, "\"top_p\": 0.25");
}

static void what_a_paid_model_may_have_cost_counts_when_another_answers(void **state) {
	struct world *world = *state;
	config_write(world, "providers:\n  a: {driver: openai, base_url: "
			    "\"http://127.0.0.1:%1$d/routes/v1\", price: {prompt: 1, completion: "
			    "1}}\n" PROVIDER("b", "%1$d"));
	world_open(world);
	provider_of(world, "a")->version->local = false;
	set(world, "a/reset\nb/ok\n");
	cleanup_turn struct turn *turn = ask_route(world, "q\n");
	wait_over(world, turn);
	assert_output(turn, "q\n");
	/* 0.25 is what the one that answered reports. */
	assert_true(turn->row.cost > INT64_C(250000000000));
	assert_string_equal(turn->row.cost_source, "computed");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(each_failure_goes_on_or_stands_as_the_table_says),
			TEST(after_the_first_byte_the_failure_stands),
			TEST(what_is_too_long_goes_to_a_longer_context),
			TEST(a_refused_connection_goes_on_and_spares_the_others_of_that_provider),
			TEST(with_nobody_left_the_last_is_tried_again_and_its_failure_stands),
			TEST(the_last_that_recovers_answers),
			TEST(no_more_than_eight_are_asked),
			TEST(who_is_let_be_since_before_is_better_than_nobody),
			TEST(a_turn_in_the_queue_of_who_is_let_be_by_now_goes_on_without_asking),
			TEST(a_turn_can_be_cancelled_where_it_went),
			TEST(a_provider_that_is_unloaded_leaves_its_turns_to_the_next),
			TEST(a_provider_that_crashes_leaves_the_prompt_to_the_next),
			TEST(a_paid_job_that_was_begun_is_begun_nowhere_else),
			TEST(a_direct_prompt_goes_to_nobody_else),
			TEST(a_conversation_goes_on_with_whoever_answers),
			TEST(settings_of_the_route_count_and_then_those_of_who_answers),
			TEST(what_a_paid_model_may_have_cost_counts_when_another_answers),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
