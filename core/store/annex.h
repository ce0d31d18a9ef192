/* Places that stand beside the models: sessions below a model or a route, and the routes and groups
 * of the root. They are places as any other (settings, turns and whose turn it is go by their ids),
 * but a refresh neither lists nor removes them, and they can be renamed.
 *
 * An id is never used again: who makes a session anew under a name that was removed gets another
 * place. Pointers to a struct place that was renamed or removed stay readable until the loop comes
 * round, but aren't that place any more: keep ids. */
#ifndef CORE_STORE_ANNEX_H
#define CORE_STORE_ANNEX_H

#include "core/store/catalogue.h"

/* Sessions that a mount keeps; each costs a quarter of a kilobyte. */
#define SESSIONS_MOST 100000

/* The one of that kind and name below `parent`, or NULL. */
struct place *annex_find(const struct place *parent, enum place_kind kind, const char *name);
/* The first of that kind whose id is above `after`; NULL at the end. */
struct place *annex_next(const struct place *parent, enum place_kind kind, int64_t after);
/* How many of that kind are below `parent`. */
size_t annex_count(const struct place *parent, enum place_kind kind);

/* Makes one, durably. NULL with EEXIST, EINVAL for what can't be a file name, ENOSPC (also for more
 * than SESSIONS_MOST) … */
struct place *annex_make(struct catalogue *catalogue, struct place *parent, enum place_kind kind,
		const char *name, struct fail *fail);
/* Gives it another name, or another parent, durably; the id stays. Returns what is that place from
 * now on, or NULL with EEXIST … */
struct place *annex_rename(struct catalogue *catalogue, struct place *annex, struct place *parent,
		const char *name, struct fail *fail);
/* Takes it away, durably, and with it all that goes by its id in the store: its settings, and its
 * turns and their files soon after. What of these is in memory is the caller's. */
bool annex_remove(struct catalogue *catalogue, struct place *annex, struct fail *fail);

#endif
