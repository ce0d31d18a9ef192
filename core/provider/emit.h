/* What the parts of provider.h that a provider calls have in common: messages within the bounds of
 * the wire. Private to emit*.c. */
#ifndef CORE_PROVIDER_EMIT_H
#define CORE_PROVIDER_EMIT_H

#include "core/provider/conduit/provider.h"
#include "core/wire/wire.h"

#include <stddef.h>

/* Sends a job's message; one that breaks a bound of the wire is dropped with a line in the log. */
void emit_put(struct conduit_job *job, struct wire_message *message, const char *what);
/* A copy of at most `most` bytes, to be freed; NULL stays NULL. */
char *emit_shortened(const char *text, size_t most);
/* Ends the job: it asked for what may not be. */
void emit_refuse(struct conduit_job *job, const char *words);
/* Why a request's method, URL and headers can't be sent, or NULL. */
const char *emit_head_trouble(const struct conduit_request *request);
/* A request's headers, which have no such trouble. */
void emit_headers(struct wire_request *to, const struct conduit_request *request);

#endif
