/* Providers from outside whose models are those that the manifest lists: nobody is asked for them.
 */
#include "tests/unit/engine/loading.h"

static struct world *opened(void **state) {
	struct world *world = *state;
	world_open_now(world);
	return world;
}

/* The same with an object of its own, which does no discovery. */
static void put_compiled(
		struct world *world, const char *commit, const char *object, const char *more) {
	char manifest[1024];
	snprintf(manifest, sizeof(manifest),
			"id: acme-provider\ncapabilities: [text-to-text]\nsources: [provider.c]\n"
			"discovery: static\n%s",
			more);
	fake_put(world->directory, URL, commit, manifest, object);
}

static void update(struct world *world) {
	cleanup_fail struct fail fail = {0};
	assert_true(load_update(provider_of(world, "acme"), &fail));
	WAIT(world, load_of(world, "acme")->step == LOAD_RESTING);
}

static void listed_models_are_there_and_the_service_is_not_asked(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1",
			"discovery: static\n"
			"models:\n  - {id: echo, name: Echo, description: Says it again}\n"
			"  - {id: maker/other, outputTypes: [image], parameters: [temperature]}\n");
	struct provider *provider = ready(world);
	WAIT(world, provider->place->n_models == 2);
	assert_int_equal(server_count("models"), 0);
	struct place *echo = place_of(world, "acme/echo");
	assert_non_null(echo);
	assert_true(echo->chat);
	struct place *other = place_of(world, "acme/maker/other");
	assert_non_null(other);
	assert_false(other->chat);
	answers(world);
	assert_int_equal(server_count("models"), 0);
}

static void a_compiled_one_needs_no_discovery(void **state) {
	struct world *world = opened(state);
	put_compiled(world, ONE, OBJECTS "/listed.so", "models: [one, two]\n");
	load(world, URL, NULL);
	wait_for(world, "acme", PROVIDER_READY);
	cleanup_turn struct turn *turn = ask(world, "acme/two", "q\n");
	wait_over(world, turn);
	assert_output(turn, "two\n");
}

static void an_update_changes_the_list(void **state) {
	struct world *world = opened(state);
	put_compiled(world, ONE, OBJECTS "/listed.so", "models: [one, two]\n");
	load(world, URL, NULL);
	wait_for(world, "acme", PROVIDER_READY);
	put_compiled(world, TWO, OBJECTS "/listed.so", "models: [two, three]\n");
	update(world);
	assert_string_equal(load_of(world, "acme")->used.commit, TWO);
	WAIT(world, place_of(world, "acme/three") != NULL && place_of(world, "acme/one") == NULL);
	assert_non_null(place_of(world, "acme/two"));
}

static void an_update_that_does_not_load_changes_nothing(void **state) {
	struct world *world = opened(state);
	put_compiled(world, ONE, OBJECTS "/listed.so", "models: [one, two]\n");
	load(world, URL, NULL);
	wait_for(world, "acme", PROVIDER_READY);
	put_compiled(world, TWO, "/nonexistent/provider.so", "models: [three]\n");
	update(world);
	assert_string_equal(load_of(world, "acme")->used.commit, ONE);
	assert_holds(load_of(world, "acme")->failure, "commit 2abcdef0292a isn't used");
	assert_non_null(place_of(world, "acme/one"));
	assert_null(place_of(world, "acme/three"));
}

#define with_loading(test) cmocka_unit_test_setup_teardown(test, loading_setup, loading_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			with_loading(listed_models_are_there_and_the_service_is_not_asked),
			with_loading(a_compiled_one_needs_no_discovery),
			with_loading(an_update_changes_the_list),
			with_loading(an_update_that_does_not_load_changes_nothing),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
