/* A loaded provider: the user's settings for it, the version of it that answers, its models' place,
 * and the turns that run or wait there. */
#ifndef CORE_ENGINE_PROVIDER_H
#define CORE_ENGINE_PROVIDER_H

#include "core/base/list.h"
#include "core/config/config.h"
#include "core/engine/load/version.h"
#include "core/store/catalogue.h"

#include <uv.h>

struct engine;
struct exchange;
struct load;
struct look_ups;
struct models_table;

enum provider_state {
	PROVIDER_DISCOVERING, /* the first list is on its way */
	PROVIDER_READY,
	PROVIDER_FAILED, /* there are no models, and `why` says why */
	PROVIDER_NEEDS_KEY, /* there are no models, because their list isn't given without a key */
	/* Of one from outside that has no version yet. */
	PROVIDER_FETCHING,
	PROVIDER_BUILDING,
	PROVIDER_NEEDS_CONSENT,
};

/* The lines of providers/NAME/log that are kept. */
#define PROVIDER_LOG_LINES 200

struct provider {
	struct list link; /* in engine->providers */
	struct engine *engine;
	char *name; /* in the tree */
	const struct config_provider *config; /* config.yml's entry, or NULL */
	struct place *place;
	struct version *version; /* what answers, held; NULL while nothing does */
	struct load *load; /* of one from outside, else NULL */

	struct models_table *models; /* models.tsv */

	enum provider_state state;
	char *why; /* the last failure in words, "" when all is well */
	char *last_error; /* what a write below this provider was last refused for, or "" */
	char *log[PROVIDER_LOG_LINES]; /* a ring */
	size_t log_next;

	/* Turns: see queue.h. */
	struct list queue;
	struct list running;
	size_t n_queued, n_running;
	int concurrent, queue_most;
	bool pumping; /* queue_pump is on the stack */
	struct list leaving; /* exchanges that ended and read the rest of a reply */

	/* Discovery: see discovery.h. */
	struct exchange *discovery;
	struct version *elsewhere; /* asked at another of its addresses; NULL: `version` is */
	size_t n_elsewhere; /* of these addresses that were tried */
	struct buf missed; /* what came of those before, in words */
	struct refresh *refresh; /* while models come and while they are committed */
	uv_timer_t discovery_timer;
	unsigned discovery_failures;
	bool discovery_keyless; /* the one under way began without a key */
	size_t discovered;
	struct look_ups *look_ups; /* see look_up.h */
};

/* A provider under `name` and its place, without a version yet; NULL with words. */
struct provider *provider_create(struct engine *engine, const char *name,
		const struct config_provider *config, struct fail *fail);
/* Takes the version over, as the one that answers; the one before ends with its exchanges, and with
 * its discovery. NULL: nothing answers any more. */
void provider_use(struct provider *provider, struct version *version);
/* Ends its turns and its process; they get no event. The loop must turn before the memory goes. */
void provider_destroy(struct provider *provider);

/* True when opening `input` may not be refused for want of a key. */
bool provider_has_key(struct provider *provider);
/* Whether a prompt for one of its models could run now; else why not: an errno and words. */
bool provider_takes(struct provider *provider, struct fail *fail);
/* What the provider says of itself; NULL while that isn't known. */
const struct manifest *provider_manifest(const struct provider *provider);
/* key_command has ended: what waited for the key goes on. */
void provider_key_came(struct provider *provider);
/* Takes the entry of a config.yml that was read anew, the same but for its address, and the limits
 * of that file. */
void provider_take_config(struct provider *provider, const struct config_provider *config);
void provider_log(struct provider *provider, const char *line);
void provider_set_why(struct provider *provider, const char *why);
const char *provider_state_name(enum provider_state state);

#endif
