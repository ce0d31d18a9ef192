/* How a provider's models come, and what happens when they don't. */
#include "tests/unit/engine/world.h"

#include <errno.h>

static void set(const char *how) {
	char path[64];
	snprintf(path, sizeof(path), "/set?list=%s", how);
	free(server_ask(path));
}

/* Milliseconds until the next discovery. */
static uint64_t due_in(const struct provider *provider) {
	return uv_timer_get_due_in(&provider->discovery_timer);
}

static void the_models_are_listed_and_the_next_discovery_is_in_an_hour(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open_now(world);
	struct provider *local = provider_of(world, "local");
	assert_int_equal(local->state, PROVIDER_DISCOVERING);
	assert_false(engine_discovered(world->engine));
	WAIT(world, engine_discovered(world->engine));
	assert_int_equal(local->state, PROVIDER_READY);
	assert_string_equal(local->why, "");
	assert_true(place_of(world, "local/maker/echo")->model);
	assert_int_equal(local->place->n_models, 13);
	assert_in_range(due_in(local), 3590000, 3600000);
	assert_true(world->heard > 0);
}

static void a_remount_shows_the_models_without_asking(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	world_close(world);
	world_open_now(world);
	assert_true(engine_discovered(world->engine));
	assert_non_null(place_of(world, "local/echo"));
	assert_int_equal(server_count("models"), 1);
	assert_in_range(due_in(provider_of(world, "local")), 3500000, 3600000);
}

static void a_failed_first_discovery_says_why_and_backs_off(void **state) {
	struct world *world = *state;
	set("fail");
	config_write(world, LOCAL);
	world_open(world);
	struct provider *local = provider_of(world, "local");
	assert_int_equal(local->state, PROVIDER_FAILED);
	assert_holds(local->why, "discovery failed: ");
	assert_holds(local->why, "the service says 500");
	assert_in_range(due_in(local), 29000, 30000);
	discovery_refresh(local);
	WAIT(world, local->discovery == NULL);
	assert_in_range(due_in(local), 59000, 60000);
	set("ok");
	discovery_refresh(local);
	WAIT(world, local->state == PROVIDER_READY);
	assert_string_equal(local->why, "");
	assert_int_equal(local->discovery_failures, 0);
}

static void a_back_off_never_exceeds_the_refresh_interval(void **state) {
	struct world *world = *state;
	set("fail");
	config_write(world, "refresh: 40s\n" LOCAL);
	world_open(world);
	struct provider *local = provider_of(world, "local");
	discovery_refresh(local);
	WAIT(world, local->discovery == NULL);
	assert_in_range(due_in(local), 39000, 40000);
}

static void a_refresh_that_fails_or_is_empty_keeps_the_good_list(void **state) {
	struct world *world = *state;
	static const struct {
		const char *how, *words;
	} bad[] = {{"fail", "the service says 500"}, {"empty", "no models"}};
	config_write(world, LOCAL);
	world_open(world);
	struct provider *local = provider_of(world, "local");
	for (size_t i = 0; i < 2; i++) {
		set(bad[i].how);
		discovery_refresh(local);
		WAIT(world, local->discovery == NULL && local->refresh == NULL);
		assert_int_equal(local->state, PROVIDER_READY);
		assert_holds(local->why, bad[i].words);
		assert_int_equal(local->place->n_models, 13);
	}
	/* Known after a remount as well, which tries again at once. */
	world_close(world);
	world_open_now(world);
	assert_holds(provider_of(world, "local")->why, "no models");
	assert_non_null(place_of(world, "local/echo"));
	WAIT(world, server_count("models") == 4);
}

static void a_list_of_ids_that_cant_be_paths_is_a_failure(void **state) {
	struct world *world = *state;
	set("deep");
	config_write(world, LOCAL);
	world_open(world);
	struct provider *local = provider_of(world, "local");
	assert_int_equal(local->state, PROVIDER_FAILED);
	assert_holds(local->why, "no model whose id can be a path");
	assert_in_range(due_in(local), 29000, 30000);
}

static void a_refresh_adds_and_removes(void **state) {
	struct world *world = *state;
	set("more");
	config_write(world, LOCAL);
	world_open(world);
	struct place *late = place_of(world, "local/late");
	assert_non_null(late);
	int64_t id = late->id;
	set("ok");
	struct provider *local = provider_of(world, "local");
	discovery_refresh(local);
	WAIT(world, local->discovery == NULL && local->refresh == NULL);
	assert_null(place_of(world, "local/late"));
	set("more");
	discovery_refresh(local);
	WAIT(world, local->discovery == NULL && local->refresh == NULL);
	assert_int_equal(place_of(world, "local/late")->id, id);
}

static void a_refresh_while_one_is_under_way_is_that_one(void **state) {
	struct world *world = *state;
	set("hold");
	config_write(world, LOCAL);
	world_open_now(world);
	WAIT(world, server_count("models") == 1);
	discovery_refresh(provider_of(world, "local"));
	set("ok");
	WAIT(world, engine_discovered(world->engine));
	assert_int_equal(server_count("models"), 1);
}

static void the_engine_may_close_while_models_come(void **state) {
	struct world *world = *state;
	set("hold");
	config_write(world, LOCAL);
	world_open_now(world);
	WAIT(world, server_count("models") == 1);
	world_close(world);
	set("ok");
}

static void a_discovery_whose_key_came_late_is_done_again_at_once(void **state) {
	struct world *world = *state;
	set("keyed");
	config_write(world, LOCAL_WITH("key_command: \"sleep 0.3; echo sk-late\""));
	world_open(world);
	struct provider *local = provider_of(world, "local");
	WAIT(world, local->state == PROVIDER_READY);
	assert_int_equal(server_count("models-keyed"), 1);
}

static void a_discovery_that_sends_its_reply_to_an_output_does_no_harm(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/straight"));
	world_open(world);
	assert_non_null(place_of(world, "odd/one"));
}

/* A bundled provider of a service that may be at several ports. Nobody listens at
 * the ports 1 to 3. */
static void write_moved(struct world *world, int last) {
	char path[256];
	snprintf(path, sizeof(path), "%s/moved.yml", world->providers);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file,
			"id: moved\ntype: local\ncapabilities: [text-to-text]\ndriver: openai\n"
			"start: moved serve\n"
			"base_url: http://127.0.0.1:1/v1\n"
			"base_urls: [\"http://127.0.0.1:2/v1\", \"http://127.0.0.1:%d/v1\"]\n",
			last);
	fclose(file);
	config_write(world, "providers:\n  moved: {}\n");
}

static void a_service_is_found_at_another_of_its_addresses(void **state) {
	struct world *world = *state;
	write_moved(world, server_port);
	world_open(world);
	struct provider *moved = provider_of(world, "moved");
	WAIT(world, moved->state == PROVIDER_READY);
	char *end = strrchr(moved->version->base_url, ':');
	assert_int_equal(strtol(end + 1, NULL, 10), server_port);
	struct turn *turn = ask(world, "moved/maker/echo", "hello");
	wait_over(world, turn);
	assert_output(turn, "hello\n");
	turn_release(turn);
	/* The next refresh asks there at once. */
	int asked = server_count("models");
	discovery_refresh(moved);
	WAIT(world, moved->refresh == NULL && server_count("models") == asked + 1);
	assert_int_equal(moved->state, PROVIDER_READY);
}

static void a_service_that_is_at_none_of_its_addresses_is_told_with_all_of_them(void **state) {
	struct world *world = *state;
	write_moved(world, 3);
	world_open(world);
	struct provider *moved = provider_of(world, "moved");
	WAIT(world, moved->state == PROVIDER_FAILED);
	assert_holds(moved->why, "http://127.0.0.1:1/v1: ");
	assert_holds(moved->why, "http://127.0.0.1:2/v1: ");
	assert_holds(moved->why, "http://127.0.0.1:3/v1: ");
	assert_holds(moved->why, "to start it: moved serve");
	assert_string_equal(moved->version->base_url, "http://127.0.0.1:1/v1");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(the_models_are_listed_and_the_next_discovery_is_in_an_hour),
			TEST(a_remount_shows_the_models_without_asking),
			TEST(a_failed_first_discovery_says_why_and_backs_off),
			TEST(a_back_off_never_exceeds_the_refresh_interval),
			TEST(a_refresh_that_fails_or_is_empty_keeps_the_good_list),
			TEST(a_list_of_ids_that_cant_be_paths_is_a_failure),
			TEST(a_refresh_adds_and_removes),
			TEST(a_refresh_while_one_is_under_way_is_that_one),
			TEST(the_engine_may_close_while_models_come),
			TEST(a_discovery_whose_key_came_late_is_done_again_at_once),
			TEST(a_service_is_found_at_another_of_its_addresses),
			TEST(a_service_that_is_at_none_of_its_addresses_is_told_with_all_of_them),
			TEST(a_discovery_that_sends_its_reply_to_an_output_does_no_harm),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
