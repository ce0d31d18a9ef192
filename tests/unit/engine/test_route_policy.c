/* Routes: what their policy, prices and max_price make of the order. */
#include "tests/unit/engine/routing.h"

#include <errno.h>

static void cheapest_asks_what_costs_least_and_what_is_unknown_last(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	make_remote(world, "a");
	set(world, "a/[no]*\n");
	price(world, "a/ok", 1, 3);
	price(world, "a/other", 2, 1);
	set_value(world, "policy", "cheapest");
	assert_chosen(world, "a/other");
	place_of(world, "a/newer")->free = true;
	assert_chosen(world, "a/newer");
	set_value(world, "policy", "listed");
	place_of(world, "a/newer")->free = false;
	assert_chosen(world, "a/newer");
	set_value(world, "policy", "free");
	place_of(world, "a/ok")->free = true;
	assert_chosen(world, "a/ok");
}

static void fastest_goes_by_what_was_measured(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	set(world, "a/[no]*\n");
	set_value(world, "policy", "fastest");
	assert_chosen(world, "a/newer");
	health_answered(world->engine->health, place_of(world, "a/other"), 0.9);
	assert_chosen(world, "a/other");
	health_answered(world->engine->health, place_of(world, "a/ok"), 0.2);
	assert_chosen(world, "a/ok");
}

static void local_first_asks_this_machine(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	make_remote(world, "a");
	set(world, "*/ok\n");
	assert_chosen(world, "a/ok");
	set_value(world, "policy", "local-first");
	assert_chosen(world, "b/ok");
}

static void above_max_price_nobody_is_asked(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	make_remote(world, "a");
	set(world, "a/ok\na/other\na/newer\n");
	price(world, "a/ok", 0.5, 5);
	price(world, "a/other", 0.5, 2);
	set_value(world, "max_price", "2");
	assert_chosen(world, "a/other");
	assert_shown(world, "# - a/ok  its price is above config/max_price, or isn't known\n");
	assert_shown(world, "# - a/newer  its price is above config/max_price, or isn't known\n");
	set_value(world, "max_price", "0.1");
	assert_nobody(world, ENODEV, "config/max_price");
	place_of(world, "a/newer")->free = true;
	assert_chosen(world, "a/newer");
	assert_shown(world, "# 1 a/newer  unknown, free\n");
}

/* `a` is remote and states no price: config.yml does. */
#define PRICED(price)                                                                              \
	"providers:\n"                                                                             \
	"  a: {driver: openai, base_url: \"http://127.0.0.1:%1$d/routes/v1\", price: " price "}\n" \
	"  b: {driver: openai, base_url: \"http://127.0.0.1:%1$d/routes/v1\"}\n"

static void what_config_yml_says_of_prices_counts_for_policy_and_max_price(void **state) {
	struct world *world = *state;
	config_write(world, PRICED("{prompt: 1, completion: 2}"));
	world_open(world);
	make_remote(world, "a");
	make_remote(world, "b");
	set(world, "b/ok\na/ok\n");
	set_value(world, "max_price", "2");
	assert_chosen(world, "a/ok");
	assert_shown(world, "# 1 a/ok  unknown, USD 1 and 2 a million tokens\n");
	assert_shown(world, "# - b/ok  its price is above config/max_price, or isn't known\n");
	set_value(world, "max_price", "1.5");
	assert_nobody(world, ENODEV, "config/max_price");
	set_value(world, "max_price", NULL);
	set_value(world, "policy", "cheapest");
	set(world, "*/ok\n");
	price(world, "b/ok", 2, 2);
	assert_chosen(world, "a/ok");
	/* What the service states counts before. */
	price(world, "a/ok", 3, 3);
	assert_chosen(world, "b/ok");
}

static void what_config_yml_prices_isnt_free_for_the_default(void **state) {
	struct world *world = *state;
	config_write(world, PRICED("{completion: 2}"));
	world_open(world);
	assert_chosen(world, "b/newer");
	/* A provider from outside says that it is free; config.yml says what it costs. */
	place_of(world, "a/newer")->free = true;
	assert_chosen(world, "a/newer");
	provider_of(world, "a")->version->foreign = true;
	assert_chosen(world, "b/newer");
}

static void what_costs_nothing_by_config_yml_does_for_a_budget(void **state) {
	struct world *world = *state;
	config_write(world, "budget: {day: 0}\n" PRICED("{prompt: 0}"));
	world_open(world);
	make_remote(world, "a");
	make_remote(world, "b");
	set(world, "b/ok\na/ok\n");
	price(world, "b/ok", 1, 1);
	assert_chosen(world, "a/ok");
	assert_shown(world, "# 1 a/ok  unknown, free\n");
	/* It has to be named all the same. */
	set(world, "\n");
	assert_nobody(world, ENOKEY, "nothing is set up to answer");
}

static void listed_at_nothing_and_not_certainly_free_is_unknown(void **state) {
	struct world *world = *state;
	config_write(world, TWO);
	world_open(world);
	make_remote(world, "a");
	make_remote(world, "b");
	set(world, "a/ok\nb/ok\n");
	price(world, "a/ok", 0, 0);
	price(world, "b/ok", 1, 1);
	assert_shown(world, "# 1 a/ok  unknown, price unknown\n");
	set_value(world, "max_price", "2");
	assert_chosen(world, "b/ok");
	set_value(world, "max_price", NULL);
	set_value(world, "policy", "cheapest");
	set(world, "*/ok\n");
	assert_chosen(world, "b/ok");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(cheapest_asks_what_costs_least_and_what_is_unknown_last),
			TEST(fastest_goes_by_what_was_measured),
			TEST(local_first_asks_this_machine),
			TEST(above_max_price_nobody_is_asked),
			TEST(what_config_yml_says_of_prices_counts_for_policy_and_max_price),
			TEST(what_config_yml_prices_isnt_free_for_the_default),
			TEST(what_costs_nothing_by_config_yml_does_for_a_budget),
			TEST(listed_at_nothing_and_not_certainly_free_is_unknown),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
