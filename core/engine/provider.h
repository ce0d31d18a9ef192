/* A loaded provider: its manifest and the user's settings for it, its key, the hosts it may speak
 * to, its process, its models' place, and the turns that run or wait there. */
#ifndef CORE_ENGINE_PROVIDER_H
#define CORE_ENGINE_PROVIDER_H

#include "core/base/list.h"
#include "core/config/config.h"
#include "core/config/key.h"
#include "core/config/manifest.h"
#include "core/process/process.h"
#include "core/store/catalogue.h"
#include "core/transfer/transfer.h"

#include <uv.h>

struct engine;
struct exchange;
struct models_table;

enum provider_state {
	PROVIDER_DISCOVERING, /* the first list is on its way */
	PROVIDER_READY,
	PROVIDER_FAILED, /* there are no models, and `why` says why */
	PROVIDER_NEEDS_KEY, /* there are no models, because their list isn't given without a key */
};

/* The lines of providers/NAME/log that are kept. */
#define PROVIDER_LOG_LINES 200

struct provider {
	struct list link; /* in engine->providers */
	struct engine *engine;
	char *name; /* in the tree */
	const struct config_provider *config; /* config.yml's entry, or NULL */
	struct manifest manifest;
	struct place *place;
	char *base_url; /* "" when it has none */
	bool own_base_url; /* the user named it: the driver's key variable isn't inherited */
	bool local; /* a service of this machine: what states no price costs nothing */
	struct transfer_host *hosts;
	size_t n_hosts;
	struct key *key;
	struct process *process;

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
	struct refresh *refresh; /* while models come and while they are committed */
	uv_timer_t discovery_timer;
	unsigned discovery_failures;
	bool discovery_keyless; /* the one under way began without a key */
	size_t discovered;
};

/* Loads the bundled provider `driver` under `name`; NULL with words. */
struct provider *provider_create(struct engine *engine, const char *name, const char *driver,
		const struct config_provider *config, struct fail *fail);
/* Ends its turns and its process; they get no event. The loop must turn before the memory goes. */
void provider_destroy(struct provider *provider);

/* The whole header line with the key, for a transfer; false when there is no key. Wipe it. */
bool provider_key_header(struct provider *provider, struct buf *ret);
/* True when opening `input` may not be refused for want of a key. */
bool provider_has_key(struct provider *provider);
/* Takes the entry of a config.yml that was read anew, the same but for its address, and the limits
 * of that file. */
void provider_take_config(struct provider *provider, const struct config_provider *config);
void provider_log(struct provider *provider, const char *line);
void provider_set_why(struct provider *provider, const char *why);
const char *provider_state_name(enum provider_state state);

#endif
