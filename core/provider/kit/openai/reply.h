/* The reply to a chat request, whatever form it comes in: events, one JSON document, or neither. */
#ifndef CORE_PROVIDER_KIT_OPENAI_REPLY_H
#define CORE_PROVIDER_KIT_OPENAI_REPLY_H

#include "core/provider/kit/json/json_blobs.h"
#include "core/provider/kit/openai/chat.h"

/* What the body turned out to be. */
enum reply_form {
	REPLY_UNKNOWN, /* nothing but blanks so far */
	REPLY_SSE,
	REPLY_JSON, /* a whole answer, gathered */
	REPLY_SENSELESS,
};

struct chat_reply {
	struct chat chat;
	int status;
	char content_type[64];
	enum reply_form form;
	struct buf body; /* the first bytes while the form is unknown; of what is none, the words */
	struct conduit_json_blobs *blobs; /* all of it goes through this: sound and pictures */
	bool skips; /* the one under way is of another answer, or comes after the end */
	struct conduit_sse *sse;
};

void chat_reply_feed(struct chat_reply *reply, const char *bytes, size_t size);
/* The body ended: so has the job. */
void chat_reply_end(struct chat_reply *reply);
void chat_reply_finish(struct chat_reply *reply);

#endif
