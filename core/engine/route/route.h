/* Routes: capabilities/text-to-text and the like, which answer with whichever model is best of
 * those that can. A route is a place below the root; who may answer is said by patterns (see
 * core/config/route_patterns.h): those that were written to its `route`, else config.yml's, else
 * @local and @free, so that nothing paid is ever asked unless somebody named it.
 *
 * Order: the patterns' own; among the models that one pattern names first those that did well
 * lately (health.h), then the setting `policy`, then a service before a program of this machine,
 * then the newest, then by name. Passed over are those without key or consent, with a full queue,
 * above the setting `max_price`, and those in back-off while there is anybody else. */
#ifndef CORE_ENGINE_ROUTE_ROUTE_H
#define CORE_ENGINE_ROUTE_ROUTE_H

#include "core/base/buf.h"
#include "core/engine/provider.h"

struct engine;
struct route_patterns;
struct routes;

/* So many models are asked for one turn at most. */
#define ROUTE_TRIES 8

/* Loads what was written to `route` files and makes the places; NULL with words. */
struct routes *routes_create(struct engine *engine, struct fail *fail);
void routes_destroy(struct routes *routes);
/* config.yml was read anew. */
void routes_reload(struct engine *engine);
/* Models or providers came or went: makes the places of capabilities that somebody has now, and has
 * the kernel told when others are listed. */
void routes_update(struct engine *engine);

/* Whether capabilities/ lists it: somebody can do it. The one for text always is: `default` leads
 * there, and its words say what to set up. */
bool route_listed(const struct engine *engine, const struct place *route);
/* The number of a route's capability. */
int route_capability(const struct place *route);
/* Whether a loaded provider says that it does this and has a model that can. */
bool provider_can(const struct provider *provider, int capability);
bool model_can(const struct place *model, int capability);

/* Takes what was written to `route`; text without a pattern restores what config.yml or nobody
 * says. What is in force already changes nothing. False with words. */
bool route_set(struct engine *engine, struct place *route, const char *text, size_t size,
		struct fail *fail);
/* What `route` shows: the patterns, and as lines that begin with '#' who would be asked now, in
 * order, and who is passed over and why. `place`: the route or a session of it. */
bool route_show(struct engine *engine, struct place *place, struct buf *out);

/* The patterns in force at a route or a session of it. */
const struct route_patterns *route_patterns(struct engine *engine, struct place *place);

struct route_wish {
	const int64_t *tried; /* models that aren't meant */
	size_t n_tried;
	unsigned media; /* only models that take these kinds, as far as is known: see media.h */
	int64_t context_above; /* only models whose context is known to be longer; 0: any */
	/* Also these, when there is nobody else. */
	bool in_back_off, with_full_queue;
	int64_t failed_before; /* of those in back-off only whose failure is older, microseconds
				  since the epoch; 0: any */
};

/* Whether what was chosen before may still be asked: a list may have come since that states another
 * price, and what costs money now has to be named, and be within `max_price`. */
bool route_lets(struct engine *engine, struct place *place, struct provider *provider,
		struct place *model);

struct route_choice {
	struct provider *provider;
	struct place *model;
};

/* Who gets the prompt. False with ENOKEY and words that say what to set up first, or another errno
 * that says why nobody can. */
bool route_choose(struct engine *engine, struct place *place, const struct route_wish *wish,
		struct route_choice *ret, struct fail *fail);

#endif
