/* Ranking candidates: see ranking.h. */
#include "core/engine/route/ranking.h"

#include "core/base/text.h"
#include "core/engine/attach/media.h"
#include "core/engine/engine.h"
#include "core/engine/money/books.h"
#include "core/engine/money/price.h"

#include <errno.h>
#include <math.h>
#include <string.h>

bool candidate_name(const struct provider *provider, const struct place *model, struct buf *out) {
	return buf_add_format(out, "%s/", provider->name) && place_path(model, out);
}

/* ---- order ---- */

/* The places from a provider down to a model; how many. */
static size_t path_of(const struct place *model, const struct place *ret[PLACE_DEPTH_MOST + 1]) {
	size_t n = 0;
	for (const struct place *at = model; at->kind == PLACE_COMPONENT; at = at->parent) {
		n++;
	}
	for (size_t i = n; i > 0; i--) {
		ret[i] = model;
		model = model->parent;
	}
	ret[0] = model;
	return n + 1;
}

/* By name, a component after the other; asked of each of a hundred thousand. */
static int by_name(const struct candidate *a, const struct candidate *b) {
	const struct place *of_a[PLACE_DEPTH_MOST + 1], *of_b[PLACE_DEPTH_MOST + 1];
	size_t n_a = path_of(a->model, of_a), n_b = path_of(b->model, of_b);
	for (size_t i = 0; i < n_a && i < n_b; i++) {
		int order = strcmp(of_a[i]->name, of_b[i]->name);
		if (order != 0) {
			return order;
		}
	}
	return n_a < n_b ? -1 : n_a > n_b;
}

/* Who started one meant it to be asked; a program is merely installed. */
static bool is_service(const struct candidate *candidate) {
	const struct version *version = candidate->provider->version;
	return version == NULL || version->base_url[0] != '\0';
}

static bool before(const struct candidate *a, const struct candidate *b) {
	if (a->state != b->state) {
		return a->state < b->state;
	}
	if (a->back_off != b->back_off) {
		return a->back_off < b->back_off;
	}
	if (a->pattern != b->pattern) {
		return a->pattern < b->pattern;
	}
	if (a->degraded != b->degraded) {
		return b->degraded;
	}
	/* Infinite is equal to infinite. */
	if (a->order < b->order || a->order > b->order) {
		return a->order < b->order;
	}
	if (is_service(a) != is_service(b)) {
		return is_service(a);
	}
	if (a->model->created != b->model->created) {
		return a->model->created > b->model->created;
	}
	return by_name(a, b) < 0;
}

/* Keeps the best, in order. */
static void insert(struct ranking *ranking, const struct candidate *candidate) {
	size_t at = ranking->n;
	while (at > 0 && before(candidate, &ranking->best[at - 1])) {
		at--;
	}
	if (at >= ranking->most) {
		return;
	}
	ranking->n += ranking->n < ranking->most;
	memmove(&ranking->best[at + 1], &ranking->best[at],
			(ranking->n - at - 1) * sizeof(*ranking->best));
	ranking->best[at] = *candidate;
}

static double order_of(const struct ranking *ranking, const struct candidate *candidate) {
	const struct place *model = candidate->model;
	const struct health_row *row = health_row(ranking->engine->health, model);
	bool nothing = price_is_nothing(candidate->provider, model);
	double prompt, completion;
	switch (ranking->policy) {
	case POLICY_FREE:
		return nothing ? 0 : 1;
	case POLICY_CHEAPEST:
		price_stated(candidate->provider, model, &prompt, &completion);
		return nothing				? 0
		       : prompt >= 0 && completion >= 0 ? prompt + completion
							: INFINITY;
	case POLICY_FASTEST:
		return row != NULL && row->latency >= 0 ? row->latency : INFINITY;
	case POLICY_LOCAL_FIRST:
		return candidate->provider->version->local ? 0 : 1;
	case POLICY_LISTED:
		break;
	}
	return 0;
}

/* ---- who is named ---- */

static bool is_too_dear(const struct ranking *ranking, const struct candidate *candidate) {
	double prompt, completion;
	if (ranking->max_price < 0 || price_is_nothing(candidate->provider, candidate->model)) {
		return false;
	}
	price_stated(candidate->provider, candidate->model, &prompt, &completion);
	/* Neither an unstated price nor one that varies is known to be within. */
	bool within = prompt >= 0 && completion >= 0 && prompt <= ranking->max_price &&
		      completion <= ranking->max_price;
	return !within;
}

static bool is_wished(const struct ranking *ranking, const struct place *model) {
	const struct route_wish *wish = ranking->wish;
	for (size_t i = 0; wish != NULL && i < wish->n_tried; i++) {
		if (wish->tried[i] == model->id) {
			return false;
		}
	}
	if (wish == NULL || (wish->context_above == 0 && wish->media == 0)) {
		return true;
	}
	const struct model_record *record = catalogue_record(ranking->engine->catalogue, model);
	return record != NULL && media_taken(record, wish->media) &&
	       (wish->context_above == 0 || record->context_length > wish->context_above);
}

/* The budgets leave as much to one model of a provider as to another: they are asked once, and once
 * more for those whose price isn't known. */
static bool is_over_budget(
		struct ranking *ranking, const struct candidate *candidate, struct passed *passed) {
	double prompt, completion;
	if (price_is_nothing(candidate->provider, candidate->model)) {
		return false;
	}
	price_stated(candidate->provider, candidate->model, &prompt, &completion);
	bool known = prompt >= 0 && completion >= 0;
	enum affords *affords = &passed->affords[known];
	if (*affords == AFFORDS_UNASKED) {
		*affords = books_may_open(ranking->engine, ranking->place, candidate->model,
					   &ranking->over_budget)
					   ? AFFORDS_YES
					   : AFFORDS_NO;
	}
	return *affords == AFFORDS_NO;
}

/* False for one that isn't wished. */
static bool judge(struct ranking *ranking, struct candidate *candidate, bool excluded,
		struct passed *passed) {
	const struct provider *provider = candidate->provider;
	const struct route_wish *wish = ranking->wish;
	const char *pattern = ranking->patterns->lines[candidate->pattern];
	const struct health *health = ranking->engine->health;
	const struct health_row *why = NULL;
	int64_t back_off = health_back_off(health, candidate->model, &why);
	candidate->state = passed->why.code == EBUSY ? CANDIDATE_FULL : CANDIDATE_READY;
	if (excluded) {
		candidate->state = CANDIDATE_EXCLUDED;
	} else if (strcmp(pattern, "@local") == 0 && provider->why[0] != '\0') {
		candidate->state = CANDIDATE_SILENT;
	} else if (is_too_dear(ranking, candidate)) {
		candidate->state = CANDIDATE_DEAR;
	} else if (is_over_budget(ranking, candidate, passed)) {
		candidate->state = CANDIDATE_OVER_BUDGET;
	} else if (back_off != 0) {
		candidate->state = CANDIDATE_BACK_OFF;
		candidate->back_off = back_off;
	}
	candidate->degraded = health_state(health, candidate->model) == HEALTH_DEGRADED;
	candidate->order = order_of(ranking, candidate);
	return candidate->state != CANDIDATE_BACK_OFF || wish == NULL || wish->failed_before == 0 ||
	       why == NULL || why->failure < wish->failed_before;
}

static void consider(struct ranking *ranking, struct provider *provider, struct place *model,
		const char *name, struct passed *passed) {
	const struct version *version = provider->version;
	/* A toy that serves nothing and runs nothing has to be named. */
	char **programs = version != NULL ? version->manifest.programs : NULL;
	bool runs = programs != NULL && *programs != NULL;
	bool serves = version == NULL || version->base_url[0] != '\0' || runs;
	struct route_subject subject = {
			.name = name,
			.free = model->free && serves && price_is_nothing(provider, model),
			.local = version != NULL && (version->local || runs) && serves &&
				 price_is_nothing(provider, model),
	};
	bool excluded;
	struct candidate candidate = {.provider = provider, .model = model};
	candidate.pattern = route_patterns_rank(ranking->patterns, &subject, &excluded);
	if (candidate.pattern < 0) {
		return;
	}
	ranking->total++;
	bool full = passed->why.code == EBUSY;
	if (!excluded && !full && passed->why.code != 0) {
		passed->models++;
		return;
	}
	if (!is_wished(ranking, model)) {
		return;
	}
	if (judge(ranking, &candidate, excluded, passed)) {
		ranking->ready += candidate.state == CANDIDATE_READY;
		insert(ranking, &candidate);
	}
}

/* `path` is that of `place`, and is so again at the end. */
static bool visit(struct ranking *ranking, struct provider *provider, struct place *place,
		struct buf *path, struct passed *passed) {
	size_t length = path->size;
	for (size_t i = 0; i < place->n_children; i++) {
		struct place *child = place->children[i];
		if (child->gone) {
			continue;
		}
		if (!buf_add_byte(path, '/') || !buf_add_string(path, child->name)) {
			return false;
		}
		/* What isn't known to be there is asked by its name alone. */
		if (child->model && !child->unsure && model_can(child, ranking->capability)) {
			consider(ranking, provider, child, path->data, passed);
		}
		if (!visit(ranking, provider, child, path, passed)) {
			return false;
		}
		path->size = length;
		path->data[length] = '\0';
	}
	return true;
}

static bool visit_provider(struct ranking *ranking, struct provider *provider) {
	cleanup_buf struct buf path = {0};
	struct passed *passed = &ranking->passed[ranking->n_passed];
	*passed = (struct passed){.provider = provider};
	provider_takes(provider, &passed->why);
	bool visited = buf_add_string(&path, provider->name) &&
		       visit(ranking, provider, provider->place, &path, passed);
	if (passed->models != 0) {
		ranking->n_passed++;
	} else {
		fail_finish(&passed->why);
	}
	return visited;
}

static void read_settings(struct ranking *ranking) {
	static const char *const policies[] = {
			[POLICY_LISTED] = "listed",
			[POLICY_FREE] = "free",
			[POLICY_CHEAPEST] = "cheapest",
			[POLICY_FASTEST] = "fastest",
			[POLICY_LOCAL_FIRST] = "local-first",
	};
	const char *policy = engine_setting(ranking->engine, ranking->place, "policy");
	for (int i = POLICY_LISTED; i <= POLICY_LOCAL_FIRST; i++) {
		if (strcmp(policy, policies[i]) == 0) {
			ranking->policy = (enum policy)i;
		}
	}
	ranking->max_price = engine_number(ranking->engine, ranking->place, "max_price", -1e6) /
			     1e6;
}

bool ranking_make(struct ranking *ranking, struct fail *fail) {
	struct engine *engine = ranking->engine;
	struct provider *provider;
	size_t n = 0;
	list_for_each(provider, &engine->providers, link) {
		n++;
	}
	ranking->capability = route_capability(place_route(ranking->place));
	ranking->passed = calloc(n + 1, sizeof(*ranking->passed));
	if (ranking->passed == NULL) {
		return fail_set(fail, ENOMEM, "no memory to choose a model");
	}
	read_settings(ranking);
	list_for_each(provider, &engine->providers, link) {
		/* One that isn't loaded yet, or not allowed, is passed over in sight. */
		bool absent = provider->version == NULL &&
			      provider->place->n_able[ranking->capability] != 0;
		if ((absent || provider_can(provider, ranking->capability)) &&
				!visit_provider(ranking, provider)) {
			return fail_set(fail, ENOMEM, "no memory to choose a model");
		}
	}
	return true;
}

bool ranking_lets(struct ranking *ranking, struct provider *provider, struct place *model) {
	cleanup_buf struct buf name = {0};
	struct passed passed = {.provider = provider};
	ranking->capability = route_capability(place_route(ranking->place));
	read_settings(ranking);
	if (!candidate_name(provider, model, &name)) {
		return false;
	}
	consider(ranking, provider, model, name.data, &passed);
	return ranking->n != 0 && ranking->best[0].state != CANDIDATE_EXCLUDED &&
	       ranking->best[0].state != CANDIDATE_DEAR;
}

void ranking_finish(struct ranking *ranking) {
	for (size_t i = 0; i < ranking->n_passed; i++) {
		fail_finish(&ranking->passed[i].why);
	}
	fail_finish(&ranking->over_budget);
	free(take(ranking->passed));
}
