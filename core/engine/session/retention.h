/* Retention: turns go by age, by number and by the bytes they take, as config.yml says, in slices
 * on the loop. Whole conversations go: a turn only when none that is kept continues it. A turn that
 * is under way, or that somebody has open, waits for the next time. The ledger is untouched. */
#ifndef CORE_ENGINE_SESSION_RETENTION_H
#define CORE_ENGINE_SESSION_RETENTION_H

#include <stdint.h>

struct engine;
struct retention;

/* Looks for the first time soon. NULL without memory. */
struct retention *retention_create(struct engine *engine);
/* NULL is fine. */
void retention_destroy(struct retention *retention);
/* A turn has ended, or config.yml was read again: it looks soon. */
void retention_look(struct retention *retention);

#endif
