/* Kit: what a turn holds. */
#ifndef CONDUIT_KIT_TURN_H
#define CONDUIT_KIT_TURN_H

#include <conduit/provider.h>

/* The first piece of the new prompt (the last message) whose MIME type begins so: "text/",
 * "audio/"; NULL where there is none. */
const struct conduit_part *conduit_turn_part(const struct conduit_turn *turn, const char *type);

/* The same for what works on one file alone. Where there is none the job fails with the words
 * `none`, where there is another, which would be passed over in silence, with words that name it;
 * NULL then.
 */
const struct conduit_part *conduit_turn_only_part(struct conduit_job *job,
		const struct conduit_turn *turn, const char *type, const char *none);

/* A setting's value, or `otherwise` where it isn't in force or is empty. */
const char *conduit_setting_or(
		const struct conduit_turn *turn, const char *name, const char *otherwise);

/* The system prompt that a request begins with: the setting, unless the conversation has one of its
 * own or none is in force; then NULL. */
const char *conduit_turn_system(const struct conduit_turn *turn);

#endif
