/* The OpenAI dialect over HTTP: which request a job makes, and to whom the bytes of its reply go.
 * See conduit/kit/openai.h. */
#include <conduit/kit/openai.h>

#include "core/base/text.h"
#include "core/provider/kit/openai_chat.h"
#include "core/provider/kit/openai_models.h"
#include "core/provider/kit/openai_request.h"
#include "core/provider/kit/words.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/sse.h>
#include <stdio.h>
#include <string.h>

#define PAGES_LIMIT 1000

/* What the reply's body turned out to be. */
enum body_form {
	BODY_UNKNOWN, /* nothing but blanks so far */
	BODY_SSE,
	BODY_JSON, /* a whole answer, gathered */
	BODY_LIST, /* a page of a list of models */
	BODY_ERROR, /* of a reply that isn't 2xx, gathered as far as it is worth reading */
	BODY_SENSELESS,
};

#define OPENAI_MAGIC 0x6f70656eu

struct openai {
	unsigned magic;
	const struct conduit_openai *dialect;
	bool is_chat;
	int status;
	char content_type[64];
	enum body_form form;
	struct buf body; /* of what is gathered; the first bytes while the form is unknown */
	struct conduit_sse *sse;
	struct chat chat;
	struct models models;
	int pages;
	char *url; /* of the page under way */
};

static const char *service_name(const struct conduit_openai *dialect) {
	return dialect->service != NULL ? dialect->service : "the service";
}

static void fail(struct conduit_job *job, enum conduit_kind kind, const char *words) {
	conduit_fail(job, &(struct conduit_failure){.kind = kind, .words = words});
}

static struct openai *state_of(struct conduit_job *job) {
	struct openai *openai = conduit_state(job);
	return openai != NULL && openai->magic == OPENAI_MAGIC ? openai : NULL;
}

static struct openai *begin(struct conduit_job *job, const struct conduit_openai *dialect) {
	struct openai *openai = calloc(1, sizeof(*openai));
	if (openai == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return NULL;
	}
	openai->magic = OPENAI_MAGIC;
	openai->dialect = dialect;
	openai->chat.job = job;
	openai->chat.service = service_name(dialect);
	openai->models.job = job;
	openai->models.dialect = dialect;
	conduit_set_state(job, openai);
	return openai;
}

/* ---- requests ---- */

#define HEADERS_LIMIT 32

struct headers {
	const char *lines[HEADERS_LIMIT + 1];
	size_t n;
};

static void add_headers(struct headers *headers, const char *const *lines) {
	for (; lines != NULL && *lines != NULL && headers->n < HEADERS_LIMIT; lines++) {
		headers->lines[headers->n++] = *lines;
	}
}

static void request_page(struct conduit_job *job, struct openai *openai) {
	static const char *const own[] = {"Accept: application/json", NULL};
	if (!models_begin_page(&openai->models)) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	struct headers headers = {0};
	add_headers(&headers, own);
	add_headers(&headers, openai->dialect->headers);
	openai->pages++;
	openai->form = BODY_UNKNOWN;
	conduit_request(job, &(struct conduit_request){
					     .method = "GET",
					     .url = openai->url,
					     .headers = headers.lines,
			     });
}

void conduit_openai_discover(struct conduit_job *job, const struct conduit_openai *dialect) {
	struct openai *openai = begin(job, dialect);
	if (openai == NULL) {
		return;
	}
	const char *path = dialect->models_path != NULL ? dialect->models_path : "/models";
	if (asprintf(&openai->url, "%s%s", conduit_base_url(job), path) < 0) {
		openai->url = NULL;
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	request_page(job, openai);
}

/* Chat answers with text. Transcription ("audio-to-text") has an endpoint of its own. */
static bool is_served(const struct conduit_turn *turn) {
	const char *capability = turn->capability;
	return capability == NULL || capability[0] == '\0' ||
	       (ends_with(capability, "-to-text") && strcmp(capability, "audio-to-text") != 0);
}

static void refuse(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	cleanup_buf struct buf words = {0};
	buf_add_format(&words,
			"the model %s does %s, which isn't served by this version of the provider "
			"for %s: use a model that answers with text",
			turn->model, turn->capability, service_name(dialect));
	fail(job, CONDUIT_FAIL_INVALID, buf_string(&words));
}

void conduit_openai_transform(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	static const char *const own[] = {"Content-Type: application/json",
			"Accept: text/event-stream, application/json", NULL};
	if (!is_served(turn)) {
		refuse(job, turn, dialect);
		return;
	}
	struct openai *openai = begin(job, dialect);
	if (openai == NULL) {
		return;
	}
	openai->is_chat = true;
	const char *path = dialect->chat_path != NULL ? dialect->chat_path : "/chat/completions";
	cleanup_buf struct buf url = {0};
	buf_add_format(&url, "%s%s", conduit_base_url(job), path);
	struct headers headers = {0};
	add_headers(&headers, own);
	add_headers(&headers, dialect->headers);
	struct conduit_object *body = openai_request(turn, dialect);
	conduit_object_leave_out(body, job, service_name(dialect), dialect->without);
	conduit_object_send(body, job,
			&(struct conduit_request){
					.method = "POST",
					.url = buf_string(&url),
					.headers = headers.lines,
			});
	conduit_object_destroy(body);
}

/* ---- replies ---- */

void conduit_openai_reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct openai *openai = state_of(job);
	if (openai == NULL) {
		return;
	}
	openai->status = reply->status;
	snprintf(openai->content_type, sizeof(openai->content_type), "%s", reply->content_type);
	bool good = reply->status >= 200 && reply->status <= 299;
	openai->form = !good ? BODY_ERROR : openai->is_chat ? BODY_UNKNOWN : BODY_LIST;
}

static void take_event(void *data, const char *name, const char *text, size_t size) {
	chat_event(data, name, text, size);
}

/* The body's form by its first bytes, whatever its Content-Type says: errors come as JSON under
 * text/event-stream, streams under application/json. UNKNOWN while they don't suffice. */
static enum body_form sniff(const struct openai *openai) {
	static const char *const fields[] = {":", "data:", "event:", "id:", "retry:"};
	const char *head = buf_string(&openai->body);
	if (head[0] == '{' || head[0] == '[') {
		return BODY_JSON;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (starts_with(head, fields[i])) {
			return BODY_SSE;
		}
		if (starts_with(fields[i], head)) {
			return BODY_UNKNOWN;
		}
	}
	bool other_field = strstr(openai->content_type, "event-stream") != NULL && head[0] != '<';
	return other_field ? BODY_SSE : BODY_SENSELESS;
}

static void feed_sse(
		struct conduit_job *job, struct openai *openai, const char *bytes, size_t size) {
	if (!openai->chat.over && !conduit_sse_feed(openai->sse, bytes, size)) {
		openai->chat.over = true;
		conduit_malformed(job, "%s's answer holds an event that exceeds 64 MiB",
				openai->chat.service);
	}
}

/* The first bytes, until the form is known; then they are where they belong. Returns how many
 * bytes were taken. */
static size_t take_head(
		struct conduit_job *job, struct openai *openai, const char *bytes, size_t size) {
	size_t taken = 0;
	while (taken < size && openai->form == BODY_UNKNOWN) {
		char byte = bytes[taken++];
		/* Blanks keep a connection alive; a byte order mark stands first or nowhere. */
		bool mark = strchr("\xef\xbb\xbf", byte) != NULL && byte != '\0';
		if (openai->body.size == 0 && (mark || strchr(" \t\r\n", byte) != NULL)) {
			continue;
		}
		buf_add_byte(&openai->body, byte);
		openai->form = sniff(openai);
	}
	if (openai->form != BODY_SSE) {
		return taken;
	}
	openai->sse = conduit_sse_create(take_event, &openai->chat);
	if (openai->sse == NULL) {
		openai->chat.over = true;
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return taken;
	}
	feed_sse(job, openai, openai->body.data, openai->body.size);
	buf_clear(&openai->body);
	return taken;
}

/* Gathers up to `most` bytes; what is beyond is forgotten. False when it was. */
static bool gather(struct openai *openai, const char *bytes, size_t size, size_t most) {
	size_t room = most - openai->body.size;
	return buf_add(&openai->body, bytes, size < room ? size : room) && size <= room;
}

void conduit_openai_data(struct conduit_job *job, const void *bytes, size_t size) {
	struct openai *openai = state_of(job);
	if (openai == NULL || openai->chat.over) {
		return;
	}
	const char *at = bytes;
	if (openai->form == BODY_UNKNOWN) {
		size_t taken = take_head(job, openai, at, size);
		at += taken;
		size -= taken;
	}
	switch (openai->form) {
	case BODY_SSE:
		feed_sse(job, openai, at, size);
		break;
	case BODY_JSON:
		if (!gather(openai, at, size, CONDUIT_JSON_LIMIT)) {
			openai->chat.over = true;
			conduit_malformed(job, "%s's answer exceeds 64 MiB", openai->chat.service);
		}
		break;
	case BODY_LIST:
		models_feed(&openai->models, at, size);
		break;
	case BODY_ERROR:
	case BODY_SENSELESS:
		gather(openai, at, size, CONDUIT_ERROR_LIMIT);
		break;
	case BODY_UNKNOWN:
		break;
	}
}

/* The scheme and host of a URL: how long they are. */
static size_t origin_length(const char *url) {
	const char *host = strstr(url, "://");
	return host != NULL ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

/* Goes on to the next page, if there is one that hasn't just been read. */
static void end_page(struct conduit_job *job, struct openai *openai) {
	if (!models_end_page(&openai->models)) {
		return;
	}
	const char *next = openai->models.next;
	if (next == NULL || next[0] == '\0') {
		conduit_finish(job, NULL, NULL);
		return;
	}
	char *url = NULL;
	int length = next[0] == '/' ? asprintf(&url, "%.*s%s", (int)origin_length(openai->url),
						      openai->url, next)
				    : asprintf(&url, "%s", next);
	if (length < 0) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	if (strcmp(url, openai->url) == 0 || openai->pages == PAGES_LIMIT) {
		free(url);
		conduit_malformed(job, "%s's list of models doesn't end: page %d leads to %s again",
				openai->chat.service, openai->pages, next);
		return;
	}
	free(openai->url);
	openai->url = url;
	request_page(job, openai);
}

static void end_json(struct conduit_job *job, struct openai *openai) {
	struct conduit_json *json = conduit_json_parse(openai->body.data, openai->body.size);
	const struct conduit_json *answer = conduit_json_type(json, NULL) == CONDUIT_JSON_ARRAY
							    ? conduit_json_first(json)
							    : json;
	if (json == NULL) {
		conduit_malformed(job, "%s's answer isn't whole JSON: it was cut short or damaged",
				openai->chat.service);
	} else {
		chat_chunk(&openai->chat, answer);
		chat_end(&openai->chat);
	}
	openai->chat.over = true;
	conduit_json_free(json);
}

static void end_senseless(struct conduit_job *job, struct openai *openai) {
	cleanup_buf struct buf words = {0};
	bool page = openai->body.size != 0 && openai->body.data[0] == '<';
	(page ? words_add_page : words_add)(
			&words, buf_string(&openai->body), openai->body.size, 300);
	if (words.size == 0) {
		conduit_malformed(job, "%s's answer is empty (HTTP %d)", openai->chat.service,
				openai->status);
	} else {
		conduit_malformed(job,
				"%s's answer is neither an event stream nor JSON (HTTP %d): "
				"%s",
				openai->chat.service, openai->status, words.data);
	}
}

void conduit_openai_end(struct conduit_job *job) {
	struct openai *openai = state_of(job);
	if (openai == NULL || openai->chat.over) {
		return;
	}
	switch (openai->form) {
	case BODY_LIST:
		end_page(job, openai);
		break;
	case BODY_ERROR:
		conduit_http_failure(job, openai->status, openai->content_type,
				buf_string(&openai->body), openai->body.size);
		break;
	case BODY_JSON:
		end_json(job, openai);
		break;
	case BODY_SSE:
		openai->chat.ending = true;
		if (conduit_sse_end(openai->sse)) {
			chat_end(&openai->chat);
		}
		break;
	case BODY_UNKNOWN:
	case BODY_SENSELESS:
		end_senseless(job, openai);
		break;
	}
}

void conduit_openai_release(struct conduit_job *job) {
	struct openai *openai = state_of(job);
	if (openai == NULL) {
		return;
	}
	conduit_sse_destroy(openai->sse);
	chat_finish(&openai->chat);
	models_finish(&openai->models);
	buf_finish(&openai->body);
	free(openai->url);
	free(openai);
	conduit_set_state(job, NULL);
}
