/* What is done with a conversation as a whole: shown, replaced, begun anew, forked. See
 * turn/history.h for what is part of it. */
#ifndef CORE_ENGINE_SESSION_CONVERSATION_H
#define CORE_ENGINE_SESSION_CONVERSATION_H

#include "core/engine/engine.h"
#include "core/engine/session/messages.h"

/* Appends a session's history in the chat format, the system text in force first. False with EFBIG
 * over HISTORY_BYTES_MOST, EMSGSIZE … and words. */
bool conversation_show(
		struct engine *engine, struct place *session, struct buf *out, struct fail *fail);
/* The same for people, in Markdown. */
bool conversation_transcript(
		struct engine *engine, struct place *session, struct buf *out, struct fail *fail);
/* Changes when what these two show may have changed. */
uint64_t conversation_version(struct engine *engine, struct place *session);

/* False with EBUSY and words while turns of the session are under way: its history is theirs. */
bool conversation_at_rest(struct engine *engine, struct place *session, struct fail *fail);
/* Puts other messages in place of a session's history, whole or not at all; nothing when they are
 * what is there. A system text that isn't the one in force becomes the session's own setting;
 * without one the session's own is given up. The turns stay at their addresses. */
bool conversation_replace(struct engine *engine, struct place *session, const struct chain *chain,
		const struct messages *messages, struct fail *fail);
/* A session's history, or for the chain's processes the one that `>>` continues at a model, begins
 * anew. The turns stay at their addresses. */
bool conversation_reset(struct engine *engine, struct place *place, const struct chain *chain,
		struct fail *fail);
/* Makes another session, beside this one or below the model, with the same history and a session's
 * own settings; what goes on in either doesn't touch the other. */
bool conversation_fork(struct engine *engine, struct place *place, const struct chain *chain,
		const char *name, struct fail *fail);

#endif
