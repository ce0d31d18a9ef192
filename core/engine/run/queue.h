/* A provider's turns between submission and their end: the queue, as many side by side as the
 * provider takes, the turns of one conversation in order, attempts and the waits between them. */
#ifndef CORE_ENGINE_RUN_QUEUE_H
#define CORE_ENGINE_RUN_QUEUE_H

#include "core/engine/provider.h"
#include "core/turn/turn.h"

/* Puts a recorded turn, which this model of the provider's answers, in its queue and starts what
 * may start; the turn may be over already when this returns. False without memory. */
bool queue_add(struct provider *provider, struct place *model, struct turn *turn,
		struct fail *fail);
/* Starts what may start now. */
void queue_pump(struct provider *provider);
/* A turn of this provider, written at that place, is over: starts what may start now. */
void queue_ended(struct provider *provider, int64_t place);
/* True when a further turn may wait, or needn't. */
bool queue_has_room(const struct provider *provider);
/* Ends a queued, waiting or running turn as cancelled; its connection is closed. */
void queue_cancel(struct turn *turn);
/* The same for all of a place. */
void queue_cancel_all(struct engine *engine, int64_t place);
/* The turn of its conversation that has to be over before this one may begin: its id, or 0. */
int64_t queue_waits_for(const struct turn *turn);
/* The place of a queued turn in its provider's queue, from 1; 0 for one that isn't queued. */
size_t queue_position(const struct turn *turn);
/* What a queued turn waits for, in words for `status`; "" for one that isn't queued. */
#define QUEUE_WORDS_MOST 160
void queue_words(const struct turn *turn, char ret[QUEUE_WORDS_MOST]);
/* The provider goes: what is queued or runs becomes interrupted. */
void queue_interrupt(struct provider *provider);
/* How many turns of a place run and wait, whichever provider answers them. */
void queue_count(const struct engine *engine, int64_t place, size_t *ret_running,
		size_t *ret_queued);

#endif
