/* Writing a recorded exchange: its own lines, and the files beside it. Private to core/command. */
#ifndef CORE_COMMAND_EXCHANGE_WRITE_H
#define CORE_COMMAND_EXCHANGE_WRITE_H

#include "core/command/exchange_turn.h"

/* Longer texts go to files beside the exchange. */
#define INLINE_MOST 2000

struct writing {
	const char *base; /* what all of its files begin with: "tests/hello" */
	const struct recorded_turn *turn;
	struct buf text; /* of the exchange */
	struct buf written; /* paths, a line each */
	size_t replies;
	size_t read; /* of the response */
	size_t attached; /* files that went along */
	size_t artifacts;
	struct fail *fail;
};

/* What a file of this MIME type ends with, without a dot; "body" where that isn't known. */
const char *extension_of(const char *type);
/* Writes BASE and `ending`, and gives its name without directories into `ret_name`. */
bool write_beside(struct writing *writing, const char *ending, const void *bytes, size_t size,
		struct buf *ret_name);
/* A text on the line itself, or bytes in a file that `KEY_file` names and that ends like one of
 * this type. */
bool write_text(struct writing *writing, const char *key, const struct buf *text, const char *type);
/* A line `KEY TYPE FILE` of a file of the turn's, by its path below the turn's directory; its name
 * ends with `what` and a number. */
bool write_file(struct writing *writing, const char *key, const char *type, const char *what,
		size_t number, const char *path);
/* Takes all files away that were written. */
void take_back(const struct writing *writing);

#endif
