/* Between the files that load providers from outside: load_fetch.c (from a source to what
 * was built of it), load.c (from that to its place), load_name.c (whose name it bears),
 * load_command.c (what a user says), loads.c (providers.lock). Private to them. */
#ifndef CORE_ENGINE_LOAD_LOAD_PRIVATE_H
#define CORE_ENGINE_LOAD_LOAD_PRIVATE_H

#include "core/engine/load/load.h"
#include "core/engine/load/pins.h"

struct loads {
	struct engine *engine;
	struct pins *pins;
	char *cache;
	char **hidden; /* names that `unload` hid */
	bool stale; /* the lock is to be read again once our changes are written */
};

/* load.c */

/* For a provider that has none; NULL without memory. */
struct load *load_create(struct provider *provider, const struct source *source);
/* Ends what is coming in. */
void load_stop(struct load *load);
void load_enter(struct load *load, enum load_step step);
/* A line in the provider's log. */
void load_log(struct load *load, const char *what, const char *words);
/* What came in is what is used from now on; takes the version over, NULL when that stays. */
void load_adopt(struct load *load, struct version *version);
/* What came in isn't used; `messages` "" or the compiler's. */
void load_fail(struct load *load, const char *words, const char *messages);
/* Goes on with what came in: asks for what isn't granted, else lets it run. */
void load_weigh(struct load *load);
/* The same without asking. */
void load_proceed(struct load *load);
/* Takes the version in use away and weighs it anew; its turns end. */
void load_withdraw(struct load *load);
/* Whether there is a commit, and whether it is the same. */
bool pinned_at(const struct pinned *pinned);
bool pinned_same(const struct pinned *a, const struct pinned *b);

/* load_fetch.c */

/* Brings in what the source leads to now, or exactly a commit; what came in before is dropped. */
void load_begin(struct load *load, const struct source *source, const char *commit);

/* load_name.c */

/* Gives the provider the name that its manifest asks for, when nobody gave it another; the load may
 * belong to another provider afterwards. Fills next.bundled in. False with words. */
bool load_name(struct load *load, const struct manifest *manifest, struct fail *fail);
/* Whether this is a bundled provider's name. */
bool load_is_bundled(const struct engine *engine, const char *name);
struct provider *load_find(const struct engine *engine, const char *name);
/* A provider that shows at once and has no version yet; NULL with words. */
struct provider *load_show(struct engine *engine, const char *name, const struct source *source,
		struct fail *fail);
/* Ends and hides it. */
void load_hide(struct provider *provider);

/* loads.c */

struct fetch_options loads_fetch_options(const struct engine *engine);
/* Writes the provider's entry of providers.lock, behind. */
void load_save(struct load *load);
/* Whether the lock's grant and config.yml's together cover this; else what is missing is appended.
 */
bool load_covers(const struct load *load, const struct consent *asked, struct buf *missing);
/* The lock's grant with what is asked, as far as one key may serve both. */
bool load_grant(const struct load *load, const struct consent *asked, struct consent *ret);
/* When a bundled provider's key is asked for, says so. */
void load_warn_of_key(const struct load *load, struct buf *words);

#endif
