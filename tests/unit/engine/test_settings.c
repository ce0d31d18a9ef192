/* Which settings are in force, and what of them is sent. */
#include "tests/unit/engine/world.h"

#include <errno.h>

static void assert_setting(
		struct world *world, struct place *place, const char *name, const char *expected) {
	assert_string_equal(engine_setting(world->engine, place, name), expected);
}

static void a_value_is_the_models_then_the_providers_then_config_ymls_then_the_roots(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("config: {temperature: 0.5}"));
	world_open(world);
	struct place *root = catalogue_root(world->engine->catalogue);
	struct place *model = place_of(world, "local/maker/echo");
	struct place *provider = place_of(world, "local");
	write_setting(world, root, "temperature", "0.1");
	assert_setting(world, model, "temperature", "0.5");
	assert_setting(world, root, "temperature", "0.1");
	assert_setting(world, NULL, "temperature", "0.1");
	write_setting(world, provider, "temperature", "0.7");
	assert_setting(world, model, "temperature", "0.7");
	write_setting(world, model, "temperature", "0.9");
	assert_setting(world, model, "temperature", "0.9");
	assert_setting(world, provider, "temperature", "0.7");
	write_setting(world, model, "temperature", NULL);
	write_setting(world, provider, "temperature", NULL);
	assert_setting(world, model, "temperature", "0.5");
	assert_setting(world, model, "top_p", "");
	assert_setting(world, model, "timeout_connect", "15");
	assert_setting(world, model, "nonsense", "");
}

static void time_outs_and_retries_of_config_yml_are_settings_like_any(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("retries: 2, timeout: {idle: 7.5, total: 90}"));
	world_open(world);
	struct place *model = place_of(world, "local/echo");
	assert_setting(world, model, "timeout_idle", "7.5");
	assert_setting(world, model, "retries", "2");
	assert_true(engine_number(world->engine, model, "timeout_total", 1) == 90);
	assert_true(engine_number(world->engine, model, "timeout_connect", 1) == 15);
	assert_true(engine_number(world->engine, model, "temperature", 1) == 1);
	/* The table's own value, when somebody wrote it, is a value too. */
	write_setting(world, model, "timeout_idle", "120");
	assert_true(engine_number(world->engine, model, "timeout_idle", 1) == 120);
}

static void written_settings_are_kept_across_mounts(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	write_setting(world, place_of(world, "local/echo"), "seed", "42");
	write_setting(world, place_of(world, "local/echo"), "top_p", "0.5");
	world_close(world);
	world_open(world);
	struct place *model = place_of(world, "local/echo");
	assert_setting(world, model, "seed", "42");
	values_reset(world->engine->values, model->id);
	assert_setting(world, model, "seed", "");
	world_close(world);
	world_open(world);
	assert_setting(world, place_of(world, "local/echo"), "top_p", "");
}

static void a_model_has_the_settings_of_everywhere_and_those_it_names(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct place *model = place_of(world, "local/echo");
	assert_true(engine_has_setting(world->engine, model, setting_find("temperature")));
	assert_true(engine_has_setting(world->engine, model, setting_find("top_k")));
	assert_false(engine_has_setting(world->engine, model, setting_find("top_a")));
	assert_false(engine_has_setting(world->engine, model, -1));
	assert_true(engine_has_setting(
			world->engine, place_of(world, "local"), setting_find("top_a")));
}

static void only_what_the_model_takes_is_sent(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/odd"));
	world_open(world);
	struct place *root = catalogue_root(world->engine->catalogue);
	write_setting(world, root, "temperature", "0.25");
	write_setting(world, root, "top_k", "7");
	write_setting(world, root, "top_a", "0.5");
	write_setting(world, root, "timeout_idle", "60");
	cleanup_turn struct turn *turn = ask(world, "odd/settings", "q\n");
	wait_over(world, turn);
	assert_output(turn, "temperature=0.25\ntop_k=7\nmax_tokens=3984\n");
}

/* What max_tokens a prompt of so many bytes was sent with. */
static void assert_max_tokens(struct world *world, const char *path, size_t bytes, int expected) {
	char member[64];
	cleanup_free char *prompt = malloc(bytes);
	memset(prompt, 'x', bytes);
	cleanup_turn struct turn *turn = begin(world, path, prompt, bytes);
	engine_submit(world->engine, turn);
	wait_over(world, turn);
	cleanup_free char *output = text_of(turn, TURN_OUTPUT);
	snprintf(member, sizeof(member), "max_tokens=%d\n", expected);
	assert_holds(output, member);
}

static void max_tokens_fits_beside_the_prompt_into_the_context(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/odd"));
	world_open(world);
	/* A context of 4000, a token of at least three bytes, and 16 for what goes around. */
	assert_max_tokens(world, "odd/settings", 3000, 4000 - 1000 - 16);
	/* Never below 256, whatever the service says to it. */
	assert_max_tokens(world, "odd/settings", 300000, 256);
	write_setting(world, place_of(world, "odd/settings"), "max_tokens", "12345");
	assert_max_tokens(world, "odd/settings", 3000, 12345);
}

static void max_tokens_is_the_models_limit_or_16384(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/odd"));
	world_open(world);
	assert_max_tokens(world, "odd/settings-unbounded", 3, 16384);
	assert_max_tokens(world, "odd/settings-1000", 3, 1000);
	assert_max_tokens(world, "odd/settings-100", 3, 100);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_value_is_the_models_then_the_providers_then_config_ymls_then_the_roots),
			TEST(time_outs_and_retries_of_config_yml_are_settings_like_any),
			TEST(written_settings_are_kept_across_mounts),
			TEST(a_model_has_the_settings_of_everywhere_and_those_it_names),
			TEST(only_what_the_model_takes_is_sent),
			TEST(max_tokens_fits_beside_the_prompt_into_the_context),
			TEST(max_tokens_is_the_models_limit_or_16384),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
