/* Builds a chat request out of a turn. */
#ifndef CORE_PROVIDER_KIT_OPENAI_REQUEST_H
#define CORE_PROVIDER_KIT_OPENAI_REQUEST_H

#include <conduit/kit/object.h>
#include <conduit/kit/openai.h>

/* The request's body, to be sent and destroyed; NULL without memory. */
struct conduit_object *openai_request(
		const struct conduit_turn *turn, const struct conduit_openai *dialect);

/* Its other part: writes the settings that are in force. */
void openai_settings(struct conduit_object *object, const struct conduit_turn *turn,
		const struct conduit_openai *dialect);

#endif
