/* Asking afterwards what a turn cost that was cut off, where the provider can say (`cost_lookup` in
 * its manifest). The answer settles the turn's entry in the ledger. Services know it only after a
 * while, so that it is asked for a few times; what isn't known then, or at unmount, stays unknown
 * and counts by the most that it can have cost. */
#ifndef CORE_ENGINE_MONEY_SETTLE_H
#define CORE_ENGINE_MONEY_SETTLE_H

#include <stdbool.h>

struct engine;
struct provider;
struct run;
struct settlements;

/* NULL without memory. */
struct settlements *settlements_create(struct engine *engine);
/* Asks no more. NULL is fine. */
void settlements_destroy(struct settlements *settlements);
/* Whether it could be asked of a run's provider what it cost. */
bool settlements_can_ask(const struct run *run);
/* The run ended without a cost, after the head of a reply: asks, from the loop. */
void settlements_ask(struct settlements *settlements, const struct run *run);
/* The provider goes: nothing is asked of it any more. NULL settlements are fine. */
void settlements_leave(struct settlements *settlements, const struct provider *provider);

#endif
