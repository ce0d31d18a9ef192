/* Routes: see route.h. */
#include "core/engine/route/route.h"

#include "core/base/log.h"
#include "core/config/capability.h"
#include "core/engine/engine.h"
#include "core/engine/money/price.h"
#include "core/engine/route/ranking.h"
#include "core/engine/route/route_words.h"
#include "core/store/annex.h"

#include <errno.h>
#include <string.h>

/* What was written to `route` is kept beside the settings of its place. */
#define KEPT_AS "route"

struct route {
	char *written; /* NULL: nothing */
	struct route_patterns patterns; /* in force */
};

struct routes {
	struct route *all; /* by the capability's number */
	uint64_t told; /* a fingerprint of who can do what, as the kernel was last told */
	bool failing; /* said once in the log */
};

int route_capability(const struct place *route) {
	return capability_number(route->name);
}

bool model_can(const struct place *model, int capability) {
	return (model->able >> capability & 1) != 0;
}

bool provider_can(const struct provider *provider, int capability) {
	const struct manifest *manifest = provider_manifest(provider);
	char **each = manifest != NULL ? manifest->capabilities : NULL;
	while (each != NULL && *each != NULL && strcmp(*each, capability_name(capability)) != 0) {
		each++;
	}
	return each != NULL && *each != NULL && provider->place->n_able[capability] != 0;
}

bool route_listed(const struct engine *engine, const struct place *route) {
	int capability = route_capability(route);
	const struct provider *provider;
	if (capability < 0 || strcmp(route->name, "text-to-text") == 0) {
		return capability >= 0;
	}
	list_for_each(provider, &engine->providers, link) {
		if (provider_can(provider, capability)) {
			return true;
		}
	}
	return false;
}

/* ---- patterns in force ---- */

static const char *configured(const struct engine *engine, int capability) {
	for (size_t i = 0; i < engine->config.n_routes; i++) {
		if (engine->config.routes[i].capability == capability) {
			return engine->config.routes[i].patterns;
		}
	}
	return ROUTE_PATTERNS_STANDARD;
}

/* Patterns that only leave out do so from what nobody named otherwise. */
static bool read_patterns(struct engine *engine, int capability, const char *written,
		struct route_patterns *ret, struct fail *fail) {
	cleanup_route_patterns struct route_patterns read = {0};
	cleanup_buf struct buf text = {0};
	const char *standard = configured(engine, capability);
	const char *own = written != NULL ? written : standard;
	if (!route_patterns_read(&read, own, strlen(own), fail)) {
		return false;
	}
	if (!route_patterns_name_any(&read)) {
		buf_add_string(&text, own == standard ? ROUTE_PATTERNS_STANDARD : standard);
	}
	if (!route_patterns_text(&read, &text)) {
		return fail_set(fail, ENOMEM, "no memory for the patterns of a route");
	}
	return route_patterns_read(ret, buf_string(&text), text.size, fail);
}

static void renew(struct engine *engine, int capability) {
	struct route *route = &engine->routes->all[capability];
	cleanup_fail struct fail fail = {0};
	struct route_patterns patterns = {0};
	/* What was written was checked: only memory can be short, or the standard is longer now. */
	if (!read_patterns(engine, capability, route->written, &patterns, &fail)) {
		log_warning("capabilities/%s: %s", capability_name(capability), fail_words(&fail));
		return;
	}
	route_patterns_finish(&route->patterns);
	route->patterns = patterns;
}

void routes_reload(struct engine *engine) {
	for (int i = 0; i < n_capabilities; i++) {
		renew(engine, i);
	}
	routes_update(engine);
}

static bool same_patterns(const struct route_patterns *a, const struct route_patterns *b) {
	cleanup_buf struct buf of_a = {0}, of_b = {0};
	return route_patterns_text(a, &of_a) && route_patterns_text(b, &of_b) &&
	       strcmp(buf_string(&of_a), buf_string(&of_b)) == 0;
}

bool route_set(struct engine *engine, struct place *place, const char *text, size_t size,
		struct fail *fail) {
	int capability = route_capability(place);
	struct route *route = &engine->routes->all[capability];
	cleanup_route_patterns struct route_patterns read = {0};
	cleanup_route_patterns struct route_patterns in_force = {0};
	cleanup_buf struct buf written = {0};
	if (!route_patterns_read(&read, text, size, fail)) {
		return false;
	}
	if (!route_patterns_text(&read, &written)) {
		return fail_set(fail, ENOMEM, "no memory for a route");
	}
	char *kept = read.n != 0 ? buf_take(&written) : NULL;
	if (!read_patterns(engine, capability, kept, &in_force, fail)) {
		free(kept);
		return false;
	}
	/* An empty write takes away what was written, whether or not that says the same. */
	bool same = read.n != 0 ? same_patterns(&in_force, &route->patterns)
				: route->written == NULL;
	if (same || !store_setting_set(engine->store, place->id, KEPT_AS, kept, fail)) {
		free(kept);
		return same;
	}
	free(route->written);
	route->written = kept;
	renew(engine, capability);
	return true;
}

/* ---- the places ---- */

static struct place *find(const struct engine *engine, int capability) {
	return annex_find(catalogue_root(engine->catalogue), PLACE_ROUTE,
			capability_name(capability));
}

static bool somebody_can(const struct engine *engine, int capability) {
	const struct place *route = find(engine, capability);
	/* As route_listed, of one that has no place yet. */
	const struct place named = {.name = (char *)capability_name(capability)};
	return route_listed(engine, route != NULL ? route : &named);
}

/* Changes when another provider can do something, or can't any more: FNV-1a. */
static uint64_t fingerprint(const struct engine *engine) {
	uint64_t sum = UINT64_C(14695981039346656037);
	const struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		for (int i = 0; i < n_capabilities; i++) {
			uint64_t can = provider_can(provider, i) ? (uint64_t)i + 1 : 0;
			sum = (sum ^ can ^ (uint64_t)provider->place->id << 8) *
			      UINT64_C(1099511628211);
		}
	}
	return sum;
}

void routes_update(struct engine *engine) {
	struct routes *routes = engine->routes;
	struct place *root = catalogue_root(engine->catalogue);
	cleanup_fail struct fail fail = {0};
	for (int i = 0; i < n_capabilities; i++) {
		if (somebody_can(engine, i) && find(engine, i) == NULL &&
				annex_make(engine->catalogue, root, PLACE_ROUTE, capability_name(i),
						&fail) == NULL &&
				!routes->failing) {
			routes->failing = true;
			log_error("capabilities/%s can't be made: %s", capability_name(i),
					fail_words(&fail));
		}
	}
	uint64_t found = fingerprint(engine);
	if (found != routes->told) {
		routes->told = found;
		catalogue_touch(engine->catalogue, root);
	}
}

static void load(void *data, int64_t place, const char *name, const char *value) {
	struct engine *engine = data;
	const struct place *route = catalogue_place(engine->catalogue, place);
	int capability = route != NULL && route->kind == PLACE_ROUTE ? route_capability(route) : -1;
	if (capability >= 0 && strcmp(name, KEPT_AS) == 0) {
		engine->routes->all[capability].written = strdup(value);
	}
}

struct routes *routes_create(struct engine *engine, struct fail *fail) {
	struct routes *routes = calloc(1, sizeof(*routes));
	if (routes == NULL) {
		fail_set(fail, ENOMEM, "no memory for routes");
		return NULL;
	}
	routes->all = calloc((size_t)n_capabilities, sizeof(*routes->all));
	engine->routes = routes;
	if (routes->all == NULL) {
		fail_set(fail, ENOMEM, "no memory for routes");
	}
	if (routes->all == NULL || !store_settings_each(engine->store, load, engine, fail)) {
		engine->routes = NULL;
		routes_destroy(routes);
		return NULL;
	}
	routes_reload(engine);
	return routes;
}

void routes_destroy(struct routes *routes) {
	if (routes == NULL) {
		return;
	}
	for (int i = 0; routes->all != NULL && i < n_capabilities; i++) {
		free(routes->all[i].written);
		route_patterns_finish(&routes->all[i].patterns);
	}
	free(routes->all);
	free(routes);
}

/* ---- choosing ---- */

const struct route_patterns *route_patterns(struct engine *engine, struct place *place) {
	return &engine->routes->all[route_capability(place_route(place))].patterns;
}

bool route_choose(struct engine *engine, struct place *place, const struct route_wish *wish,
		struct route_choice *ret, struct fail *fail) {
	cleanup_ranking struct ranking ranking = {
			.engine = engine,
			.place = place,
			.patterns = route_patterns(engine, place),
			.wish = wish,
			.most = 1,
	};
	if (!ranking_make(&ranking, fail)) {
		return false;
	}
	const struct candidate *best = ranking.n != 0 ? &ranking.best[0] : NULL;
	bool good = best != NULL &&
		    (best->state == CANDIDATE_READY ||
				    (best->state == CANDIDATE_FULL && wish->with_full_queue) ||
				    (best->state == CANDIDATE_BACK_OFF && wish->in_back_off));
	if (!good) {
		return route_nobody(&ranking, fail);
	}
	*ret = (struct route_choice){.provider = best->provider, .model = best->model};
	return true;
}

bool route_lets(struct engine *engine, struct place *place, struct provider *provider,
		struct place *model) {
	cleanup_ranking struct ranking ranking = {
			.engine = engine,
			.place = place,
			.patterns = route_patterns(engine, place),
			.most = 1,
	};
	return price_is_nothing(provider, model) || ranking_lets(&ranking, provider, model);
}
