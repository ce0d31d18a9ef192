/* A route in words: who would answer, who is passed over, and what to set up first. */
#include "core/engine/route/route_words.h"

#include "core/base/text.h"
#include "core/config/capability.h"
#include "core/engine/engine.h"
#include "core/engine/models_table.h"
#include "core/engine/money/price.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

/* ---- what to set up first ---- */

static bool does(const struct provider *provider, int capability) {
	const struct manifest *manifest = provider_manifest(provider);
	for (char **each = manifest != NULL ? manifest->capabilities : NULL;
			each != NULL && *each != NULL; each++) {
		if (strcmp(*each, capability_name(capability)) == 0) {
			return true;
		}
	}
	return false;
}

/* Services of this machine that aren't there: "llama.cpp, LM Studio, Ollama or vLLM". */
static size_t add_local(const struct engine *engine, int capability, struct buf *out) {
	const struct provider *provider;
	const char *last = NULL;
	size_t n = 0;
	list_for_each(provider, &engine->providers, link) {
		const struct manifest *manifest = provider_manifest(provider);
		if (manifest == NULL || !manifest->local ||
				provider->version->base_url[0] == '\0' ||
				!does(provider, capability)) {
			continue;
		}
		if (last != NULL) {
			buf_add_format(out, "%s%s", n > 1 ? ", " : "", last);
		}
		last = manifest->name != NULL ? manifest->name : provider->name;
		n++;
	}
	if (last != NULL) {
		buf_add_format(out, "%s%s", n > 1 ? " or " : "", last);
	}
	return n;
}

/* Whether its key gets something for nothing: as its list says, or, until it is known, itself. */
static bool gives(const struct provider *provider) {
	return provider->place->n_free != 0 ||
	       (provider->place->n_models == 0 && provider_manifest(provider)->free_models);
}

/* Whose key gets more for nothing. */
static bool is_better(const struct provider *a, const struct provider *b) {
	bool a_gives = gives(a), b_gives = gives(b);
	return a_gives != b_gives		      ? a_gives
	       : a->place->n_free != b->place->n_free ? a->place->n_free > b->place->n_free
						      : strcmp(a->name, b->name) < 0;
}

static struct provider *best_without_key(const struct engine *engine, int capability) {
	struct provider *provider, *best = NULL;
	list_for_each(provider, &engine->providers, link) {
		const struct manifest *manifest = provider_manifest(provider);
		if (manifest == NULL || manifest->key_url == NULL || provider_has_key(provider) ||
				!does(provider, capability)) {
			continue;
		}
		if (best == NULL || is_better(provider, best)) {
			best = provider;
		}
	}
	return best;
}

static bool nothing_set_up(const struct ranking *ranking, struct fail *fail) {
	cleanup_buf struct buf words = {0}, local = {0};
	struct engine *engine = ranking->engine;
	struct provider *provider = best_without_key(engine, ranking->capability);
	buf_add_string(&words, "nothing is set up to answer: ");
	if (add_local(engine, ranking->capability, &local) != 0) {
		buf_add_format(&words, "start %s on this machine and echo refresh > ctl%s",
				buf_string(&local), provider != NULL ? ", or " : "");
	}
	if (provider != NULL) {
		buf_add_format(&words, "get a key at %s and echo KEY > providers/%s/key",
				provider_manifest(provider)->key_url, provider->name);
		if (!gives(provider)) {
			buf_add_format(&words,
					", then name its models in capabilities/%s/route: what "
					"costs money is never asked unless it is named",
					capability_name(ranking->capability));
		}
	}
	if (local.size == 0 && provider == NULL) {
		buf_add_format(&words,
				"name a provider in config.yml, or models in capabilities/%s/route",
				capability_name(ranking->capability));
	}
	return fail_set(fail, ENOKEY, "%s", buf_string(&words));
}

/* ---- why nobody ---- */

static bool is_standard(const struct ranking *ranking) {
	cleanup_buf struct buf text = {0};
	return route_patterns_text(ranking->patterns, &text) &&
	       strcmp(buf_string(&text), ROUTE_PATTERNS_STANDARD) == 0;
}

static const char *state_words(const struct candidate *candidate) {
	static const char *const words[] = {
			[CANDIDATE_READY] = "ready",
			[CANDIDATE_FULL] =
					"as many wait for it as limits.queue in config.yml allows",
			[CANDIDATE_BACK_OFF] = "let be after a failure",
			[CANDIDATE_SILENT] = "its service doesn't answer",
			[CANDIDATE_DEAR] = "its price is above config/max_price, or isn't known",
			[CANDIDATE_OVER_BUDGET] = "over a budget",
			[CANDIDATE_EXCLUDED] = "left out by a pattern with '!'",
	};
	return words[candidate->state];
}

/* The one that will pass soonest counts before those that somebody has to mend. */
static int code_of(const struct ranking *ranking) {
	static const int order[] = {EBUSY, EDQUOT, EACCES, ENOKEY};
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		for (size_t j = 0; j < ranking->n_passed; j++) {
			if (ranking->passed[j].why.code == order[i]) {
				return order[i];
			}
		}
	}
	return ranking->n_passed != 0 ? ranking->passed[0].why.code : ENODEV;
}

bool route_nobody(const struct ranking *ranking, struct fail *fail) {
	cleanup_buf struct buf words = {0};
	const char *route = capability_name(ranking->capability);
	bool soon = ranking->n != 0 &&
		    (ranking->best[0].state == CANDIDATE_FULL ||
				    ranking->best[0].state == CANDIDATE_BACK_OFF);
	bool over = ranking->n != 0 && ranking->best[0].state == CANDIDATE_OVER_BUDGET;
	int code = soon ? EBUSY : over ? ranking->over_budget.code : code_of(ranking);
	if (is_standard(ranking) && (code == ENOKEY || code == ENODEV)) {
		return nothing_set_up(ranking, fail);
	}
	if (ranking->total == 0) {
		return fail_set(fail, ENODEV,
				"no model that is there is named by capabilities/%s/route; an "
				"empty "
				"line in it restores the default",
				route);
	}
	buf_add_format(&words, "none of the %zu models that capabilities/%s/route names can answer",
			ranking->total, route);
	for (size_t i = 0; i < ranking->n_passed && i < 3; i++) {
		buf_add_format(&words, "; %s", fail_words(&ranking->passed[i].why));
	}
	if (ranking->n != 0) {
		cleanup_buf struct buf name = {0};
		candidate_name(ranking->best[0].provider, ranking->best[0].model, &name);
		buf_add_format(&words, "; %s: %s", buf_string(&name),
				over ? fail_words(&ranking->over_budget)
				     : state_words(&ranking->best[0]));
	}
	return fail_set(fail, code, "%s", buf_string(&words));
}

/* ---- the file `route` ---- */

static void add_price(const struct candidate *candidate, struct buf *out) {
	double prompt, completion;
	price_stated(candidate->provider, candidate->model, &prompt, &completion);
	if (price_is_nothing(candidate->provider, candidate->model)) {
		buf_add_string(out, ", free");
	} else if (prompt < 0 || completion < 0) {
		buf_add_string(out, ", price varies");
	} else if (isnan(prompt) || isnan(completion)) {
		buf_add_string(out, ", price unknown");
	} else {
		buf_add_format(out, ", USD %.6g and %.6g a million tokens", prompt * 1e6,
				completion * 1e6);
	}
}

static void add_health(
		struct ranking *ranking, const struct candidate *candidate, struct buf *out) {
	const struct health *health = ranking->engine->health;
	const struct health_row *row = health_row(health, candidate->model);
	buf_add_format(out, "  %s", health_state_name(health_state(health, candidate->model)));
	if (row != NULL && row->latency >= 0) {
		buf_add_format(out, ", %.2f s", row->latency);
	}
}

static void add_until(struct ranking *ranking, const struct candidate *candidate, struct buf *out) {
	char text[32];
	const struct health_row *why = NULL;
	struct tm parts;
	int64_t until = health_back_off(ranking->engine->health, candidate->model, &why);
	time_t seconds = (time_t)(until / 1000000);
	gmtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	if (why != NULL) {
		buf_add_format(out, "  let be until %s: %s %s", text, errno_name(why->code),
				why->words);
	}
}

static void add_candidate(struct ranking *ranking, size_t i, struct buf *out) {
	const struct candidate *candidate = &ranking->best[i];
	if (candidate->state == CANDIDATE_READY) {
		buf_add_format(out, "# %zu ", i + 1);
	} else {
		buf_add_string(out, "# - ");
	}
	candidate_name(candidate->provider, candidate->model, out);
	if (candidate->state == CANDIDATE_READY) {
		add_health(ranking, candidate, out);
		add_price(candidate, out);
	} else if (candidate->state == CANDIDATE_BACK_OFF) {
		add_until(ranking, candidate, out);
	} else {
		buf_add_format(out, "  %s", state_words(candidate));
	}
	buf_add_byte(out, '\n');
}

static void add_passed(const struct ranking *ranking, struct buf *out) {
	for (size_t i = 0; i < ranking->n_passed; i++) {
		const struct passed *passed = &ranking->passed[i];
		buf_add_format(out, "# - %s, %zu %s  ", passed->provider->name, passed->models,
				passed->models == 1 ? "model" : "models");
		/* A line of a second kind would be a pattern when the file is copied back. */
		add_on_one_line(out, fail_words(&passed->why));
		buf_add_byte(out, '\n');
	}
}

bool route_show(struct engine *engine, struct place *place, struct buf *out) {
	cleanup_fail struct fail nobody = {0};
	cleanup_ranking struct ranking ranking = {
			.engine = engine,
			.place = place,
			.patterns = route_patterns(engine, place),
			.most = RANKING_MOST,
	};
	if (!ranking_make(&ranking, &nobody)) {
		return false;
	}
	buf_add_string(out, "# Who gets a prompt: a pattern a line, PROVIDER/MODEL with * ? [ ]; "
			    "@local, @free;\n# a ! in front leaves out. An empty line restores "
			    "the default.\n");
	route_patterns_text(ranking.patterns, out);
	if (ranking.n != 0 && ranking.best[0].state == CANDIDATE_BACK_OFF) {
		buf_add_string(out, "# All are let be: the first is asked all the same.\n");
	} else if (ranking.ready == 0) {
		route_nobody(&ranking, &nobody);
		buf_add_string(out, "# Nobody: ");
		add_on_one_line(out, fail_words(&nobody));
		buf_add_byte(out, '\n');
	}
	for (size_t i = 0; i < ranking.n; i++) {
		add_candidate(&ranking, i, out);
	}
	add_passed(&ranking, out);
	size_t shown = ranking.n;
	for (size_t i = 0; i < ranking.n_passed; i++) {
		shown += ranking.passed[i].models;
	}
	if (ranking.total > shown) {
		buf_add_format(out, "# and %zu more\n", ranking.total - shown);
	}
	return !out->failed;
}
