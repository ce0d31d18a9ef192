/* The services that speak OpenAI's dialect, told apart by their address. */
#ifndef SERVICES_H
#define SERVICES_H

#include <conduit/kit/openai.h>

/* How the service at this base URL differs; what isn't known here is taken to be a server of one's
 * own. `model` may be NULL. Static. */
const struct conduit_openai *service_dialect(const char *base_url, const char *model);

#endif
