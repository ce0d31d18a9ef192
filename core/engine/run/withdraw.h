/* Withdrawing a job from its service: the request that a provider named for the case that its turn
 * ends without a result. It goes out by itself: nobody waits for the reply, and what the turn was
 * may be gone meanwhile. */
#ifndef CORE_ENGINE_RUN_WITHDRAW_H
#define CORE_ENGINE_RUN_WITHDRAW_H

#include "core/base/list.h"
#include "core/process/process.h"

struct engine;
struct version;

/* The request, as long as it may be needed. Starts as zeros; embedded. */
struct withdrawal {
	char *method, *url; /* NULL: there is none */
	char **headers;
	struct body body;
};

/* Copies a request in place of the one before; NULL: there is none any more. False without memory.
 */
bool withdrawal_set(struct withdrawal *withdrawal, const struct job_request *request);
void withdrawal_finish(struct withdrawal *withdrawal);
/* Sends it once, if there is one, with this version's key and to its hosts; what comes of it stands
 * in the provider's log. Ends within 15 s. */
void withdrawal_send(struct withdrawal *withdrawal, struct version *version);
/* Those under way end unheard. */
void withdrawals_drop(struct engine *engine);

#endif
