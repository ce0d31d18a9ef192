/* A conversation in the chat format, as messages.json has it: a JSON array of
 *
 *   {"role": "system" | "user" | "assistant", "content": "text"}
 *
 * a line each. Pure: text to messages and back. */
#ifndef CORE_ENGINE_SESSION_MESSAGES_H
#define CORE_ENGINE_SESSION_MESSAGES_H

#include "core/base/buf.h"
#include "core/turn/history.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of JSON that are taken: newlines and quotes are two there. */
#define MESSAGES_MOST (HISTORY_BYTES_MOST * 2)

struct messages {
	char *system; /* of the first message, when that is one; NULL */
	struct history_text *texts; /* they lie in `document` */
	size_t n;
	void *document; /* what was parsed */
};

enum messages_state {
	MESSAGES_WHOLE, /* the array is closed, or what came can't become one: parse it */
	MESSAGES_MORE, /* it ends in the middle */
};

/* Whether text that comes in pieces is all there, by its brackets alone. */
enum messages_state messages_scan(const char *text, size_t size);
/* Takes: content that is a string, or an array of {"type": "text", "text": …}, which are joined. A
 * system message can only be the first; what else a message holds isn't kept, but one with tool
 * calls is refused. False with EINVAL, EFBIG over MESSAGES_MOST or HISTORY_BYTES_MOST of text,
 * EMSGSIZE over HISTORY_MOST
 * and words that name the message by its index. */
bool messages_parse(const char *text, size_t size, struct messages *ret, struct fail *fail);
void messages_finish(struct messages *messages);

/* Writing one: the opening, a message after the other, the end. False as buf_add. */
bool messages_begin(struct buf *out);
bool messages_add(struct buf *out, const char *role, const char *text, size_t size);
bool messages_end(struct buf *out);

#endif
