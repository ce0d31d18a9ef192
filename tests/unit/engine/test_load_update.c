/* Updates of providers from outside: beside the version in use, in its place, or not at all. */
#include "tests/unit/engine/loading.h"

#include <signal.h>

static struct world *opened(void **state) {
	struct world *world = *state;
	world_open(world);
	return world;
}

static bool update(struct world *world) {
	return load_update(provider_of(world, "acme"), NULL);
}

static void an_update_takes_its_place_while_turns_end_on_the_one_before(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	struct version *before = provider->version;
	cleanup_turn struct turn *turn = ask(world, "acme/hold", "q\n");
	WAIT(world, turn->row.output_size != 0);
	put(world, TWO, "/v2", "");
	assert_true(update(world));
	/* Another path is another host for nobody: nothing new is asked. */
	WAIT(world, provider->version != before);
	assert_string_equal(provider->load->used.commit, TWO);
	assert_string_equal(provider->load->previous_commit, ONE);
	assert_int_equal(turn->row.state, TURN_RUNNING);
	answers(world);
	free(server_ask("/release"));
	wait_over(world, turn);
	assert_output(turn, "so far and on\n");
	cleanup_free char *lock = lock_text(world);
	assert_holds(lock, "commit: " TWO);
	assert_holds(lock, "previous: {commit: " ONE);
}

static void an_update_that_fails_changes_nothing_and_says_why(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	struct version *before = provider->version;
	fake_break("there is no branch v9 at " URL, "");
	assert_true(update(world));
	WAIT(world, provider->load->step == LOAD_RESTING);
	assert_string_equal(provider->load->failure, "there is no branch v9 at " URL);
	/* One that is fetched and doesn't work. */
	fake_put(world->directory, URL, TWO,
			"id: acme-provider\ncapabilities: [text-to-text]\nsources: [provider.c]\n",
			"/nonexistent/provider.so");
	assert_true(update(world));
	WAIT(world, provider->load->step == LOAD_RESTING);
	assert_holds(provider->load->failure, "can't be loaded");
	/* One whose service answers no more. */
	put(world, THREE, "/v1/text", "");
	free(server_ask("/set?list=fail"));
	assert_true(update(world));
	WAIT(world, provider->load->step == LOAD_RESTING);
	assert_holds(provider->load->failure, "500");
	assert_ptr_equal(provider->version, before);
	assert_int_equal(provider->state, PROVIDER_READY);
	assert_string_equal(provider->load->used.commit, ONE);
	cleanup_free char *lock = lock_text(world);
	assert_holds(lock, "commit: " ONE);
	assert_null(strstr(lock, "previous"));
	answers(world);
}

static void an_update_that_asks_for_more_waits_for_it_while_the_old_one_runs(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	struct version *before = provider->version;
	setenv("ACME_KEY", "sk-acme", 1);
	put(world, TWO, "/v1", "key_env: ACME_KEY\nendpoints: [{host: 169.254.169.254}]\n");
	assert_true(update(world));
	WAIT(world, provider->load->step == LOAD_ASKING);
	assert_int_equal(provider->state, PROVIDER_READY);
	assert_holds(provider->load->details, "169.254.169.254, an address of the local network");
	answers(world);
	assert_non_null(getenv("ACME_KEY"));
	assert_ptr_equal(provider->version, before);
	allow(world, "acme");
	WAIT(world, provider->version != before);
	assert_null(getenv("ACME_KEY"));
	answers(world);
	assert_true(server_count("models-keyed") >= 1);
}

static void a_rollback_goes_back_and_forth(void **state) {
	struct world *world = opened(state);
	struct fail fail = {0};
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	refused(load_rollback(provider, &fail), &fail, ENOENT, "never updated");
	put(world, TWO, "/v1", "");
	assert_true(update(world));
	WAIT(world, strcmp(provider->load->used.commit, TWO) == 0);
	size_t begun = fake_begun;
	for (int i = 0; i < 2; i++) {
		assert_true(load_rollback(provider, NULL));
		WAIT(world, strcmp(provider->load->used.commit, i == 0 ? ONE : TWO) == 0);
		answers(world);
	}
	assert_string_equal(provider->load->previous_commit, ONE);
	assert_int_equal(fake_begun, begun);
}

static void an_update_that_waits_is_dropped_by_rollback(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	put(world, TWO, "/v1", "key_env: ACME_OTHER_KEY\n");
	assert_true(update(world));
	WAIT(world, provider->load->step == LOAD_ASKING);
	assert_true(load_rollback(provider, NULL));
	assert_int_equal(provider->load->step, LOAD_RESTING);
	assert_string_equal(provider->load->details, "");
	allow(world, "acme");
	assert_string_equal(provider->load->used.commit, ONE);
	answers(world);
}

static void an_update_of_a_service_that_wants_a_key_is_tried_without_asking_it(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "key_env: ACME_NO_KEY\nkey_required: true\n");
	load(world, URL, NULL);
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	allow(world, "acme");
	wait_for(world, "acme", PROVIDER_NEEDS_KEY);
	struct provider *provider = provider_of(world, "acme");
	put(world, TWO, "/v2", "key_env: ACME_NO_KEY\nkey_required: true\n");
	assert_true(update(world));
	WAIT(world, strcmp(provider->load->used.commit, TWO) == 0);
	assert_int_equal(server_count("models"), 0);
}

static void a_reload_starts_its_process_anew_and_fetches_nothing(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	int pid = process_pid(provider->version->process);
	size_t begun = fake_begun;
	assert_true(pid > 0);
	cleanup_turn struct turn *turn = ask(world, "acme/hold", "q\n");
	WAIT(world, turn->row.output_size != 0);
	assert_true(load_reload(provider, NULL));
	answers(world);
	assert_int_not_equal(process_pid(provider->version->process), pid);
	assert_int_equal(kill(pid, 0), 0);
	free(server_ask("/release"));
	wait_over(world, turn);
	assert_output(turn, "so far and on\n");
	WAIT(world, kill(pid, 0) != 0);
	assert_int_equal(fake_begun, begun);
}

static void another_ref_of_the_same_source_is_an_update(void **state) {
	struct world *world = opened(state);
	char manifest[512];
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	snprintf(manifest, sizeof(manifest),
			"id: acme-provider\ncapabilities: [text-to-text]\ndriver: openai\n"
			"base_url: http://127.0.0.1:%d/v1\n",
			server_port);
	fake_put(world->directory, URL "@v2", TWO, manifest, "");
	load(world, URL "@v2", NULL);
	WAIT(world, strcmp(provider->load->used.commit, TWO) == 0);
	assert_string_equal(provider->load->used.source.text, URL "@v2");
	assert_ptr_equal(provider_of(world, "acme"), provider);
	answers(world);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, loading_setup, loading_teardown)
	const struct CMUnitTest tests[] = {
			TEST(an_update_takes_its_place_while_turns_end_on_the_one_before),
			TEST(an_update_that_fails_changes_nothing_and_says_why),
			TEST(an_update_that_asks_for_more_waits_for_it_while_the_old_one_runs),
			TEST(a_rollback_goes_back_and_forth),
			TEST(an_update_that_waits_is_dropped_by_rollback),
			TEST(an_update_of_a_service_that_wants_a_key_is_tried_without_asking_it),
			TEST(a_reload_starts_its_process_anew_and_fetches_nothing),
			TEST(another_ref_of_the_same_source_is_an_update),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
