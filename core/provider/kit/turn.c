/* What a turn holds: see conduit/kit/turn.h. */
#include <conduit/kit/turn.h>

#include <conduit/kit/failure.h>

#include "core/base/text.h"

/* The first such piece behind another, or of all where that is NULL. */
static const struct conduit_part *part_behind(const struct conduit_turn *turn, const char *type,
		const struct conduit_part *behind) {
	const struct conduit_message *last = turn->n_messages != 0
							     ? &turn->messages[turn->n_messages - 1]
							     : NULL;
	size_t first = behind != NULL ? (size_t)(behind - last->parts) + 1 : 0;
	for (size_t i = first; last != NULL && i < last->n_parts; i++) {
		if (starts_with(last->parts[i].type, type)) {
			return &last->parts[i];
		}
	}
	return NULL;
}

const struct conduit_part *conduit_turn_part(const struct conduit_turn *turn, const char *type) {
	return part_behind(turn, type, NULL);
}

const struct conduit_part *conduit_turn_only_part(struct conduit_job *job,
		const struct conduit_turn *turn, const char *type, const char *none) {
	const struct conduit_part *part = part_behind(turn, type, NULL);
	const struct conduit_part *another = part != NULL ? part_behind(turn, type, part) : NULL;
	if (part == NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID, "%s", none);
	} else if (another != NULL) {
		/* The prompt has no name. */
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"one file is taken at a time, and attach/%s is another",
				another->name[0] != '\0' ? another->name : part->name);
	}
	return another == NULL ? part : NULL;
}

const char *conduit_setting_or(
		const struct conduit_turn *turn, const char *name, const char *otherwise) {
	const char *value = conduit_setting(turn, name);
	return value != NULL && value[0] != '\0' ? value : otherwise;
}

const char *conduit_turn_system(const struct conduit_turn *turn) {
	for (size_t i = 0; i < turn->n_messages; i++) {
		if (turn->messages[i].role == CONDUIT_SYSTEM) {
			return NULL;
		}
	}
	return conduit_setting_or(turn, "system", NULL);
}
