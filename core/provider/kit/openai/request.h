/* Makes the requests of OpenAI's dialect: a turn as a chat, and what all of them share. */
#ifndef CORE_PROVIDER_KIT_OPENAI_REQUEST_H
#define CORE_PROVIDER_KIT_OPENAI_REQUEST_H

#include "core/provider/kit/openai/wish.h"

/* The request's body, to be sent and destroyed; NULL without memory. */
struct conduit_object *openai_request(const struct conduit_turn *turn,
		const struct conduit_openai *dialect, const struct openai_wish *wish);

/* Its other part: writes the settings that are in force. */
void openai_settings(struct conduit_object *object, const struct conduit_turn *turn,
		const struct conduit_openai *dialect);

/* Posts the object to a URL, or to a path after the base URL ("/rerank"), or fails the job. The
 * object stays the caller's. */
void openai_post(struct conduit_object *object, struct conduit_job *job,
		const struct conduit_openai *dialect, const char *where);
/* Asks for what lies at `url`, a list. */
void openai_get(struct conduit_job *job, const struct conduit_openai *dialect, const char *url);

/* A member of a good reply's top level: fails the job with it, and returns true, when it is an
 * error. */
bool openai_error_member(struct conduit_job *job, const char *name, const char *json, size_t size);

#endif
