/* Discovery: keeping a provider's models as the service lists them. Runs when the stored list is
 * older than `refresh`, on demand, and again with back-off after a failure; a failed or empty list
 * never replaces a good one. */
#ifndef CORE_ENGINE_LOAD_DISCOVERY_H
#define CORE_ENGINE_LOAD_DISCOVERY_H

#include "core/engine/run/exchange.h"

/* At load: discovers now when the list is due, else when it will be. */
void discovery_begin(struct provider *provider);
/* `ctl refresh`: now, unless one is under way. */
void discovery_refresh(struct provider *provider);
/* A discovery whose models aren't kept: whether this version finds any. NULL without memory. */
struct exchange *discovery_try(
		struct version *version, const struct exchange_events *events, void *data);
/* What its requests may take, of the provider's settings. */
struct transfer_timeouts discovery_timeouts(struct provider *provider);
/* Whether the service tells nothing to who has no key, and there is none. */
bool discovery_lacks_key(const struct version *version);
/* No more of it; what is under way ends. */
void discovery_stop(struct provider *provider);

#endif
