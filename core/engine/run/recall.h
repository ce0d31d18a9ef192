/* Calling jobs back whose turns ended before anybody could say how: a turn that was picked up after
 * a start, and cancelled while its provider wasn't there yet. The turn is over at once; its job's
 * token is kept, and when the provider is there it is asked by that how the job is cancelled. */
#ifndef CORE_ENGINE_RUN_RECALL_H
#define CORE_ENGINE_RUN_RECALL_H

#include <stdbool.h>

struct engine;
struct provider;
struct run;

/* Whether a run has a job of which its provider hasn't said anything yet since it has it. */
bool recall_needed(const struct run *run);
/* For a run that ends without a result: nothing where it isn't needed. */
void recall_later(struct run *run);
/* The provider is there: asks it about those that wait for it. */
void recall_pump(struct provider *provider);
/* The provider goes: those that it is being asked about wait for one of its name. */
void recall_leave(const struct provider *provider);
/* The jobs go on, as at any end of conduitfs. */
void recalls_drop(struct engine *engine);

#endif
