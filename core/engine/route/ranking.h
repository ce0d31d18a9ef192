/* The models that a route's patterns name, in the order in which they are asked. Private to route.c
 * and route_show.c. */
#ifndef CORE_ENGINE_ROUTE_RANKING_H
#define CORE_ENGINE_ROUTE_RANKING_H

#include "core/config/route_patterns.h"
#include "core/engine/route/route.h"

enum candidate_state {
	CANDIDATE_READY,
	CANDIDATE_FULL, /* as many wait for its provider as may */
	CANDIDATE_BACK_OFF, /* let be until `back_off` */
	CANDIDATE_SILENT, /* a service of this machine that doesn't answer */
	CANDIDATE_DEAR, /* above max_price */
	CANDIDATE_OVER_BUDGET,
	CANDIDATE_EXCLUDED, /* by a pattern with '!' */
};

struct candidate {
	struct provider *provider;
	struct place *model;
	enum candidate_state state;
	int pattern; /* which names it */
	bool degraded;
	double order; /* by the policy: the smaller the better */
	int64_t back_off;
};

/* As many as are worth showing. */
#define RANKING_MOST 100

/* A provider that none of its models can be asked of. */
struct passed {
	struct provider *provider;
	enum affords { AFFORDS_UNASKED, AFFORDS_YES, AFFORDS_NO } affords[2]; /* by a known price */
	size_t models; /* that patterns name */
	struct fail why;
};

struct ranking {
	/* What is ranked; set by the caller. */
	struct engine *engine;
	struct place *place; /* the route, or a session of it */
	const struct route_patterns *patterns;
	const struct route_wish *wish; /* NULL: everybody */
	size_t most; /* of RANKING_MOST */
	/* The result. */
	struct candidate best[RANKING_MOST];
	size_t n;
	size_t total, ready; /* named at all; that can be asked */
	struct passed *passed;
	size_t n_passed;
	struct fail over_budget; /* what the budgets said of the last that they don't let */

	int capability;
	enum policy {
		POLICY_LISTED,
		POLICY_FREE,
		POLICY_CHEAPEST,
		POLICY_FASTEST,
		POLICY_LOCAL_FIRST,
	} policy;
	double max_price; /* USD a token; negative: any */
};

/* False without memory. */
bool ranking_make(struct ranking *ranking, struct fail *fail);
/* Instead: whether the patterns name this model, and `max_price` lets it. */
bool ranking_lets(struct ranking *ranking, struct provider *provider, struct place *model);
void ranking_finish(struct ranking *ranking);
#define cleanup_ranking cleanup(ranking_finish)

/* "openrouter/google/gemma-3:free" as patterns have it, appended. */
bool candidate_name(const struct provider *provider, const struct place *model, struct buf *out);

#endif
