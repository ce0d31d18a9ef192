/* config.yml read again while the engine works. */
#include "tests/unit/engine/world.h"

#include <errno.h>

#define SECOND(more) "  second: {driver: openai, base_url: \"http://127.0.0.1:%1$d/v1\"" more "}\n"

static void reload(struct world *world) {
	cleanup_fail struct fail fail = {0};
	if (!engine_reload(world->engine, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
	WAIT(world, engine_discovered(world->engine));
}

static void a_provider_that_is_added_is_discovered_and_runs_go_on(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct provider *local = provider_of(world, "local");
	cleanup_turn struct turn *turn = ask(world, "local/hold", "q\n");
	WAIT(world, turn->row.output_size != 0);
	config_write(world, LOCAL SECOND(""));
	reload(world);
	assert_ptr_equal(provider_of(world, "local"), local);
	assert_non_null(place_of(world, "second/echo"));
	assert_int_equal(turn->row.state, TURN_RUNNING);
	free(server_ask("/release"));
	wait_over(world, turn);
	assert_output(turn, "so far and on\n");
}

static void a_provider_that_is_removed_interrupts_its_turns_and_is_hidden(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL SECOND(", concurrent: 1"));
	world_open(world);
	cleanup_turn struct turn *other = ask(world, "local/hold", "q\n");
	cleanup_turn struct turn *runs = ask(world, "second/hold", "q\n");
	cleanup_turn struct turn *waits = ask(world, "second/echo", "q\n");
	cleanup_turn struct turn *open = begin(world, "second/echo", "q\n", 2);
	WAIT(world, runs->row.output_size != 0 && other->row.output_size != 0);
	config_write(world, LOCAL);
	reload(world);
	assert_null(place_of(world, "second"));
	assert_int_equal(runs->row.state, TURN_INTERRUPTED);
	assert_holds(runs->row.words, "while it ran");
	assert_int_equal(waits->row.state, TURN_INTERRUPTED);
	assert_int_equal(other->row.state, TURN_RUNNING);
	engine_submit(world->engine, open);
	assert_failed(open, ENODEV, "went while the prompt was written");
	assert_true(engine_cancel(world->engine, other, NULL));
}

static void a_provider_that_changed_is_loaded_anew_under_its_old_place(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	int64_t id = place_of(world, "local/hold")->id;
	cleanup_turn struct turn *turn = ask(world, "local/hold", "q\n");
	WAIT(world, turn->row.output_size != 0);
	config_write(world, LOCAL_WITH("concurrent: 1, config: {temperature: 0.5}"));
	reload(world);
	assert_int_equal(turn->row.state, TURN_INTERRUPTED);
	struct place *place = place_of(world, "local/hold");
	assert_int_equal(place->id, id);
	assert_int_equal(provider_of(world, "local")->concurrent, 1);
	assert_string_equal(engine_setting(world->engine, place, "temperature"), "0.5");
	cleanup_turn struct turn *next = ask(world, "local/echo", "next\n");
	wait_over(world, next);
	assert_output(next, "next\n");
}

static void limits_take_force_for_a_provider_that_stays(void **state) {
	struct world *world = *state;
	config_write(world, "limits: {concurrent: 1, queue: 1}\n"
			    "providers:\n  odd: {base_url: \"http://127.0.0.1:%1$d/odd\"}\n" SECOND(
					    ""));
	world_open(world);
	struct provider *second = provider_of(world, "second");
	assert_int_equal(second->concurrent, 1);
	assert_int_equal(second->queue_most, 1);
	config_write(world, "limits: {concurrent: 3, queue: 5}\n"
			    "providers:\n  odd: {base_url: \"http://127.0.0.1:%1$d/odd\"}\n" SECOND(
					    ""));
	reload(world);
	assert_ptr_equal(provider_of(world, "second"), second);
	assert_int_equal(second->queue_most, 5);
	assert_int_equal(second->concurrent, 3);
}

static void a_file_with_a_fault_changes_nothing(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, LOCAL);
	world_open(world);
	struct provider *local = provider_of(world, "local");
	cleanup_turn struct turn *turn = ask(world, "local/hold", "q\n");
	config_write(world, LOCAL_WITH("concurent: 3"));
	assert_false(engine_reload(world->engine, &fail));
	assert_holds(fail_words(&fail), "config.yml:2: ");
	config_write(world, "state: /tmp/elsewhere\n" LOCAL);
	assert_false(engine_reload(world->engine, &fail));
	assert_holds(fail_words(&fail), "'/tmp/elsewhere' takes force at the next mount only");
	assert_ptr_equal(provider_of(world, "local"), local);
	assert_true(engine_cancel(world->engine, turn, NULL));
}

static void a_provider_that_cant_be_loaded_keeps_none_of_the_others_out(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, LOCAL);
	world_open(world);
	config_write(world, LOCAL "  broken: {driver: nobody}\n" SECOND(""));
	assert_false(engine_reload(world->engine, &fail));
	assert_holds(fail_words(&fail), "config.yml:3: provider broken: ");
	WAIT(world, engine_discovered(world->engine));
	assert_non_null(place_of(world, "local/echo"));
	assert_non_null(place_of(world, "second/echo"));
	assert_null(place_of(world, "broken"));
}

static void a_reload_while_models_come_and_a_prompt_is_checked(void **state) {
	struct world *world = *state;
	size_t size = (size_t)2 << 20;
	cleanup_free char *prompt = malloc(size);
	memset(prompt, 'x', size);
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = begin(world, "local/echo", prompt, size);
	engine_submit(world->engine, turn);
	free(server_ask("/set?list=hold"));
	discovery_refresh(provider_of(world, "local"));
	config_write(world, "providers:\n" SECOND(""));
	cleanup_fail struct fail fail = {0};
	assert_true(engine_reload(world->engine, &fail));
	assert_int_equal(turn->row.state, TURN_INTERRUPTED);
	free(server_ask("/set?list=ok"));
	WAIT(world, engine_discovered(world->engine));
	assert_null(place_of(world, "local"));
}

static void reading_the_same_file_again_changes_nothing(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("retries: 1, config: {temperature: 0.5}") SECOND(""));
	world_open(world);
	struct provider *local = provider_of(world, "local");
	for (int i = 0; i < 3; i++) {
		reload(world);
	}
	assert_ptr_equal(provider_of(world, "local"), local);
	assert_string_equal(engine_setting(world->engine, local->place, "temperature"), "0.5");
	assert_int_equal(server_count("models"), 2);
}

static void a_key_in_the_environment_is_found_again_after_it_was_hidden(void **state) {
	struct world *world = *state;
	setenv("TEST_ENGINE_KEY", "sk-hidden", 1);
	config_write(world, LOCAL_WITH("key_env: TEST_ENGINE_KEY"));
	world_open(world);
	assert_null(getenv("TEST_ENGINE_KEY"));
	config_write(world, LOCAL_WITH("key_env: TEST_ENGINE_KEY, retries: 1"));
	reload(world);
	assert_string_equal(key_value(provider_of(world, "local")->version->key), "sk-hidden");
	/* So is one that a reload brings. */
	setenv("TEST_ENGINE_OTHER_KEY", "sk-other", 1);
	config_write(world, LOCAL_WITH("key_env: TEST_ENGINE_OTHER_KEY"));
	reload(world);
	assert_null(getenv("TEST_ENGINE_OTHER_KEY"));
	assert_string_equal(key_value(provider_of(world, "local")->version->key), "sk-other");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_provider_that_is_added_is_discovered_and_runs_go_on),
			TEST(a_provider_that_is_removed_interrupts_its_turns_and_is_hidden),
			TEST(a_provider_that_changed_is_loaded_anew_under_its_old_place),
			TEST(limits_take_force_for_a_provider_that_stays),
			TEST(a_file_with_a_fault_changes_nothing),
			TEST(a_provider_that_cant_be_loaded_keeps_none_of_the_others_out),
			TEST(a_reload_while_models_come_and_a_prompt_is_checked),
			TEST(reading_the_same_file_again_changes_nothing),
			TEST(a_key_in_the_environment_is_found_again_after_it_was_hidden),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
