/* Routes: whom they name, who is passed over, and what was written to them. */
#include "core/config/capability.h"
#include "core/store/annex.h"
#include "tests/unit/engine/routing.h"

#include <errno.h>

/* ---- who is named ---- */

static void by_default_it_is_what_certainly_costs_nothing(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	assert_chosen(world, "a/newer");
	make_remote(world, "a");
	assert_chosen(world, "b/newer");
	make_remote(world, "b");
	assert_nobody(world, ENOKEY, "nothing is set up to answer");
	place_of(world, "b/other")->free = true;
	assert_chosen(world, "b/other");
	place_of(world, "b/other")->free = false;
	price(world, "a/ok", 0.01, 0.01);
	assert_nobody(world, ENOKEY, "nothing is set up to answer");
}

static void a_price_that_is_stated_is_nothing_for_the_default_even_of_this_machine(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	price(world, "a/newer", 1, 1);
	price(world, "b/newer", -1e6, -1e6);
	assert_chosen(world, "a/busy-once");
}

static void patterns_count_in_their_order(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "b/other\na/ok\n*\n");
	assert_chosen(world, "b/other");
	set(world, "nowhere/*\na/ok\nb/other\n");
	assert_chosen(world, "a/ok");
	set(world, "a/*\n!*/newer\n!a/fail*\n!a/h*\n!a/busy*\n!a/longer\n");
	assert_chosen(world, "a/ok");
	assert_shown(world, "# - a/newer  left out by a pattern with '!'\n");
}

static void patterns_that_only_leave_out_do_so_from_the_default(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "!a/*\n");
	assert_chosen(world, "b/newer");
	assert_shown(world, "@local\n@free\n!a/*\n");
}

static void within_a_pattern_the_healthy_come_first_then_the_newest_then_by_name(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "*/ok\n*/newer\n");
	assert_chosen(world, "a/ok");
	failed(world, "a/ok", EREMOTEIO);
	assert_chosen(world, "b/ok");
	/* Its back-off is over, but it failed often. */
	failed(world, "a/ok", EREMOTEIO);
	struct health_row *row = (struct health_row *)health_row(
			world->engine->health, place_of(world, "a/ok"));
	row->back_off = 0;
	assert_int_equal(health_state(world->engine->health, place_of(world, "a/ok")),
			HEALTH_DEGRADED);
	assert_chosen(world, "b/ok");
	place_of(world, "b/ok")->created = 5;
	row->error_rate = 0;
	assert_chosen(world, "b/ok");
	place_of(world, "a/ok")->created = 6;
	assert_chosen(world, "a/ok");
}

static void words_of_many_lines_are_one_in_the_route(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/ok\n");
	/* Its build failed. */
	struct provider *provider = provider_of(world, "a");
	struct version *version = provider->version;
	provider->version = NULL;
	provider->state = PROVIDER_FAILED;
	provider_set_why(provider, "the compiler says:\nb/*\tline 2");
	assert_shown(world, "the compiler says: b/* line 2");
	cleanup_buf struct buf text = {0};
	assert_true(route_show(world->engine, route_of(world), &text));
	set(world, buf_string(&text));
	provider->version = version;
	assert_shown(world, "restores the default.\na/ok\n#");
}

/* ---- who is passed over ---- */

static void who_lacks_a_key_is_passed_over_with_the_remedy(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	struct version *version = provider_of(world, "a")->version;
	version->manifest.key_required = true;
	version->own_base_url = false;
	set(world, "a/*\nb/ok\n");
	assert_chosen(world, "b/ok");
	assert_shown(world, "# - a, 21 models  no key for a: ");
	set(world, "a/*\n");
	assert_nobody(world, ENOKEY,
			"none of the 21 models that capabilities/text-to-text/route "
			"names can answer; no key for a: ");
	/* By default the words say what to set up. */
	make_remote(world, "b");
	set(world, "\n");
	assert_nobody(world, ENOKEY,
			"get a key at https://platform.openai.com/api-keys and echo "
			"KEY > providers/a/key");
}

static void a_service_of_this_machine_that_doesnt_answer_is_none_for_the_default(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	provider_set_why(provider_of(world, "a"), "discovery failed: refused");
	assert_chosen(world, "b/newer");
	assert_shown(world, "# - a/ok  its service doesn't answer\n");
	set(world, "a/ok\n");
	assert_chosen(world, "a/ok");
}

static void a_full_queue_is_passed_over(void **state) {
	struct world *world = *state;
	config_write(world, "limits: {queue: 0}\n" TWO);
	world_open(world);
	set(world, "a/ok\nb/ok\n");
	struct provider *full = provider_of(world, "a");
	full->n_running = (size_t)full->concurrent;
	assert_chosen(world, "b/ok");
	assert_shown(world, "# - a/ok  as many wait for it");
	set(world, "a/ok\n");
	assert_nobody(world, EBUSY, "as many wait for it");
	full->n_running = 0;
	assert_chosen(world, "a/ok");
}

static void those_let_be_are_asked_when_there_is_nobody_else(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/ok\nb/ok\n");
	failed(world, "a/ok", EREMOTEIO);
	assert_chosen(world, "b/ok");
	assert_shown(world, "# - a/ok  let be until 2");
	failed(world, "b/ok", EBUSY);
	assert_shown(world, "# All are let be: the first is asked all the same.\n# - a/ok");
	assert_true(engine_may_submit(world->engine, route_of(world), NULL));
}

static void what_a_budget_doesnt_let_is_passed_over(void **state) {
	struct world *world = *state;
	config_write(world, "budget: {day: 0}\n" TWO);
	world_open(world);
	make_remote(world, "a");
	price(world, "a/ok", 1, 1);
	set(world, "a/ok\nb/ok\n");
	assert_chosen(world, "b/ok");
	assert_shown(world, "# - a/ok  over a budget\n");
	set(world, "a/ok\n");
	assert_nobody(world, EDQUOT, "budget/day");
}

static void a_route_that_names_nothing_says_so(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "nowhere/*\n");
	assert_nobody(world, ENODEV,
			"no model that is there is named by "
			"capabilities/text-to-text/route");
	cleanup_turn struct turn *turn = engine_begin(
			world->engine, route_of(world), me(), false, NULL);
	assert_true(turn_prompt_write(turn, "q", 1, 0, 10, NULL));
	engine_submit(world->engine, turn);
	assert_failed(turn, ENODEV, "no model that is there");
}

/* ---- what was written ---- */

static void what_was_written_is_kept_until_an_empty_write(void **state) {
	struct world *world = *state;
	config_write(world, "routes: {text-to-text: [b/ok]}\n" TWO);
	world_open(world);
	assert_chosen(world, "b/ok");
	int64_t id = route_of(world)->id;
	set(world, "a/other\n# b/ok\n");
	assert_chosen(world, "a/other");
	world_close(world);
	world_open(world);
	assert_int_equal(route_of(world)->id, id);
	assert_chosen(world, "a/other");
	set(world, " \n");
	assert_chosen(world, "b/ok");
	world_close(world);
	world_open(world);
	assert_chosen(world, "b/ok");
}

static void copying_back_what_is_shown_changes_nothing(void **state) {
	struct world *world = *state;
	cleanup_buf struct buf text = {0}, again = {0};
	config_write(world, "routes: {text-to-text: [b/ok]}\n" TWO);
	world_open(world);
	assert_true(route_show(world->engine, route_of(world), &text));
	set(world, buf_string(&text));
	world_close(world);
	/* Still config.yml's. */
	config_write(world, "routes: {text-to-text: [a/ok]}\n" TWO);
	world_open(world);
	assert_chosen(world, "a/ok");
	set(world, "!a/fail*\n");
	assert_true(route_show(world->engine, route_of(world), &again));
	set(world, buf_string(&again));
	assert_shown(world, "a/ok\n!a/fail*\n");
}

static void config_yml_that_is_read_again_takes_force(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	config_write(world, "routes: {text-to-text: [b/ok]}\n" TWO);
	assert_true(engine_reload(world->engine, NULL));
	assert_chosen(world, "b/ok");
}

static void a_capability_is_listed_while_somebody_can(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	struct place *root = catalogue_root(world->engine->catalogue);
	assert_true(route_listed(world->engine, route_of(world)));
	assert_null(annex_find(root, PLACE_ROUTE, "text-to-image"));
	assert_null(annex_find(root, PLACE_ROUTE, "image-to-text"));
	int number = capability_number("image-to-text");
	provider_of(world, "a")->place->n_able[number] = 1;
	routes_update(world->engine);
	struct place *route = annex_find(root, PLACE_ROUTE, "image-to-text");
	assert_non_null(route);
	int64_t id = route->id;
	assert_true(route_listed(world->engine, route));
	provider_of(world, "a")->place->n_able[number] = 0;
	assert_false(route_listed(world->engine, route));
	world_close(world);
	world_open(world);
	route = annex_find(catalogue_root(world->engine->catalogue), PLACE_ROUTE, "image-to-text");
	assert_int_equal(route->id, id);
	assert_false(route_listed(world->engine, route));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(by_default_it_is_what_certainly_costs_nothing),
			TEST(a_price_that_is_stated_is_nothing_for_the_default_even_of_this_machine),
			TEST(patterns_count_in_their_order),
			TEST(patterns_that_only_leave_out_do_so_from_the_default),
			TEST(within_a_pattern_the_healthy_come_first_then_the_newest_then_by_name),
			TEST(words_of_many_lines_are_one_in_the_route),
			TEST(who_lacks_a_key_is_passed_over_with_the_remedy),
			TEST(a_service_of_this_machine_that_doesnt_answer_is_none_for_the_default),
			TEST(a_full_queue_is_passed_over),
			TEST(those_let_be_are_asked_when_there_is_nobody_else),
			TEST(what_a_budget_doesnt_let_is_passed_over),
			TEST(a_route_that_names_nothing_says_so),
			TEST(what_was_written_is_kept_until_an_empty_write),
			TEST(copying_back_what_is_shown_changes_nothing),
			TEST(config_yml_that_is_read_again_takes_force),
			TEST(a_capability_is_listed_while_somebody_can),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
