/* The reply to a chat request: see reply.h. */
#include "core/provider/kit/openai/reply.h"

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

static void too_large(struct chat_reply *reply, const char *what) {
	struct chat *chat = &reply->chat;
	chat_media_flush(&chat->media);
	conduit_malformed(chat->job, "%s's answer %s 64 MiB", chat->service, what);
	chat->over = true;
}

/* What is left when sound and pictures are out: events go on, a document is gathered. */
static void take_rest(struct chat_reply *reply) {
	struct buf *rest = json_blobs_text(reply->blobs);
	struct chat *chat = &reply->chat;
	if (reply->form == REPLY_JSON) {
		if (!chat->over && rest->failed) {
			too_large(reply, "exceeds");
		}
		return;
	}
	if (!chat->over && !conduit_sse_feed(reply->sse, rest->data, rest->size)) {
		too_large(reply, "holds an event that exceeds");
	}
	buf_clear(rest);
}

/* Of several answers (`n`, by way of extra) the first is the turn's. What came before is dealt with
 * first. */
static void begin_blob(void *data, const char *name) {
	struct chat_reply *reply = data;
	take_rest(reply);
	reply->skips = reply->chat.over || json_blobs_index(reply->blobs, "choices") != 0;
	if (!reply->skips) {
		chat_media_begin(&reply->chat.media, name);
	}
}

static void take_piece(void *data, const char *text, size_t size) {
	struct chat_reply *reply = data;
	if (!reply->skips) {
		chat_media_piece(&reply->chat.media, text, size);
	}
}

static void end_blob(void *data) {
	struct chat_reply *reply = data;
	if (!reply->skips) {
		chat_media_end(&reply->chat.media);
	}
	reply->chat.over = reply->chat.over || reply->chat.media.pictures.over;
}

static void feed(struct chat_reply *reply, const char *bytes, size_t size) {
	conduit_json_blobs_feed(reply->blobs, bytes, size);
	take_rest(reply);
}

/* The form is known: what it takes to read it. */
static bool open_form(struct chat_reply *reply) {
	reply->blobs = conduit_json_blobs_create(
			&(struct conduit_json_blobs_calls){.names = chat_media_names,
					.begin = begin_blob,
					.piece = take_piece,
					.end = end_blob,
					.data = reply});
	json_blobs_limit(reply->blobs, CONDUIT_JSON_LIMIT);
	if (reply->form == REPLY_SSE) {
		json_blobs_events(reply->blobs);
		reply->sse = conduit_sse_create(take_event, &reply->chat);
	}
	bool opened = reply->blobs != NULL && (reply->sse != NULL || reply->form != REPLY_SSE);
	if (!opened) {
		reply->chat.over = true;
		conduit_fail(reply->chat.job,
				&(struct conduit_failure){.words = "memory is short"});
	}
	return opened;
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
	bool known = reply->form == REPLY_SSE || reply->form == REPLY_JSON;
	if (known && open_form(reply)) {
		feed(reply, reply->body.data, reply->body.size);
		buf_clear(&reply->body);
	}
	return taken;
}

/* As far as it is worth reading. */
static void gather(struct chat_reply *reply, const char *bytes, size_t size) {
	size_t room = CONDUIT_ERROR_LIMIT - reply->body.size;
	buf_add(&reply->body, bytes, size < room ? size : room);
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
	if (reply->form == REPLY_SENSELESS) {
		gather(reply, bytes, size);
	} else if (reply->blobs != NULL && !chat->over) {
		feed(reply, bytes, size);
	}
}

static void end_json(struct chat_reply *reply) {
	struct chat *chat = &reply->chat;
	const struct buf *text = json_blobs_text(reply->blobs);
	struct conduit_json *json = conduit_json_parse(text->data, text->size);
	const struct conduit_json *answer = conduit_json_type(json, NULL) == CONDUIT_JSON_ARRAY
							    ? conduit_json_first(json)
							    : json;
	if (json == NULL) {
		chat_media_flush(&chat->media);
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

static void end_form(struct chat_reply *reply) {
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

void chat_reply_end(struct chat_reply *reply) {
	if (!reply->chat.over) {
		end_form(reply);
	}
	if (reply->chat.downloads) {
		chat_download(&reply->chat);
	}
}

void chat_reply_finish(struct chat_reply *reply) {
	conduit_json_blobs_destroy(reply->blobs);
	conduit_sse_destroy(reply->sse);
	chat_finish(&reply->chat);
	buf_finish(&reply->body);
}
