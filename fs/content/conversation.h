/* messages.json and transcript.md of a session: made when they are opened, and the first one taken
 * when it is written. See core/engine/session/conversation.h. */
#ifndef FS_CONTENT_CONVERSATION_H
#define FS_CONTENT_CONVERSATION_H

#include "fs/content/accept.h"
#include "fs/content/show.h"

/* Whether a kind is one of the two. */
bool conversation_file(enum kind kind);
/* Appends the file's text; false with words. */
bool conversation_text(
		struct tree *tree, const struct node *node, struct buf *out, struct fail *fail);
/* Its size in bytes, 0 for one that can't be shown; remembered until the conversation changes. */
uint64_t conversation_size(struct tree *tree, const struct node *node);

SHOW(show_conversation);
ACCEPT(accept_messages);

#endif
