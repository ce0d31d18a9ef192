/* Providers from outside: from `load` to a turn, consent, updates. Fetching is scripted. */
#include "tests/unit/engine/loading.h"

#include <errno.h>

static struct world *opened(void **state) {
	struct world *world = *state;
	world_open(world);
	return world;
}

/* ---- loading ---- */

static void a_provider_shows_at_once_and_tells_how_far_it_is(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	fake_hold(FETCH_RECEIVING, "receiving objects 3 of 8");
	load(world, URL, NULL);
	assert_int_equal(provider_of(world, "acme")->state, PROVIDER_FETCHING);
	WAIT(world, strcmp(load_of(world, "acme")->progress, "receiving objects 3 of 8") == 0);
	fake_hold(FETCH_BUILDING, "compiling provider.c");
	wait_for(world, "acme", PROVIDER_BUILDING);
	fake_let_go();
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	allow(world, "acme");
	wait_for(world, "acme", PROVIDER_READY);
	answers(world);
}

static void what_is_loaded_is_loaded_once(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	load(world, URL, NULL);
	load(world, URL, "acme");
	assert_ptr_equal(provider_of(world, "acme"), provider);
	assert_int_equal(fake_begun, 1);
	assert_int_equal(provider->load->step, LOAD_RESTING);
}

static void a_name_that_is_another_source_s_is_eexist(void **state) {
	struct world *world = opened(state);
	struct fail fail = {0};
	put(world, ONE, "/v1", "");
	ready(world);
	refused(load_source(world->engine, "https://elsewhere.org/acme", NULL, &fail), &fail,
			EEXIST, "providers/acme is loaded from " URL);
	load(world, "https://elsewhere.org/acme", "other");
	assert_non_null(provider_of(world, "other"));
	refused(load_source(world->engine, URL, "openai", &fail), &fail, EEXIST, "bundled");
}

static void what_is_no_source_or_name_is_einval(void **state) {
	struct world *world = opened(state);
	struct fail fail = {0};
	refused(load_source(world->engine, "https://", NULL, &fail), &fail, EINVAL, "https://");
	refused(load_source(world->engine, "nobody", NULL, &fail), &fail, EINVAL,
			"no bundled provider 'nobody'");
	refused(load_source(world->engine, URL, "Not A Name", &fail), &fail, EINVAL,
			"can't be a provider's name");
	assert_null(provider_of(world, "acme"));
	assert_int_equal(fake_begun, 0);
}

static void a_failure_is_told_and_load_tries_again(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	fake_break("the build failed", "provider.c:3: error: expected ';'");
	load(world, URL, NULL);
	wait_for(world, "acme", PROVIDER_FAILED);
	struct provider *provider = provider_of(world, "acme");
	assert_string_equal(provider->why, "the build failed");
	assert_holds(provider->load->details, "provider.c:3: error");
	put(world, TWO, "/v1", "");
	load(world, URL, NULL);
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	assert_string_equal(provider->load->next.commit, TWO);
}

static void the_manifest_s_id_is_its_name_unless_one_was_given(void **state) {
	struct world *world = opened(state);
	char manifest[512];
	snprintf(manifest, sizeof(manifest),
			"id: real-provider\ncapabilities: [text-to-text]\ndriver: openai\n"
			"base_url: http://127.0.0.1:%d/v1\n",
			server_port);
	fake_put(world->directory, "https://example.com/guessed", ONE, manifest, "");
	load(world, "https://example.com/guessed", NULL);
	assert_non_null(provider_of(world, "guessed"));
	wait_for(world, "real", PROVIDER_NEEDS_CONSENT);
	assert_null(provider_of(world, "guessed"));
	/* It is the same one. */
	load(world, "https://example.com/guessed", NULL);
	assert_null(provider_of(world, "guessed"));
	load(world, "https://example.com/guessed", "mine");
	wait_for(world, "mine", PROVIDER_NEEDS_CONSENT);
	cleanup_free char *lock = lock_text(world);
	assert_holds(lock, "  real:\n");
	assert_holds(lock, "  mine:\n");
	assert_null(strstr(lock, "guessed:"));
}

static void a_manifest_that_bears_a_bundled_name_needs_another(void **state) {
	struct world *world = opened(state);
	fake_put(world->directory, "https://example.com/guessed", ONE,
			"id: openai-provider\ncapabilities: [text-to-text]\ndriver: openai\n", "");
	load(world, "https://example.com/guessed", NULL);
	wait_for(world, "guessed", PROVIDER_FAILED);
	assert_holds(provider_of(world, "guessed")->why, "load it under another name");
}

/* ---- consent ---- */

static void nothing_is_sent_or_read_before_it_is_granted(void **state) {
	struct world *world = opened(state);
	struct fail fail = {0};
	setenv("ACME_KEY", "sk-acme", 1);
	put(world, ONE, "/v1", "key_env: ACME_KEY\n");
	load(world, URL, NULL);
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	struct provider *provider = provider_of(world, "acme");
	assert_holds(provider->load->details, "the key in $ACME_KEY, sent to http://127.0.0.1:");
	assert_holds(provider->load->details, "echo allow acme > ctl");
	discovery_refresh(provider);
	assert_string_equal(getenv("ACME_KEY"), "sk-acme");
	assert_null(provider->version);
	assert_int_equal(server_count("models"), 0);
	refused(engine_may_submit(world->engine, provider->place, &fail), &fail, EACCES,
			"the key in $ACME_KEY");
	allow(world, "acme");
	wait_for(world, "acme", PROVIDER_READY);
	assert_null(getenv("ACME_KEY"));
	assert_int_equal(server_count("models-keyed"), 1);
}

static void a_bundled_provider_s_key_is_asked_for_by_its_name(void **state) {
	struct world *world = opened(state);
	config_write(world, "providers:\n  openai: {base_url: \"http://127.0.0.1:%1$d/v1\"}\n#");
	assert_true(engine_reload(world->engine, NULL));
	put(world, ONE, "/v1", "key_env: OPENAI_API_KEY\n");
	load(world, URL, NULL);
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	assert_holds(load_of(world, "acme")->details,
			"$OPENAI_API_KEY is the key of the bundled provider openai");
}

static void what_was_revoked_ends_its_turns_and_asks_again(void **state) {
	struct world *world = opened(state);
	struct fail fail = {0};
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	cleanup_turn struct turn *turn = ask(world, "acme/hold", "q\n");
	cleanup_turn struct turn *open = begin(world, "acme/echo", "q\n", 2);
	WAIT(world, turn->row.output_size != 0);
	assert_true(load_revoke(world->engine, "acme", NULL));
	assert_int_equal(turn->row.state, TURN_INTERRUPTED);
	engine_submit(world->engine, open);
	assert_failed(open, EACCES, "isn't granted");
	assert_int_equal(provider->state, PROVIDER_NEEDS_CONSENT);
	refused(engine_may_submit(world->engine, place_of(world, "acme/echo"), &fail), &fail,
			EACCES, "isn't granted");
	WAIT(world, server_count("hold-closed") == 1);
	cleanup_free char *lock = lock_text(world);
	assert_null(strstr(lock, "allow:"));
	assert_holds(lock, ONE);
	allow(world, "acme");
	wait_for(world, "acme", PROVIDER_READY);
	answers(world);
}

static void only_what_was_named_as_local_may_be_in_the_local_network(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "endpoints: [{host: a.example.com}, {host: 10.0.0.7, key: true}]\n");
	const struct version *version = ready(world)->version;
	assert_int_equal(version->n_hosts, 3);
	assert_string_equal(version->hosts[0].host, "127.0.0.1");
	assert_true(version->hosts[0].local && version->hosts[0].keyed);
	/* Wherever that name leads to one day. */
	assert_false(version->hosts[1].local || version->hosts[1].keyed);
	assert_true(version->hosts[2].local && version->hosts[2].keyed);
	fake_put(world->directory, "https://example.com/remote", TWO,
			"id: remote-provider\ncapabilities: [text-to-text]\n"
			"driver: openai\nbase_url: https://api.example.com/v1\n",
			"");
	load(world, "https://example.com/remote", NULL);
	wait_for(world, "remote", PROVIDER_NEEDS_CONSENT);
	allow(world, "remote");
	assert_false(provider_of(world, "remote")->version->hosts[0].local);
	assert_false(provider_of(world, "remote")->version->local);
}

static void no_variable_that_a_stranger_names_is_its_address(void **state) {
	struct world *world = opened(state);
	setenv("SOMEBODYS_URL", "http://127.0.0.1:1/secret", 1);
	put(world, ONE, "/v1", "base_url_env: SOMEBODYS_URL\n");
	assert_null(strstr(ready(world)->version->base_url, "secret"));
	unsetenv("SOMEBODYS_URL");
	/* The user's own word is. */
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/own", server_port);
	setenv("MINE_BASE_URL", url, 1);
	load(world, URL, "mine");
	wait_for(world, "mine", PROVIDER_NEEDS_CONSENT);
	allow(world, "mine");
	assert_string_equal(provider_of(world, "mine")->version->base_url, url);
	unsetenv("MINE_BASE_URL");
}

static void who_asks_for_nothing_needs_no_consent(void **state) {
	struct world *world = opened(state);
	struct fail fail = {0};
	fake_put(world->directory, URL, ONE,
			"id: acme-provider\ncapabilities: [text-to-text]\nsources: [provider.c]\n",
			OBJECTS "/odd.so");
	load(world, URL, NULL);
	WAIT(world, provider_of(world, "acme")->version != NULL);
	assert_true(load_allow(world->engine, "acme", &fail));
	refused(load_allow(world->engine, "nobody", &fail), &fail, ENOENT, "'nobody'");
}

/* ---- going ---- */

static void unload_ends_its_turns_and_forgets_it(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	ready(world);
	cleanup_turn struct turn *turn = ask(world, "acme/hold", "q\n");
	WAIT(world, turn->row.output_size != 0);
	assert_true(load_unload(world->engine, "acme", NULL));
	assert_int_equal(turn->row.state, TURN_INTERRUPTED);
	assert_null(place_of(world, "acme"));
	cleanup_free char *lock = lock_text(world);
	assert_null(strstr(lock, "acme"));
}

static void what_is_under_way_ends_with_the_provider_or_the_engine(void **state) {
	struct world *world = opened(state);
	put(world, ONE, "/v1", "");
	fake_hold(FETCH_RECEIVING, "receiving");
	load(world, URL, NULL);
	WAIT(world, load_of(world, "acme")->progress[0] == 'r');
	assert_true(load_unload(world->engine, "acme", NULL));
	assert_int_equal(fake_cancelled, 1);
	load(world, URL, NULL);
	world_close(world);
	assert_int_equal(fake_cancelled, 2);
	assert_int_equal(fake_under_way, 0);
}

static void a_bundled_provider_is_hidden_shown_and_loaded_twice(void **state) {
	struct world *world = opened(state);
	config_write(world, ODD("/odd") "#");
	assert_true(engine_reload(world->engine, NULL));
	struct fail fail = {0};
	refused(load_unload(world->engine, "nobody", &fail), &fail, ENOENT, "'nobody'");
	load(world, "odd", "second");
	wait_for(world, "second", PROVIDER_FAILED);
	assert_true(load_unload(world->engine, "odd", NULL));
	assert_null(place_of(world, "odd"));
	assert_true(engine_reload(world->engine, NULL));
	assert_null(place_of(world, "odd"));
	load(world, "odd", NULL);
	assert_non_null(place_of(world, "odd"));
}

/* ---- repositories for another host ---- */

#define ELSEWHERE(name) "id: " name "-provider\ncapabilities: [text-to-text]\n"

/* The bundled provider `odd` is there. */
static struct world *with_bundled(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/odd") "#");
	return opened(state);
}

static void a_program_for_another_host_is_replaced_by_the_bundled_provider(void **state) {
	struct world *world = with_bundled(state);
	fake_put(world->directory, URL, ONE, ELSEWHERE("odd"), "");
	load(world, URL, "work");
	WAIT(world, provider_of(world, "work")->version != NULL);
	struct load *work = load_of(world, "work");
	assert_string_equal(provider_of(world, "work")->version->driver, "odd");
	assert_false(provider_of(world, "work")->version->foreign);
	assert_string_equal(work->used.bundled, "odd");
	cleanup_free char *lock = lock_text(world);
	assert_holds(lock, "  work:\n    source: " URL "\n    commit: " ONE);
	fake_put(world->directory, "https://example.com/x", TWO, ELSEWHERE("nobody"), "");
	load(world, "https://example.com/x", NULL);
	wait_for(world, "x", PROVIDER_FAILED);
	assert_holds(provider_of(world, "x")->why, "no bundled provider nobody");
}

/* Whether it shows under the name at once, or only once its manifest is known. */
static void is_lent(void **state, const char *source) {
	struct world *world = with_bundled(state);
	struct provider *odd = provider_of(world, "odd");
	const struct version *version = odd->version;
	fake_put(world->directory, source, ONE, ELSEWHERE("odd"), "");
	load(world, source, NULL);
	WAIT(world, odd->load != NULL && odd->load->used.commit != NULL);
	assert_ptr_equal(odd->version, version);
	assert_true(odd->load->lent);
	assert_null(provider_of(world, "guessed"));
	free(lock_text(world));
	world_close(world);
	size_t begun = fake_begun;
	world_open(world);
	odd = provider_of(world, "odd");
	assert_true(odd->load->lent);
	assert_string_equal(odd->load->used.bundled, "odd");
	assert_int_equal(fake_begun, begun);
	assert_true(engine_reload(world->engine, NULL));
	assert_non_null(odd->load);
	/* Unloading it is unloading the repository; the bundled provider stays. */
	assert_true(load_unload(world->engine, "odd", NULL));
	assert_ptr_equal(provider_of(world, "odd"), odd);
	assert_null(odd->load);
	cleanup_free char *lock = lock_text(world);
	assert_null(strstr(lock, "odd"));
}

static void a_repository_of_a_bundled_provider_s_name_is_lent_that(void **state) {
	is_lent(state, "https://example.com/odd-provider");
}

static void so_is_one_whose_manifest_alone_says_so(void **state) {
	is_lent(state, "https://example.com/guessed");
}

static void one_with_code_of_its_own_gets_no_bundled_name(void **state) {
	struct world *world = with_bundled(state);
	struct provider *odd = provider_of(world, "odd");
	const struct version *version = odd->version;
	fake_put(world->directory, "https://example.com/odd", ONE,
			ELSEWHERE("odd") "driver: openai\nbase_url: https://evil.example.com\n",
			"");
	load(world, "https://example.com/odd", NULL);
	WAIT(world, odd->load != NULL && odd->load->failure[0] != '\0');
	assert_holds(odd->load->failure, "load it under another name");
	assert_ptr_equal(odd->version, version);
	cleanup_free char *lock = lock_text(world);
	assert_null(strstr(lock, "odd"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, loading_setup, loading_teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_provider_shows_at_once_and_tells_how_far_it_is),
			TEST(what_is_loaded_is_loaded_once),
			TEST(a_name_that_is_another_source_s_is_eexist),
			TEST(what_is_no_source_or_name_is_einval),
			TEST(a_failure_is_told_and_load_tries_again),
			TEST(the_manifest_s_id_is_its_name_unless_one_was_given),
			TEST(a_manifest_that_bears_a_bundled_name_needs_another),
			TEST(nothing_is_sent_or_read_before_it_is_granted),
			TEST(a_bundled_provider_s_key_is_asked_for_by_its_name),
			TEST(what_was_revoked_ends_its_turns_and_asks_again),
			TEST(only_what_was_named_as_local_may_be_in_the_local_network),
			TEST(no_variable_that_a_stranger_names_is_its_address),
			TEST(who_asks_for_nothing_needs_no_consent),
			TEST(unload_ends_its_turns_and_forgets_it),
			TEST(what_is_under_way_ends_with_the_provider_or_the_engine),
			TEST(a_bundled_provider_is_hidden_shown_and_loaded_twice),
			TEST(a_program_for_another_host_is_replaced_by_the_bundled_provider),
			TEST(a_repository_of_a_bundled_provider_s_name_is_lent_that),
			TEST(so_is_one_whose_manifest_alone_says_so),
			TEST(one_with_code_of_its_own_gets_no_bundled_name),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
