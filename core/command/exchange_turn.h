/* A turn as its directory in the tree shows it, read whole for the recording of an exchange.
 * Private to core/command. */
#ifndef CORE_COMMAND_EXCHANGE_TURN_H
#define CORE_COMMAND_EXCHANGE_TURN_H

#include "core/base/buf.h"
#include "core/base/fail.h"
#include "core/provider/replay/exchange_lines.h"

#include <stdbool.h>

struct recorded_turn {
	const char *directory; /* borrowed */
	struct exchange_lines lines; /* of its file `exchange` */
	struct buf prompt, output, reasoning, request, response; /* as the provider knew them */
	struct buf status, usage, error; /* as they are shown */
	struct buf conversation; /* lines `user` and `assistant`, oldest first */
};

/* Reads it; `ret` starts as zeros, and is to be finished also after a failure. False with words,
 * also for a turn that no exchange can be made of: one that isn't over, or that no service
 * answered. */
bool recorded_turn_read(struct recorded_turn *ret, const char *directory, struct fail *fail);
/* A further file of it, by its path below the directory. False with words. */
bool recorded_turn_file(const struct recorded_turn *turn, const char *path, struct buf *ret,
		struct fail *fail);
/* The n-th line of its `exchange` with this key, from 1; NULL when there are fewer. */
const struct exchange_line *recorded_turn_line(
		const struct recorded_turn *turn, const char *key, size_t n);
void recorded_turn_finish(struct recorded_turn *turn);

/* The value of a key in a file of `key value` lines, "" when it is "-", "unknown" or not there; the
 * caller frees. NULL without memory. */
char *flat_value(const struct buf *file, const char *key);

#endif
