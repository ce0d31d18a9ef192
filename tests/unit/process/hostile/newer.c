/* A provider built for an ABI that isn't known yet. */
#include <conduit/provider.h>

__attribute__((visibility("default"))) const struct conduit_provider conduit_provider_entry = {
		.abi = CONDUIT_ABI + 1, .size = sizeof(struct conduit_provider) + 64};
