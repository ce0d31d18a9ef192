/* The chunks of a chat: see chat.h. */
#include "core/provider/kit/openai/chat.h"

#include "core/provider/kit/openai/usage.h"
#include "core/provider/kit/words.h"

#include <conduit/kit/failure.h>
#include <stdio.h>
#include <string.h>

#define REFUSAL_LIMIT 4000

static void malformed(struct chat *chat, const char *what) {
	chat_media_flush(&chat->media);
	conduit_malformed(chat->job, "%s's answer %s", chat->service, what);
	chat->over = true;
}

static void fail_with(
		struct chat *chat, enum conduit_kind kind, const char *what, const char *detail) {
	cleanup_buf struct buf words = {0};
	chat_media_flush(&chat->media);
	buf_add_format(&words, "%s ", chat->service);
	buf_add_string(&words, what);
	words_add(&words, detail, strlen(detail), REFUSAL_LIMIT);
	conduit_fail(chat->job,
			&(struct conduit_failure){.kind = kind, .words = buf_string(&words)});
	chat->over = true;
}

/* By what the service says. */
static void fail_by(struct chat *chat, const struct conduit_json *json) {
	chat_media_flush(&chat->media);
	conduit_json_failure(chat->job, 200, json);
	chat->over = true;
}

/* ---- text ---- */

static void emit(struct chat *chat, const char *text, size_t size) {
	if (size != 0) {
		chat_media_text(&chat->media, text, size);
		chat->last = text[size - 1];
	}
}

/* A model may say NUL (llama.cpp streams it as \u0000): it goes out as the byte it is. */
static void emit_text(struct chat *chat, const char *text) {
	const char *nul;
	while (text != NULL && (nul = strstr(text, CONDUIT_JSON_NUL)) != NULL) {
		emit(chat, text, (size_t)(nul - text));
		emit(chat, "", 1);
		text = nul + strlen(CONDUIT_JSON_NUL);
	}
	emit(chat, text, text != NULL ? strlen(text) : 0);
}

static void emit_reasoning(struct chat *chat, const char *text) {
	if (text != NULL && text[0] != '\0') {
		conduit_reasoning(chat->job, text, strlen(text));
	}
}

/* Content as Mistral gives it: [{"type":"thinking","thinking":[{"text"}]},{"type":"text","text"}].
 */
static void emit_parts(struct chat *chat, const struct conduit_json *parts) {
	for (const struct conduit_json *part = conduit_json_first(parts); part != NULL;
			part = conduit_json_next(part)) {
		const struct conduit_json *thinking = conduit_json_get(part, "thinking");
		emit_reasoning(chat, conduit_json_string(thinking, NULL));
		if (conduit_json_type(thinking, NULL) == CONDUIT_JSON_ARRAY) {
			for (const struct conduit_json *thought = conduit_json_first(thinking);
					thought != NULL; thought = conduit_json_next(thought)) {
				emit_reasoning(chat, conduit_json_string(thought, "text"));
			}
		}
		emit_text(chat, conduit_json_string(part, NULL));
		emit_text(chat, conduit_json_string(part, "text"));
	}
}

/* The same thoughts may stand in several members: the first that says something counts. */
static void emit_thoughts(struct chat *chat, const struct conduit_json *delta) {
	static const char *const members[] = {"reasoning", "reasoning_content"};
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = conduit_json_string(delta, members[i]);
		if (text != NULL && text[0] != '\0') {
			emit_reasoning(chat, text);
			return;
		}
	}
	const struct conduit_json *details = conduit_json_get(delta, "reasoning_details");
	if (conduit_json_type(details, NULL) == CONDUIT_JSON_ARRAY) {
		for (const struct conduit_json *detail = conduit_json_first(details);
				detail != NULL; detail = conduit_json_next(detail)) {
			emit_reasoning(chat, conduit_json_string(detail, "text"));
			emit_reasoning(chat, conduit_json_string(detail, "summary"));
		}
	}
}

/* What was said aloud, where it doesn't stand in the content as well. */
static void emit_transcript(struct chat *chat, const struct conduit_json *delta) {
	if (!chat->spoke) {
		emit_text(chat, conduit_json_string(delta, "audio.transcript"));
	}
}

static void emit_content(struct chat *chat, const struct conduit_json *content) {
	char before = chat->last;
	chat->last = 0;
	if (conduit_json_type(content, NULL) == CONDUIT_JSON_ARRAY) {
		emit_parts(chat, content);
	} else {
		emit_text(chat, conduit_json_string(content, NULL));
	}
	chat->spoke = chat->spoke || chat->last != 0;
	chat->last = chat->last != 0 ? chat->last : before;
}

static void take_delta(struct chat *chat, const struct conduit_json *delta) {
	emit_thoughts(chat, delta);
	emit_content(chat, conduit_json_get(delta, "content"));
	emit_transcript(chat, delta);
	const char *refusal = conduit_json_string(delta, "refusal");
	if (refusal != NULL && chat->refusal.size < REFUSAL_LIMIT) {
		buf_add_string(&chat->refusal, refusal);
	}
	if (!tool_calls_add(&chat->tools, conduit_json_get(delta, "tool_calls"))) {
		malformed(chat, "holds more than 128 tool calls, or 16 MiB of them");
	}
}

/* ---- usage ---- */

static void take_usage(struct chat *chat, const struct conduit_json *usage) {
	struct conduit_usage used;
	if (usage_read(usage, &used)) {
		conduit_usage(chat->job, &used);
	}
}

/* ---- the end ---- */

static bool is_error(const struct conduit_json *error) {
	const char *string = conduit_json_string(error, NULL);
	return (string != NULL && string[0] != '\0') ||
	       (conduit_json_type(error, NULL) == CONDUIT_JSON_OBJECT &&
			       conduit_json_first(error) != NULL);
}

/* The service's word for why it ended, in the dialect's own. */
static const char *finish_word(const char *reason) {
	static const char *const words[][2] = {{"eos", "stop"}, {"eos_token", "stop"},
			{"end_turn", "stop"}, {"stop_sequence", "stop"}, {"max_tokens", "length"},
			{"model_length", "length"}, {"tool_use", "tool_calls"}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(reason, words[i][0]) == 0) {
			return words[i][1];
		}
	}
	return reason;
}

static void take_finish(struct chat *chat, const struct conduit_json *choice) {
	const char *reason = conduit_json_string(choice, "finish_reason");
	const char *native = conduit_json_string(choice, "native_finish_reason");
	bool lost = native != NULL && strcmp(native, "network_error") == 0;
	if (lost || (reason != NULL && strcmp(reason, "error") == 0)) {
		fail_with(chat, CONDUIT_FAIL_UPSTREAM, "broke off the answer: finish reason ",
				native != NULL ? native : reason);
	} else if (reason != NULL && strcmp(reason, "content_filter") == 0) {
		fail_with(chat, CONDUIT_FAIL_MODERATED, "stopped the answer: finish reason ",
				reason);
	} else if (reason != NULL && chat->finish[0] == '\0') {
		snprintf(chat->finish, sizeof(chat->finish), "%s", finish_word(reason));
	}
}

/* Of several answers (`n`, by way of extra) the first is the turn's. */
static bool is_first(const struct conduit_json *choice) {
	int64_t index = 0;
	conduit_json_int64(choice, "index", &index);
	return index == 0;
}

static void take_choice(struct chat *chat, const struct conduit_json *choice) {
	const struct conduit_json *delta = conduit_json_get(choice, "delta");
	take_delta(chat, delta != NULL ? delta : conduit_json_get(choice, "message"));
	take_usage(chat, conduit_json_get(choice, "usage"));
	if (!chat->over && is_error(conduit_json_get(choice, "error"))) {
		fail_by(chat, choice);
	}
}

void chat_chunk(struct chat *chat, const struct conduit_json *chunk) {
	const char *model = conduit_json_string(chunk, "model");
	if (model != NULL && chat->model[0] == '\0' && strlen(model) < sizeof(chat->model)) {
		strcpy(chat->model, model);
	}
	take_usage(chat, conduit_json_get(chunk, "usage"));
	take_usage(chat, conduit_json_get(chunk, "x_groq.usage"));
	const struct conduit_json *first = NULL;
	if (conduit_json_type(chunk, "choices") == CONDUIT_JSON_ARRAY) {
		chat->understood = true;
		first = conduit_json_first(conduit_json_get(chunk, "choices"));
		while (first != NULL && !is_first(first)) {
			first = conduit_json_next(first);
		}
	}
	if (first != NULL) {
		take_choice(chat, first);
	}
	/* An error tells more than the finish reason "error" beside it. */
	if (!chat->over && is_error(conduit_json_get(chunk, "error"))) {
		fail_by(chat, chunk);
	}
	/* "An error string indicating why a stream was stopped early", says Groq's SDK. */
	if (!chat->over && is_error(conduit_json_get(chunk, "x_groq.error"))) {
		fail_by(chat, conduit_json_get(chunk, "x_groq"));
	}
	if (first != NULL && !chat->over) {
		take_finish(chat, first);
	}
}

static void complete(struct chat *chat) {
	if (chat->refusal.size != 0 && chat->last == 0) {
		fail_with(chat, CONDUIT_FAIL_MODERATED,
				"says the model refused: ", buf_string(&chat->refusal));
		return;
	}
	const char *finish = chat->finish[0] != '\0' ? chat->finish : "stop";
	if (chat->tools.n != 0) {
		cleanup_buf struct buf calls = {0};
		if (chat->last != 0 && chat->last != '\n') {
			buf_add_byte(&calls, '\n');
		}
		if (!tool_calls_print(&chat->tools, &calls)) {
			malformed(chat, "holds tool calls that memory doesn't suffice for");
			return;
		}
		chat_media_text(&chat->media, calls.data, calls.size);
		/* Some say "stop" after a call that they were told to make. */
		finish = strcmp(finish, "stop") == 0 ? "tool_calls" : finish;
	}
	if (finish != chat->finish) {
		snprintf(chat->finish, sizeof(chat->finish), "%s", finish);
	}
	chat->over = true;
	if (!chat_media_complete(&chat->media)) {
		return;
	}
	chat->downloads = chat->media.pictures.n_urls != 0;
	if (!chat->downloads) {
		chat_download(chat);
	}
}

void chat_download(struct chat *chat) {
	if (!inlined_download(&chat->media.pictures)) {
		conduit_finish(chat->job, chat->finish,
				chat->model[0] != '\0' ? chat->model : NULL);
	}
}

static bool take_json(struct chat *chat, const char *name, const char *text, size_t size) {
	struct conduit_json *chunk = conduit_json_parse_exact(text, size);
	if (chunk == NULL) {
		return false;
	}
	chat_chunk(chat, chunk);
	if (!chat->over && strcmp(name, "error") == 0) {
		fail_by(chat, chunk);
	}
	conduit_json_free(chunk);
	return true;
}

/* One event's data: everything is a chunk but the end mark. False when it isn't JSON. */
static bool take_text(struct chat *chat, const char *name, const char *text, size_t size) {
	if (size >= strlen("[DONE]") && memcmp(text, "[DONE]", strlen("[DONE]")) == 0) {
		if (!chat->understood) {
			malformed(chat, "isn't one of the chat dialect: it holds no choices");
		} else {
			complete(chat);
		}
		return true;
	}
	return take_json(chat, name, text, size);
}

void chat_event(struct chat *chat, const char *name, const char *text, size_t size) {
	if (chat->over || size == 0 || take_text(chat, name, text, size)) {
		return;
	}
	/* Where a service forgets the blank line between its events, each line is a chunk. */
	bool read = memchr(text, '\n', size) != NULL;
	for (const char *line = text, *end = text + size; read && line < end && !chat->over;) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		const char *line_end = lf != NULL ? lf : end;
		read = line_end == line || take_text(chat, name, line, (size_t)(line_end - line));
		line = line_end + 1;
	}
	if (!read && !chat->over && !chat->ending) {
		malformed(chat, "holds a chunk that isn't JSON");
	}
}

void chat_end(struct chat *chat) {
	if (chat->over) {
		return;
	}
	if (chat->finish[0] != '\0') {
		complete(chat);
	} else if (!chat->understood) {
		malformed(chat, "isn't one of the chat dialect: it holds no choices");
	} else {
		malformed(chat, "was cut short: it ended without a finish reason");
	}
}

void chat_finish(struct chat *chat) {
	chat_media_finish(&chat->media);
	tool_calls_finish(&chat->tools);
	buf_finish(&chat->refusal);
}
