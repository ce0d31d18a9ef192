/* A message's content: its text, and its attachments in the form that the service takes them in. */
#ifndef CORE_PROVIDER_KIT_OPENAI_PARTS_H
#define CORE_PROVIDER_KIT_OPENAI_PARTS_H

#include <conduit/kit/object.h>
#include <conduit/kit/openai.h>

/* Writes the content as a JSON value; an attachment that the service doesn't take is refused. */
void openai_content(struct conduit_object *object, const struct conduit_message *message,
		const struct conduit_openai *dialect);

#endif
