/* The engine: everything behind the tree, without the tree. Owns the store, the catalogue, the
 * providers, the turns and the settings, and drives them on one loop. fs/ asks it and is told of
 * changes; it runs in unit tests without FUSE. */
#ifndef CORE_ENGINE_ENGINE_H
#define CORE_ENGINE_ENGINE_H

#include "core/config/config.h"
#include "core/engine/provider.h"
#include "core/engine/route/health.h"
#include "core/engine/route/route.h"
#include "core/engine/values.h"
#include "core/store/catalogue.h"
#include "core/store/store.h"
#include "core/turn/chain.h"
#include "core/turn/turn.h"

#include <uv.h>

struct attachments;
struct books;
struct budgets;
struct retention;
struct settlements;

struct engine_options {
	const char *config_file; /* NULL: the default place */
	const char *provider_directory; /* where the bundled providers lie: NAME.so and NAME.yml */
	const char *runner; /* absolute path of conduitfs-provider */
	/* For providers from outside: the absolute path of conduitfs-fetch (NULL: only what the
	 * cache holds is loaded), the directory of conduit/provider.h, and the cache (NULL: the
	 * default place). */
	const char *fetcher, *include, *cache;
	/* A directory's listing changed; NULL: nobody cares. */
	void (*listing_changed)(void *data, struct place *place);
	/* A turn came to a model's turns; NULL: nobody cares. */
	void (*turns_changed)(void *data, int64_t place);
	/* Turns of a place were forgotten; NULL: nobody cares. */
	void (*turns_removed)(void *data, int64_t place);
	/* Where a link in attach/ of a place leads for the writer of `turn`: the path of a file in
	 * the state directory that never changes any more, or with "" for a path what is shown
	 * there now, added to `text` within its limit. False with words. NULL: nowhere. */
	bool (*follow)(void *data, struct place *place, const struct turn *turn, const char *target,
			char *path, size_t size, struct buf *text, struct fail *fail);
	/* Called between any two pieces of work, to serve the kernel. */
	void (*between)(void *data);
	void *data;
};

struct engine {
	uv_loop_t *loop;
	struct engine_options options;
	struct config config;
	struct store *store;
	struct catalogue *catalogue;
	struct transfer_engine *transfers;
	struct values *values;
	struct health *health;
	struct routes *routes;
	struct turn_table *turns;
	struct chain_map *chains;
	struct lineage *lineage;
	struct books *books;
	struct budgets *budgets;
	struct retention *retention;
	struct settlements *settlements; /* NULL once the engine stops */
	struct attachments *attachments;
	struct list providers;
	struct list withdrawals; /* requests that withdraw jobs: see run/withdraw.h */
	size_t n_withdrawals;
	struct list recalls; /* jobs to be withdrawn once their provider is there: run/recall.h */
	size_t n_recalls;
	struct loads *loads; /* those from outside: load.h */
	int64_t started; /* microseconds since the epoch */
	uint64_t turns_done, turns_failed;
	char *last_error; /* what a write at the root was last refused for, or "" */
	bool closing;
};

/* Reads config.yml, opens the store, loads the providers; discovery begins behind. NULL with words
 * that may hold several lines. libcurl must have been started. */
struct engine *engine_open(
		uv_loop_t *loop, const struct engine_options *options, struct fail *fail);
/* Ends the providers: what runs or waits becomes interrupted, and who watches a turn is told. Turns
 * can still be looked at. */
void engine_stop(struct engine *engine);
/* The same, and frees everything; nobody may hold a turn any more. The loop must turn (uv_run)
 * after it until its handles are closed. NULL is fine. */
void engine_close(struct engine *engine);
/* Reads config.yml and providers.lock again: providers that changed are loaded anew, limits take
 * force. False with words when the file has a fault (then nothing changes), and of the first
 * provider that can't be loaded (the rest of the file takes force). */
bool engine_reload(struct engine *engine, struct fail *fail);

/* Loads every bundled or configured provider that isn't loaded, and takes their keys out of the
 * environment. False with words of the first that can't be; the others are loaded. */
bool engine_load_missing(struct engine *engine, struct fail *fail);
/* Loads this bundled provider, which isn't loaded, under its own name. */
bool engine_load_bundled(struct engine *engine, const char *name, struct fail *fail);
/* The file of authorities that are trusted instead of the system's, for requests and for git; NULL:
 * the system's. */
const char *engine_ca_file(const struct engine *engine);

/* The provider whose place this is, or lies above it; NULL for the root and for hidden ones. */
struct provider *engine_provider(struct engine *engine, struct place *place);
/* True once every provider that had nothing stored has tried its first discovery. */
bool engine_discovered(const struct engine *engine);
/* True while a turn runs or waits for its place. */
bool engine_busy(const struct engine *engine);
/* The setting in force at a place; "" when none is. */
const char *engine_setting(struct engine *engine, struct place *place, const char *name);
/* The same as a number; `otherwise` when it is unset. */
double engine_number(
		struct engine *engine, struct place *place, const char *name, double otherwise);
/* The setting, by its index, in force for a turn that is written at `place` and answered by
 * `model`.
 */
const char *engine_setting_of(
		struct engine *engine, struct place *place, struct place *model, int index);
/* Whether config/ of this place has the setting: those that are everywhere, at a model or its
 * sessions those that the model says it takes, and what says how to choose at the root and at
 * routes. */
bool engine_has_setting(struct engine *engine, struct place *place, int index);

/* ---- turns ---- */

/* Whether a prompt written here could run now; else the errno and words for the opener. */
bool engine_may_submit(struct engine *engine, struct place *place, struct fail *fail);
/* A turn in state open, held once, that counts as newest for the chain's processes from now on.
 * `continues`: of the caller's last conversation here. NULL with words. */
struct turn *engine_begin(struct engine *engine, struct place *place, const struct chain *chain,
		bool continues, struct fail *fail);
/* Keeps a refusal as the caller's newest turn here, so that `error` and `output` tell of it. */
void engine_refuse(struct engine *engine, struct place *place, const struct chain *chain,
		const struct fail *why);
/* Keeps what a write below this place was refused for: the caller's newest `error` at a model, the
 * provider's or the root's `error` else. */
void engine_note(struct engine *engine, struct place *place, const struct chain *chain,
		const struct fail *why);
/* Records the turn and lets it run as soon as it may; from here on it ends by itself. */
void engine_submit(struct engine *engine, struct turn *turn);
/* Forgets an open turn that nothing was written to. */
void engine_drop(struct engine *engine, struct turn *turn);
/* Ends a turn that is queued, waits or runs; false with ESRCH words when it is over. */
bool engine_cancel(struct engine *engine, struct turn *turn, struct fail *fail);
/* Sends the prompt of a turn that is over again, as a new turn of the chain's processes. */
bool engine_retry(struct engine *engine, struct turn *turn, const struct chain *chain,
		struct fail *fail);

/* Where a conversation goes on: what was submitted last in a session; elsewhere the caller's last
 * turn that was sent, refusals stepped over. 0 for none. */
int64_t engine_last_sent(struct engine *engine, struct place *place, const struct chain *chain);
/* Whose turn: the newest turn here of the process `tid` or the nearest of its ancestors that has
 * one, else the newest of anyone; 0 before the first. `notes`: refused writes to config/ and ctl
 * count too, as for `error`. */
int64_t engine_newest(struct engine *engine, struct place *place, int32_t tid, bool notes);

#endif
