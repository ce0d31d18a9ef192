/* See loading.h. */
#include "tests/unit/engine/loading.h"

#include "core/engine/load/load_private.h"

int loading_setup(void **state) {
	int failed = world_setup(state);
	struct world *world = *state;
	if (failed == 0) {
		world->options.fetcher = "/nonexistent/conduitfs-fetch";
		fake_reset();
		unsetenv("ACME_KEY");
		config_write(world, "providers:\n");
	}
	return failed;
}

int loading_teardown(void **state) {
	int failed = world_teardown(state);
	fake_reset();
	return failed;
}

void put(struct world *world, const char *commit, const char *path, const char *more) {
	char manifest[1024];
	snprintf(manifest, sizeof(manifest),
			"id: acme-provider\nversion: %.4s\ncapabilities: [text-to-text]\n"
			"driver: openai\nbase_url: http://127.0.0.1:%d%s\n%s",
			commit, server_port, path, more);
	fake_put(world->directory, URL, commit, manifest, "");
}

struct load *load_of(struct world *world, const char *name) {
	struct provider *provider = provider_of(world, name);
	assert_non_null(provider);
	assert_non_null(provider->load);
	return provider->load;
}

void load(struct world *world, const char *text, const char *name) {
	cleanup_fail struct fail fail = {0};
	if (!load_source(world->engine, text, name, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

void refused(bool done, struct fail *fail, int code, const char *words) {
	assert_false(done);
	if (fail->code != code) {
		fail_msg("%s, not %s: %s", errno_name(fail->code), errno_name(code),
				fail_words(fail));
	}
	assert_holds(fail_words(fail), words);
	fail_finish(fail);
}

void allow(struct world *world, const char *name) {
	cleanup_fail struct fail fail = {0};
	if (!load_allow(world->engine, name, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

void wait_for(struct world *world, const char *name, enum provider_state state) {
	uint64_t until = uv_hrtime() + WAIT_NS;
	struct provider *provider = NULL;
	while ((provider = provider_of(world, name)) == NULL || provider->state != state) {
		if (uv_hrtime() > until) {
			fail_msg("%s is %s: %s", name,
					provider != NULL ? provider_state_name(provider->state)
							 : "not there",
					provider != NULL ? provider->why : "");
		}
		world_turn(world);
	}
}

struct provider *ready(struct world *world) {
	load(world, URL, NULL);
	wait_for(world, "acme", PROVIDER_NEEDS_CONSENT);
	allow(world, "acme");
	wait_for(world, "acme", PROVIDER_READY);
	return provider_of(world, "acme");
}

void answers(struct world *world) {
	cleanup_turn struct turn *turn = ask(world, "acme/echo", "q\n");
	wait_over(world, turn);
	assert_output(turn, "q\n");
}

char *lock_text(struct world *world) {
	char path[128];
	cleanup_buf struct buf text = {0};
	WAIT(world, !pins_busy(world->engine->loads->pins));
	snprintf(path, sizeof(path), "%s/conduitfs/providers.lock", world->directory);
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t size = file != NULL ? fread(piece, 1, sizeof(piece), file) : 0;
	buf_add(&text, piece, size);
	if (file != NULL) {
		fclose(file);
	}
	return strdup(buf_string(&text));
}
