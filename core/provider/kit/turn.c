/* What a turn holds: see conduit/kit/turn.h. */
#include <conduit/kit/turn.h>

#include "core/base/text.h"

const struct conduit_part *conduit_turn_part(const struct conduit_turn *turn, const char *type) {
	const struct conduit_message *last = turn->n_messages != 0
							     ? &turn->messages[turn->n_messages - 1]
							     : NULL;
	for (size_t i = 0; last != NULL && i < last->n_parts; i++) {
		if (starts_with(last->parts[i].type, type)) {
			return &last->parts[i];
		}
	}
	return NULL;
}

const char *conduit_setting_or(
		const struct conduit_turn *turn, const char *name, const char *otherwise) {
	const char *value = conduit_setting(turn, name);
	return value != NULL && value[0] != '\0' ? value : otherwise;
}
