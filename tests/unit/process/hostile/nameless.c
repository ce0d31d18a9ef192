/* A provider that forgot to say who it is. */
#include <conduit/provider.h>

CONDUIT_PROVIDER(.transform = NULL)
