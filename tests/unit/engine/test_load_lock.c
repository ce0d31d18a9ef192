/* Providers from outside over mounts: providers.lock and config.yml, read at the mount and again.
 */
#include "tests/unit/engine/loading.h"

#include <sys/stat.h>

static void lock_write_text(struct world *world, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* As a program would that changes it beside the daemon. */
static void lock_write_text(struct world *world, const char *format, ...) {
	char path[128];
	va_list args;
	if (world->engine != NULL) {
		free(lock_text(world));
	}
	snprintf(path, sizeof(path), "%s/conduitfs", world->directory);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/conduitfs/providers.lock", world->directory);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs("version: 1\nproviders:\n", file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

#define ENTRY(name, commit) "  " name ":\n    source: " URL "\n    commit: " commit "\n"
#define ALLOW "    allow: {key_hosts: [\"http://127.0.0.1:%1$d\"]}\n"

static void reload(struct world *world) {
	cleanup_fail struct fail fail = {0};
	if (!engine_reload(world->engine, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

static void what_was_loaded_is_there_at_the_next_mount_without_fetching(void **state) {
	struct world *world = *state;
	world_open(world);
	put(world, ONE, "/v1", "");
	ready(world);
	free(lock_text(world));
	world_close(world);
	size_t begun = fake_begun;
	world_open_now(world);
	struct provider *provider = provider_of(world, "acme");
	assert_non_null(provider);
	assert_int_equal(provider->state, PROVIDER_READY);
	assert_non_null(place_of(world, "acme/echo"));
	assert_string_equal(provider->load->used.commit, ONE);
	answers(world);
	assert_int_equal(fake_begun, begun);
}

static void a_commit_that_the_cache_lost_is_fetched_exactly(void **state) {
	struct world *world = *state;
	lock_write_text(world, ENTRY("acme", ONE) ALLOW, server_port);
	put(world, ONE, "/v1", "");
	put(world, TWO, "/v1", "");
	world_open_now(world);
	assert_int_equal(provider_of(world, "acme")->state, PROVIDER_FETCHING);
	wait_for(world, "acme", PROVIDER_READY);
	assert_string_equal(fake_asked, ONE);
	assert_string_equal(load_of(world, "acme")->used.commit, ONE);
}

static void a_lock_without_a_grant_asks(void **state) {
	struct world *world = *state;
	lock_write_text(world, ENTRY("acme", ONE));
	put(world, ONE, "/v1", "");
	world_open_now(world);
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	assert_int_equal(server_count("models"), 0);
}

static void a_lock_with_a_fault_is_told_with_its_line(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	lock_write_text(world, "  acme: {commit: zzz}\n");
	assert_null(engine_open(&world->loop, &world->options, &fail));
	assert_holds(fail_words(&fail), "providers.lock:3: ");
}

static void a_program_loads_moves_and_unloads_beside_the_daemon(void **state) {
	struct world *world = *state;
	world_open(world);
	put(world, ONE, "/v1", "");
	lock_write_text(world, ENTRY("acme", ONE) ALLOW, server_port);
	reload(world);
	wait_for(world, "acme", PROVIDER_READY);
	struct provider *provider = provider_of(world, "acme");
	put(world, TWO, "/v2", "");
	lock_write_text(world, ENTRY("acme", TWO) "    previous: {commit: " ONE "}\n" ALLOW,
			server_port);
	reload(world);
	WAIT(world, strcmp(provider->load->used.commit, TWO) == 0);
	assert_ptr_equal(provider_of(world, "acme"), provider);
	assert_string_equal(provider->load->previous_commit, ONE);
	answers(world);
	/* As it is: nothing happens. */
	size_t begun = fake_begun;
	reload(world);
	assert_int_equal(provider->load->step, LOAD_RESTING);
	assert_int_equal(fake_begun, begun);
	lock_write_text(world, "%s", "");
	reload(world);
	assert_null(place_of(world, "acme"));
}

static void a_program_grants_and_revokes_beside_the_daemon(void **state) {
	struct world *world = *state;
	put(world, ONE, "/v1", "");
	lock_write_text(world, ENTRY("acme", ONE));
	world_open_now(world);
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	lock_write_text(world, ENTRY("acme", ONE) ALLOW, server_port);
	reload(world);
	wait_for(world, "acme", PROVIDER_READY);
	cleanup_turn struct turn *turn = ask(world, "acme/hold", "q\n");
	WAIT(world, turn->row.output_size != 0);
	lock_write_text(world, ENTRY("acme", ONE));
	reload(world);
	assert_int_equal(provider_of(world, "acme")->state, PROVIDER_NEEDS_CONSENT);
	assert_int_equal(turn->row.state, TURN_INTERRUPTED);
}

static void what_was_just_loaded_outlives_a_reload(void **state) {
	struct world *world = *state;
	world_open(world);
	put(world, ONE, "/v1", "");
	load(world, URL, NULL);
	reload(world);
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	allow(world, "acme");
	reload(world);
	wait_for(world, "acme", PROVIDER_READY);
	free(lock_text(world));
	reload(world);
	assert_int_equal(provider_of(world, "acme")->state, PROVIDER_READY);
	answers(world);
}

static void a_lock_that_cant_be_written_is_told_of_and_harms_nothing(void **state) {
	struct world *world = *state;
	char path[128];
	world_open(world);
	snprintf(path, sizeof(path), "%s/conduitfs", world->directory);
	mkdir(path, 0700);
	/* Where the file of the advisory lock would be. */
	snprintf(path, sizeof(path), "%s/conduitfs/providers.lock.lock", world->directory);
	assert_int_equal(mkdir(path, 0700), 0);
	put(world, ONE, "/v1", "");
	struct provider *provider = ready(world);
	WAIT(world, provider->last_error[0] != '\0');
	assert_holds(provider->last_error, "providers.lock.lock");
	answers(world);
}

static void config_yml_loads_and_grants_and_the_lock_pins(void **state) {
	struct world *world = *state;
	struct fail fail = {0};
	static const char config[] = "providers:\n  acme: {source: \"" URL "\", retries: 1,\n"
				     "    allow: {key_hosts: [\"http://127.0.0.1:%1$d\"]}}\n";
	put(world, ONE, "/v1", "");
	config_write(world, config);
	world_open_now(world);
	wait_for(world, "acme", PROVIDER_READY);
	assert_int_equal(provider_of(world, "acme")->config->retries, 1);
	cleanup_free char *lock = lock_text(world);
	assert_holds(lock, "commit: " ONE);
	assert_null(strstr(lock, "allow"));
	refused(load_unload(world->engine, "acme", &fail), &fail, EINVAL,
			"config.yml:2 names acme");
	refused(load_revoke(world->engine, "acme", &fail), &fail, EINVAL, "config.yml:2 grants");
	world_close(world);
	put(world, TWO, "/v1", "");
	world_open(world);
	assert_string_equal(load_of(world, "acme")->used.commit, ONE);
	/* Another source is another provider. */
	char manifest[512];
	snprintf(manifest, sizeof(manifest),
			"id: acme-provider\ncapabilities: [text-to-text]\ndriver: openai\n"
			"base_url: http://127.0.0.1:%d/v1\n",
			server_port);
	fake_put(world->directory, "https://example.com/fork", THREE, manifest, "");
	config_write(world, "providers:\n  acme: {source: \"https://example.com/fork\",\n"
			    "    allow: {key_hosts: [\"http://127.0.0.1:%1$d\"]}}\n");
	reload(world);
	wait_for(world, "acme", PROVIDER_READY);
	assert_string_equal(load_of(world, "acme")->used.commit, THREE);
}

static void what_config_yml_grants_counts_beside_what_was_allowed(void **state) {
	struct world *world = *state;
	put(world, ONE, "/v1", "endpoints: [{host: a.example.com}, {host: b.example.com}]\n");
	config_write(world, "providers:\n  acme: {source: \"" URL "\", "
			    "allow: {hosts: [a.example.com]}}\n#%1$d");
	world_open_now(world);
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	const char *details = load_of(world, "acme")->details;
	assert_holds(details, "b.example.com");
	assert_null(strstr(details, "a.example.com"));
	allow(world, "acme");
	wait_for(world, "acme", PROVIDER_READY);
}

static void settings_in_config_yml_are_for_what_the_lock_names_too(void **state) {
	struct world *world = *state;
	put(world, ONE, "/v1", "");
	lock_write_text(world, ENTRY("acme", ONE) ALLOW, server_port);
	config_write(world, "providers:\n  acme: {config: {temperature: 0.5}}\n#%1$d");
	world_open_now(world);
	wait_for(world, "acme", PROVIDER_READY);
	assert_string_equal(engine_setting(world->engine, place_of(world, "acme"), "temperature"),
			"0.5");
}

static void a_source_and_a_driver_are_too_much(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, "providers:\n  acme: {source: \"" URL "\", driver: openai}\n"
			    "  local: {driver: openai, allow: {hosts: [x.org]}}\n#%1$d");
	assert_null(engine_open(&world->loop, &world->options, &fail));
	assert_holds(fail_words(&fail),
			"config.yml:2: providers.acme.source: stands beside driver");
	assert_holds(fail_words(&fail), "config.yml:3: providers.local.allow: is for a provider");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, loading_setup, loading_teardown)
	const struct CMUnitTest tests[] = {
			TEST(what_was_loaded_is_there_at_the_next_mount_without_fetching),
			TEST(a_commit_that_the_cache_lost_is_fetched_exactly),
			TEST(a_lock_without_a_grant_asks),
			TEST(a_lock_with_a_fault_is_told_with_its_line),
			TEST(a_program_loads_moves_and_unloads_beside_the_daemon),
			TEST(a_program_grants_and_revokes_beside_the_daemon),
			TEST(what_was_just_loaded_outlives_a_reload),
			TEST(a_lock_that_cant_be_written_is_told_of_and_harms_nothing),
			TEST(config_yml_loads_and_grants_and_the_lock_pins),
			TEST(what_config_yml_grants_counts_beside_what_was_allowed),
			TEST(settings_in_config_yml_are_for_what_the_lock_names_too),
			TEST(a_source_and_a_driver_are_too_much),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
