/* Routes for tests: see routing.h. */
#include "tests/unit/engine/routing.h"

#include "core/store/annex.h"

#include <errno.h>

struct place *route_of(struct world *world) {
	struct place *root = catalogue_root(world->engine->catalogue);
	struct place *route = annex_find(root, PLACE_ROUTE, "text-to-text");
	assert_non_null(route);
	return route;
}

void set(struct world *world, const char *patterns) {
	cleanup_fail struct fail fail = {0};
	if (!route_set(world->engine, route_of(world), patterns, strlen(patterns), &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

void set_value(struct world *world, const char *name, const char *value) {
	assert_true(values_set(world->engine->values, route_of(world)->id, setting_find(name),
			value, NULL));
}

void assert_chosen(struct world *world, const char *expected) {
	cleanup_fail struct fail fail = {0};
	cleanup_buf struct buf name = {0};
	struct route_choice choice;
	if (!route_choose(world->engine, route_of(world), NULL, &choice, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
	buf_add_format(&name, "%s/%s", choice.provider->name, choice.model->name);
	assert_string_equal(buf_string(&name), expected);
}

void assert_nobody(struct world *world, int code, const char *words) {
	cleanup_fail struct fail fail = {0};
	assert_false(engine_may_submit(world->engine, route_of(world), &fail));
	if (fail.code != code) {
		fail_msg("%s: %s", errno_name(fail.code), fail_words(&fail));
	}
	assert_holds(fail_words(&fail), words);
}

void assert_shown(struct world *world, const char *part) {
	cleanup_buf struct buf text = {0};
	assert_true(route_show(world->engine, route_of(world), &text));
	assert_holds(buf_string(&text), part);
}

void price(struct world *world, const char *path, double prompt, double completion) {
	struct place *model = place_of(world, path);
	model->price_prompt = (float)(prompt / 1e6);
	model->price_completion = (float)(completion / 1e6);
	model->priced = true;
}

void make_remote(struct world *world, const char *name) {
	provider_of(world, name)->version->local = false;
}

void failed(struct world *world, const char *path, int code) {
	health_failed(world->engine->health, place_of(world, path), code, -1, "words");
}
