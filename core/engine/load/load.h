/* Providers from outside: fetched and built behind, asked about, tried, and put in the place of the
 * version before. A provider that was loaded has one of these beside it; what is in use goes on
 * whatever becomes of what is coming in. */
#ifndef CORE_ENGINE_LOAD_LOAD_H
#define CORE_ENGINE_LOAD_LOAD_H

#include "core/config/consent.h"
#include "core/engine/provider.h"
#include "core/fetch/fetch.h"

struct engine;
struct loads; /* of an engine: providers.lock, and how to fetch */

enum load_step {
	LOAD_RESTING, /* nothing is coming in */
	LOAD_FETCHING,
	LOAD_BUILDING,
	LOAD_ASKING, /* what came asks for what isn't granted */
	LOAD_TRYING, /* it runs beside the one in use, and is asked for its models */
};

/* One commit of a source, as it lies in the cache. Strings are "" when unknown. */
struct pinned {
	struct source source;
	char *commit, *tree;
	char *files, *object;
	char *bundled; /* the repository holds nothing to run: the bundled provider in its stead */
	char *service_url; /* its manifest's, of a service that conduitfs doesn't start */
	struct consent asked;
	int hold; /* keeps `conduitfs provider prune` away from them; 0 none */
};

struct load {
	struct provider *provider;
	bool named; /* by `as NAME` or by config.yml: the manifest's id doesn't count */
	bool lent; /* the name is a bundled provider's own, which answers */
	struct pinned used; /* empty but for the source while there is none */
	char *previous_commit, *previous_tree; /* what `rollback` goes back to; "" none */
	struct consent granted; /* as providers.lock has it */

	enum load_step step;
	struct pinned next;
	bool cached; /* it was in the cache */
	uint64_t began; /* uv_hrtime */
	bool is_allowed; /* `allowed` takes the place of `granted` when it is in use */
	struct consent allowed;
	char *progress; /* one line; "" while nothing is under way */
	char *notice; /* what to know of the update that is coming in or came last; "" nothing */
	char *failure; /* of what came in last, one line; "" none */
	char *details; /* what is asked for, or the failure and what the compiler said: lines */
	struct fetch *fetch;
	struct version *trial;
	struct exchange *probe;
	struct job *check; /* the same for a service that tells nothing without a key */
	size_t found; /* models, by the probe */
	uv_timer_t timer;
};

/* ---- of the engine ---- */

/* Reads providers.lock. NULL with words. */
struct loads *loads_open(struct engine *engine, struct fail *fail);
/* The loop must turn. NULL is fine. */
void loads_close(struct loads *loads);
/* Loads what config.yml and providers.lock name from outside and isn't loaded; what the cache holds
 * is there at once. False with words of the first whose source can't be read. */
bool loads_missing(struct engine *engine, struct fail *fail);
/* Whether this name is loaded from outside by providers.lock, when config.yml doesn't say. */
bool loads_locked(struct engine *engine, const char *name);
/* Reads providers.lock again, which a program may have changed: loads, moves, unloads, grants and
 * revokes as it says. False with words when it has a fault: then nothing changes. */
bool loads_reload(struct engine *engine, struct fail *fail);
/* Whether `unload` hid this bundled or configured provider until the mount ends. */
bool loads_hidden(const struct engine *engine, const char *name);

/* ---- what a user says; each returns at once, false with words for what can be told at once ----
 */

/* `name` NULL: the bundled provider's, or the manifest's id. EEXIST when it is another's. */
bool load_source(struct engine *engine, const char *text, const char *name, struct fail *fail);
/* Ends its turns, hides it and forgets it; its key and what it was granted under that name stay
 * with nobody but the key in keys/NAME, which the user may want again. */
bool load_unload(struct engine *engine, const char *name, struct fail *fail);
/* Grants what is asked for now, no more; revoking ends its turns. */
bool load_allow(struct engine *engine, const char *name, struct fail *fail);
bool load_revoke(struct engine *engine, const char *name, struct fail *fail);
/* To what the ref leads to now; back to the commit before, or only to no update when one is coming
 * in. */
bool load_update(struct provider *provider, struct fail *fail);
bool load_rollback(struct provider *provider, struct fail *fail);
/* A directory or file:// is fetched again, any other's process is started anew. */
bool load_reload(struct provider *provider, struct fail *fail);

/* ---- of a provider ---- */

/* NULL is fine. */
void load_destroy(struct load *load);
/* Why a prompt can't run while there is no version: EACCES or ENODEV with words. */
bool load_refuse(const struct provider *provider, struct fail *fail);

#endif
