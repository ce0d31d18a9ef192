/* Kit: what a turn holds. */
#ifndef CONDUIT_KIT_TURN_H
#define CONDUIT_KIT_TURN_H

#include <conduit/provider.h>

/* The first piece of the new prompt (the last message) whose MIME type begins so: "text/",
 * "audio/"; NULL where there is none. */
const struct conduit_part *conduit_turn_part(const struct conduit_turn *turn, const char *type);

/* A setting's value, or `otherwise` where it isn't in force or is empty. */
const char *conduit_setting_or(
		const struct conduit_turn *turn, const char *name, const char *otherwise);

#endif
