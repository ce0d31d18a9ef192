/* The OpenAI dialect over HTTP: which request a job makes, and to whom the bytes of its reply go.
 * See conduit/kit/openai.h. */
#include <conduit/kit/openai.h>

#include "core/base/text.h"
#include "core/provider/kit/openai/cost.h"
#include "core/provider/kit/openai/embed.h"
#include "core/provider/kit/openai/media.h"
#include "core/provider/kit/openai/models.h"
#include "core/provider/kit/openai/reply.h"
#include "core/provider/kit/openai/request.h"
#include "core/provider/kit/openai/rerank.h"
#include "core/provider/kit/openai/task.h"
#include "core/provider/kit/openai/transcript.h"

#include <conduit/kit/failure.h>
#include <stdio.h>
#include <string.h>

#define PAGES_LIMIT 1000
#define OPENAI_MAGIC 0x6f70656eu

struct openai {
	unsigned magic;
	struct conduit_openai dialect; /* a copy: the provider's own may be shorter */
	enum task task;
	int status; /* of the reply under way */
	struct chat_reply chat;
	struct models models;
	struct embed embed;
	struct rerank rerank;
	struct cost cost;
	struct media media;
	struct transcript transcript;
	struct buf error; /* the body of a reply that isn't 2xx, as far as it is worth reading */
	int pages;
	char *url; /* of the page under way */
	const char *const *more; /* the lists that are left; the one before is under way */
	bool is_more; /* the page under way is of a further list */
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

static struct openai *begin(
		struct conduit_job *job, const struct conduit_openai *dialect, enum task task) {
	struct openai *openai = calloc(1, sizeof(*openai));
	if (openai == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return NULL;
	}
	openai->magic = OPENAI_MAGIC;
	openai->dialect = *dialect;
	openai->task = task;
	openai->chat.chat.job = job;
	openai->chat.chat.service = service_name(dialect);
	chat_media_init(&openai->chat.chat.media, job, service_name(dialect));
	openai->models.job = job;
	openai->models.dialect = &openai->dialect;
	conduit_set_state(job, openai);
	return openai;
}

/* ---- requests ---- */

static void request_page(struct conduit_job *job, struct openai *openai) {
	buf_clear(&openai->error);
	if (!models_begin_page(&openai->models)) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	openai->pages++;
	openai_get(job, &openai->dialect, openai->url);
}

/* A dialect as a provider states it that was built when the struct was shorter. */
static struct conduit_openai read_dialect(const struct conduit_openai *stated, size_t size) {
	struct conduit_openai dialect = {0};
	memcpy(&dialect, stated, size < sizeof(dialect) ? size : sizeof(dialect));
	return dialect;
}

void conduit_openai_discover_by(
		struct conduit_job *job, const struct conduit_openai *stated, size_t size) {
	struct conduit_openai dialect = read_dialect(stated, size);
	struct openai *openai = begin(job, &dialect, TASK_MODELS);
	if (openai == NULL) {
		return;
	}
	const char *path = dialect.models_path != NULL ? dialect.models_path : "/models";
	openai->more = dialect.more_models;
	if (asprintf(&openai->url, "%s%s", conduit_base_url(job), path) < 0) {
		openai->url = NULL;
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	request_page(job, openai);
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

static void request_chat(
		struct openai *openai, struct conduit_job *job, const struct conduit_turn *turn) {
	const struct conduit_openai *dialect = &openai->dialect;
	const char *path = dialect->chat_path != NULL ? dialect->chat_path : "/chat/completions";
	openai->chat.chat.media.wish = openai_wish(turn, dialect);
	struct conduit_object *body = openai_request(turn, dialect, &openai->chat.chat.media.wish);
	conduit_object_leave_out(body, job, service_name(dialect), dialect->without);
	openai_post(body, job, dialect, path);
	conduit_object_destroy(body);
}

void conduit_openai_transform_by(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *stated, size_t size) {
	struct conduit_openai dialect = read_dialect(stated, size);
	enum task task;
	if (!openai_task(turn, &dialect, &task)) {
		refuse(job, turn, &dialect);
		return;
	}
	struct openai *openai = begin(job, &dialect, task);
	if (openai == NULL) {
		return;
	}
	switch (task) {
	case TASK_EMBED:
		embed_begin(&openai->embed, job, turn, &openai->dialect);
		break;
	case TASK_RERANK:
		rerank_begin(&openai->rerank, job, turn, &openai->dialect);
		break;
	case TASK_COST:
		cost_begin(&openai->cost, job, turn, &openai->dialect);
		break;
	case TASK_IMAGES:
		images_begin(&openai->media, job, turn, &openai->dialect);
		break;
	case TASK_SPEECH:
		speech_begin(&openai->media, job, turn, &openai->dialect);
		break;
	case TASK_TRANSCRIPT:
		transcript_begin(&openai->transcript, job, turn, &openai->dialect);
		break;
	case TASK_DOCUMENT:
		document_begin(&openai->transcript, job, turn, &openai->dialect);
		break;
	default:
		request_chat(openai, job, turn);
	}
}

/* ---- replies ---- */

static bool is_good(const struct openai *openai) {
	return openai->status >= 200 && openai->status <= 299;
}

void conduit_openai_reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct openai *openai = state_of(job);
	if (openai == NULL) {
		return;
	}
	openai->status = openai->chat.status = reply->status;
	snprintf(openai->chat.content_type, sizeof(openai->chat.content_type), "%s",
			reply->content_type);
}

/* The bytes are the prompt's, not a reply's. */
static bool reads(const struct openai *openai) {
	return (openai->task == TASK_EMBED && embed_reads(&openai->embed)) ||
	       (openai->task == TASK_RERANK && rerank_reads(&openai->rerank));
}

static void take_prompt(struct openai *openai, const char *bytes, size_t size) {
	if (openai->task == TASK_EMBED) {
		embed_prompt_feed(&openai->embed, bytes, size);
	} else {
		rerank_prompt_feed(&openai->rerank, bytes, size);
	}
}

static void take_error(struct openai *openai, const char *bytes, size_t size) {
	size_t room = CONDUIT_ERROR_LIMIT - openai->error.size;
	buf_add(&openai->error, bytes, size < room ? size : room);
}

void conduit_openai_data(struct conduit_job *job, const void *bytes, size_t size) {
	struct openai *openai = state_of(job);
	if (openai == NULL) {
		return;
	}
	if (reads(openai)) {
		take_prompt(openai, bytes, size);
		return;
	}
	if (!is_good(openai)) {
		take_error(openai, bytes, size);
		return;
	}
	switch (openai->task) {
	case TASK_MODELS:
		models_feed(&openai->models, bytes, size);
		break;
	case TASK_CHAT:
		chat_reply_feed(&openai->chat, bytes, size);
		break;
	case TASK_EMBED:
		embed_feed(&openai->embed, bytes, size);
		break;
	case TASK_RERANK:
		rerank_feed(&openai->rerank, bytes, size);
		break;
	case TASK_COST:
		cost_feed(&openai->cost, bytes, size);
		break;
	case TASK_IMAGES:
	case TASK_SPEECH:
		media_feed(&openai->media, bytes, size);
		break;
	case TASK_TRANSCRIPT:
	case TASK_DOCUMENT:
		transcript_feed(&openai->transcript, bytes, size);
		break;
	}
}

/* The scheme and host of a URL: how long they are. */
static size_t origin_length(const char *url) {
	const char *host = strstr(url, "://");
	return host != NULL ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

/* The list is at its end: on to the next one, if there is one. */
static void end_list(struct conduit_job *job, struct openai *openai) {
	if (openai->more == NULL || *openai->more == NULL) {
		conduit_finish(job, NULL, NULL);
		return;
	}
	char *url = strdup(*openai->more++);
	if (url == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	openai->is_more = true;
	free(openai->url);
	openai->url = url;
	request_page(job, openai);
}

/* Goes on to the next page, if there is one that hasn't just been read. */
static void end_page(struct conduit_job *job, struct openai *openai) {
	if (!models_end_page(&openai->models)) {
		return;
	}
	const char *next = openai->models.next;
	if (next == NULL || next[0] == '\0') {
		end_list(job, openai);
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
				service_name(&openai->dialect), openai->pages, next);
		return;
	}
	free(openai->url);
	openai->url = url;
	request_page(job, openai);
}

static void end_prompt(struct openai *openai) {
	if (openai->task == TASK_EMBED) {
		embed_prompt_end(&openai->embed);
	} else {
		rerank_prompt_end(&openai->rerank);
	}
}

void conduit_openai_end(struct conduit_job *job) {
	struct openai *openai = state_of(job);
	if (openai == NULL) {
		return;
	}
	if (reads(openai)) {
		end_prompt(openai);
		return;
	}
	if (!is_good(openai) && openai->is_more) {
		conduit_log(job, "%s isn't listed: HTTP %d", openai->url, openai->status);
		end_list(job, openai);
		return;
	}
	const char *remedy = openai->task == TASK_CHAT && openai->status == 400
					     ? openai_wish_remedy(&openai->dialect,
							       buf_string(&openai->error))
					     : NULL;
	if (remedy != NULL) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID,
						  .status = openai->status,
						  .words = remedy});
		return;
	}
	if (!is_good(openai)) {
		conduit_http_failure(job, openai->status, openai->chat.content_type,
				buf_string(&openai->error), openai->error.size);
		return;
	}
	switch (openai->task) {
	case TASK_MODELS:
		end_page(job, openai);
		break;
	case TASK_CHAT:
		chat_reply_end(&openai->chat);
		break;
	case TASK_EMBED:
		embed_end(&openai->embed);
		break;
	case TASK_RERANK:
		rerank_end(&openai->rerank);
		break;
	case TASK_COST:
		cost_end(&openai->cost);
		break;
	case TASK_IMAGES:
	case TASK_SPEECH:
		media_end(&openai->media, openai->chat.content_type);
		break;
	case TASK_TRANSCRIPT:
	case TASK_DOCUMENT:
		transcript_end(&openai->transcript);
		break;
	}
}

void conduit_openai_release(struct conduit_job *job) {
	struct openai *openai = state_of(job);
	if (openai == NULL) {
		return;
	}
	chat_reply_finish(&openai->chat);
	models_finish(&openai->models);
	embed_finish(&openai->embed);
	rerank_finish(&openai->rerank);
	cost_finish(&openai->cost);
	media_finish(&openai->media);
	transcript_finish(&openai->transcript);
	buf_finish(&openai->error);
	free(openai->url);
	free(openai);
	conduit_set_state(job, NULL);
}
