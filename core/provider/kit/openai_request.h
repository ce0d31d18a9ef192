/* Builds a chat request out of a turn. */
#ifndef CORE_PROVIDER_KIT_OPENAI_REQUEST_H
#define CORE_PROVIDER_KIT_OPENAI_REQUEST_H

#include "core/base/fail.h"

#include <conduit/kit/body.h>
#include <conduit/kit/openai.h>

/* The body, to be destroyed; NULL and words when a setting can't be sent as it is. */
struct conduit_body *openai_request(const struct conduit_turn *turn,
		const struct conduit_openai *dialect, struct fail *fail);

/* ---- between its two parts ---- */

/* The members of the setting `extra`, as they were written. */
struct extra_member {
	char *name; /* as between its quotes */
	char *json;
};

struct extra {
	struct extra_member *members;
	size_t n;
	bool failed; /* memory */
};

/* An object being written, member by member. */
struct object {
	struct conduit_body *body;
	const struct extra *extra;
	bool begun;
};

/* Writes a member's name, unless extra has a member of that name: then false. */
bool object_member(struct object *object, const char *name);

/* Writes the settings that are in force. */
bool openai_settings(struct object *object, const struct conduit_turn *turn,
		const struct conduit_openai *dialect, struct fail *fail);
/* Takes a setting `extra` apart; false with words when it isn't a JSON object. */
bool openai_extra_read(struct extra *extra, const char *value, struct fail *fail);
void openai_extra_finish(struct extra *extra);

#endif
