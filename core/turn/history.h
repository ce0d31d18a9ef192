/* What was said before a turn, oldest first, as it goes to a service and as messages.json shows it.
 * Of the turns that lead there those that were answered count; of an answer that is sound or a
 * picture, the text beside it, if there is one. A turn that is `imported` has a whole history in
 * place of a prompt and an answer, and what lies before it doesn't count. */
#ifndef CORE_TURN_HISTORY_H
#define CORE_TURN_HISTORY_H

#include "core/turn/turn.h"

/* Messages that a history may have. */
#define HISTORY_MOST 1000
/* Bytes of them that are shown, copied or taken as a whole, which is done on the loop: a million
 * tokens. */
#define HISTORY_BYTES_MOST ((size_t)4 << 20)

struct history_message {
	bool answer; /* said by the model, else by the user */
	int64_t turn; /* in whose file it lies, from the byte `skip` on */
	enum turn_file file;
	size_t result; /* of an answer that isn't text: which of its results is (results.h); 0: the
			  file itself */
	uint64_t skip, size;
};

struct history {
	struct history_message *messages; /* owned */
	size_t n;
	uint64_t bytes;
};

/* Gathers what leads up to and includes the turn `last` (0: nothing does). False with EMSGSIZE over
 * HISTORY_MOST, EIO … and words. */
bool history_gather(struct turn_table *table, int64_t last, struct history *ret, struct fail *fail);
void history_finish(struct history *history);
/* What a turn's answer adds to a conversation, in bytes, so far. */
uint64_t history_answer_size(struct turn *turn);
/* The path of the file that a message lies in. */
bool history_path(struct turn_table *table, const struct history_message *message, char *ret,
		size_t size);
/* Appends a message's text. */
bool history_read(struct turn_table *table, const struct history_message *message, struct buf *out,
		struct fail *fail);

/* A message that comes from elsewhere; nothing is owned. */
struct history_text {
	const char *text;
	size_t size;
	bool answer;
};

/* Gives an imported turn its history, which its row makes real. */
bool history_write(
		struct turn *turn, const struct history_text *texts, size_t n, struct fail *fail);

#endif
