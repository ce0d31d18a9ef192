/* The reply to a chat request: see openai_reply.h. */
#include "core/provider/kit/openai_reply.h"

#include "core/base/text.h"
#include "core/provider/kit/words.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/sse.h>
#include <string.h>

static void take_event(void *data, const char *name, const char *text, size_t size) {
	chat_event(data, name, text, size);
}

/* The body's form by its first bytes, whatever its Content-Type says: errors come as JSON under
 * text/event-stream, streams under application/json. UNKNOWN while they don't suffice. */
static enum reply_form sniff(const struct chat_reply *reply) {
	static const char *const fields[] = {":", "data:", "event:", "id:", "retry:"};
	const char *head = buf_string(&reply->body);
	if (head[0] == '{' || head[0] == '[') {
		return REPLY_JSON;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (starts_with(head, fields[i])) {
			return REPLY_SSE;
		}
		if (starts_with(fields[i], head)) {
			return REPLY_UNKNOWN;
		}
	}
	bool other_field = strstr(reply->content_type, "event-stream") != NULL && head[0] != '<';
	return other_field ? REPLY_SSE : REPLY_SENSELESS;
}

static void feed_sse(struct chat_reply *reply, const char *bytes, size_t size) {
	struct chat *chat = &reply->chat;
	if (!chat->over && !conduit_sse_feed(reply->sse, bytes, size)) {
		chat->over = true;
		conduit_malformed(chat->job, "%s's answer holds an event that exceeds 64 MiB",
				chat->service);
	}
}

/* The first bytes, until the form is known; then they are where they belong. Returns how many
 * bytes were taken. */
static size_t take_head(struct chat_reply *reply, const char *bytes, size_t size) {
	size_t taken = 0;
	while (taken < size && reply->form == REPLY_UNKNOWN) {
		char byte = bytes[taken++];
		/* Blanks keep a connection alive; a byte order mark stands first or nowhere. */
		bool mark = strchr("\xef\xbb\xbf", byte) != NULL && byte != '\0';
		if (reply->body.size == 0 && (mark || strchr(" \t\r\n", byte) != NULL)) {
			continue;
		}
		buf_add_byte(&reply->body, byte);
		reply->form = sniff(reply);
	}
	if (reply->form != REPLY_SSE) {
		return taken;
	}
	reply->sse = conduit_sse_create(take_event, &reply->chat);
	if (reply->sse == NULL) {
		reply->chat.over = true;
		conduit_fail(reply->chat.job,
				&(struct conduit_failure){.words = "memory is short"});
		return taken;
	}
	feed_sse(reply, reply->body.data, reply->body.size);
	buf_clear(&reply->body);
	return taken;
}

/* Gathers up to `most` bytes; what is beyond is forgotten. False when it was. */
static bool gather(struct chat_reply *reply, const char *bytes, size_t size, size_t most) {
	size_t room = most - reply->body.size;
	return buf_add(&reply->body, bytes, size < room ? size : room) && size <= room;
}

void chat_reply_feed(struct chat_reply *reply, const char *bytes, size_t size) {
	struct chat *chat = &reply->chat;
	if (chat->over) {
		return;
	}
	if (reply->form == REPLY_UNKNOWN) {
		size_t taken = take_head(reply, bytes, size);
		bytes += taken;
		size -= taken;
	}
	switch (reply->form) {
	case REPLY_SSE:
		feed_sse(reply, bytes, size);
		break;
	case REPLY_JSON:
		if (!gather(reply, bytes, size, CONDUIT_JSON_LIMIT)) {
			chat->over = true;
			conduit_malformed(chat->job, "%s's answer exceeds 64 MiB", chat->service);
		}
		break;
	case REPLY_SENSELESS:
		gather(reply, bytes, size, CONDUIT_ERROR_LIMIT);
		break;
	case REPLY_UNKNOWN:
		break;
	}
}

static void end_json(struct chat_reply *reply) {
	struct chat *chat = &reply->chat;
	struct conduit_json *json = conduit_json_parse(reply->body.data, reply->body.size);
	const struct conduit_json *answer = conduit_json_type(json, NULL) == CONDUIT_JSON_ARRAY
							    ? conduit_json_first(json)
							    : json;
	if (json == NULL) {
		conduit_malformed(chat->job,
				"%s's answer isn't whole JSON: it was cut short or damaged",
				chat->service);
	} else {
		chat_chunk(chat, answer);
		chat_end(chat);
	}
	chat->over = true;
	conduit_json_free(json);
}

static void end_senseless(struct chat_reply *reply) {
	struct chat *chat = &reply->chat;
	cleanup_buf struct buf words = {0};
	bool page = reply->body.size != 0 && reply->body.data[0] == '<';
	(page ? words_add_page : words_add)(
			&words, buf_string(&reply->body), reply->body.size, 300);
	if (words.size == 0) {
		conduit_malformed(chat->job, "%s's answer is empty (HTTP %d)", chat->service,
				reply->status);
	} else {
		conduit_malformed(chat->job,
				"%s's answer is neither an event stream nor JSON (HTTP %d): %s",
				chat->service, reply->status, words.data);
	}
}

void chat_reply_end(struct chat_reply *reply) {
	if (reply->chat.over) {
		return;
	}
	switch (reply->form) {
	case REPLY_JSON:
		end_json(reply);
		break;
	case REPLY_SSE:
		reply->chat.ending = true;
		if (conduit_sse_end(reply->sse)) {
			chat_end(&reply->chat);
		}
		break;
	case REPLY_UNKNOWN:
	case REPLY_SENSELESS:
		end_senseless(reply);
		break;
	}
}

void chat_reply_finish(struct chat_reply *reply) {
	conduit_sse_destroy(reply->sse);
	chat_finish(&reply->chat);
	buf_finish(&reply->body);
}
