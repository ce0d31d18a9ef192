/* A turn that outlives the call which brought it. */
#ifndef CORE_PROVIDER_KIT_TURN_COPY_H
#define CORE_PROVIDER_KIT_TURN_COPY_H

#include <conduit/provider.h>

/* NULL without memory. */
struct conduit_turn *turn_copy(const struct conduit_turn *turn);
/* NULL is fine. */
void turn_copy_free(struct conduit_turn *copy);

#endif
