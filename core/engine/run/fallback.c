/* Fallbacks inside one request: see run.h. A request that names further models costs nothing more
 * than one that doesn't, and spares the way there and back when the first fails. */
#include "core/base/text.h"
#include "core/engine/engine.h"
#include "core/engine/route/ranking.h"
#include "core/engine/run/run.h"

#include <errno.h>
#include <string.h>

void fallback_drop(struct run *run) {
	free(take(run->fallback.setting));
	run->fallback.n = 0;
}

/* One request has one set of settings. */
static bool same_settings(const struct run *run, struct place *model) {
	struct engine *engine = run->provider->engine;
	struct place *place = run_place(run);
	for (size_t i = 0; i < n_setting_specs; i++) {
		const char *own = run->settings[i] != NULL ? run->settings[i] : "";
		const char *its = engine_has_setting(engine, model, (int)i)
						  ? engine_setting_of(engine, place, model, (int)i)
						  : "";
		if (strcmp(own, its) != 0) {
			return false;
		}
	}
	return true;
}

static bool add_id(struct run *run, const struct place *model, struct buf *out) {
	const struct model_record *record = catalogue_record(
			run->provider->engine->catalogue, model);
	return record != NULL && buf_add_string(out, out->size == 0 ? "[\"" : ",\"") &&
	       json_escape(out, record->id, strlen(record->id)) && buf_add_byte(out, '"');
}

static void choose(struct run *run, const struct ranking *ranking) {
	struct fallback *fallback = &run->fallback;
	cleanup_buf struct buf ids = {0};
	bool added = ranking->n != 0 && ranking->best[0].model->id == run->model &&
		     add_id(run, ranking->best[0].model, &ids);
	for (size_t i = 1; added && i < ranking->n; i++) {
		const struct candidate *next = &ranking->best[i];
		/* In the route's order, and none that it would ask later than another provider's.
		 */
		if (next->state != CANDIDATE_READY || next->provider != run->provider ||
				!next->model->free || !same_settings(run, next->model)) {
			break;
		}
		added = add_id(run, next->model, &ids);
		fallback->models[fallback->n++] = next->model->id;
	}
	if (added && fallback->n != 0 && buf_add_byte(&ids, ']')) {
		fallback->setting = buf_take(&ids);
	}
	if (fallback->setting == NULL) {
		fallback->n = 0;
	}
}

void fallback_choose(struct run *run) {
	struct place *place = run_place(run);
	int most = run->provider->version->manifest.fallback_models;
	size_t left = ROUTE_TRIES - run->n_tried;
	fallback_drop(run);
	if (!run->routed || run->fallback.refused || most < 2 || left < 2 ||
			place_route(place) == NULL) {
		return;
	}
	struct route_wish wish = {.tried = run->tried, .n_tried = run->n_tried};
	cleanup_ranking struct ranking ranking = {
			.engine = run->provider->engine,
			.place = place,
			.patterns = route_patterns(run->provider->engine, place),
			.wish = &wish,
			.most = (size_t)most < left ? (size_t)most : left,
	};
	if (ranking_make(&ranking, NULL)) {
		choose(run, &ranking);
	}
}

bool fallback_was_refused(struct run *run, int code) {
	if (run->fallback.n == 0 || code != EINVAL || results_any(&run->results) ||
			run->failure.code != 0) {
		return false;
	}
	run->fallback.refused = true;
	return true;
}

struct place *fallback_answered(struct run *run, const char *name) {
	struct catalogue *catalogue = run->provider->engine->catalogue;
	for (size_t i = 0; i < run->fallback.n; i++) {
		struct place *model = catalogue_place(catalogue, run->fallback.models[i]);
		const struct model_record *record = model != NULL ? catalogue_record(catalogue,
										    model)
								  : NULL;
		if (record != NULL && strcmp(record->id, name) == 0) {
			return model;
		}
	}
	return run_model(run);
}
