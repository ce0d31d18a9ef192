/* What a chat's chunks mean: emits text, reasoning, usage and the end of a turn. Knows nothing of
 * HTTP; a whole answer is one chunk with `message` in place of `delta`. */
#ifndef CORE_PROVIDER_KIT_OPENAI_CHAT_H
#define CORE_PROVIDER_KIT_OPENAI_CHAT_H

#include "core/provider/kit/openai/chat_media.h"
#include "core/provider/kit/openai/tools.h"

#include <conduit/provider.h>

struct chat {
	struct conduit_job *job;
	const char *service; /* for words */
	struct tool_calls tools;
	struct buf refusal; /* what the model said in place of an answer */
	char finish[64]; /* the first finish reason; "" while there is none */
	char model[256]; /* which model answers */
	bool understood; /* a chunk of this dialect was among what came */
	bool over; /* finished or failed: the rest is ignored */
	bool ending; /* the stream ended: what comes now may be cut */
	char last; /* the last byte of text, 0 while there is none */
	bool spoke; /* text stands in `content`, so that a transcript says it again */
	struct chat_media media;
	bool downloads; /* all but files that lie elsewhere has come */
};

/* One event of the stream: "[DONE]", or a chunk as JSON. */
void chat_event(struct chat *chat, const char *name, const char *text, size_t size);
/* One chunk, or a whole answer. */
void chat_chunk(struct chat *chat, const struct conduit_json *chunk);
/* Nothing more will come: finishes or fails the job unless that happened. */
void chat_end(struct chat *chat);
/* Asks for the next of those files, or finishes the job. */
void chat_download(struct chat *chat);
void chat_finish(struct chat *chat);

#endif
