/* Ollama by its own API: which request a job makes, and where the bytes of its reply go. */
#include "ollama.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/json_items.h>
#include <conduit/kit/ndjson.h>
#include <conduit/kit/openai.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x6f6c6c61u /* not the kit's, whose job an embedding is */
#define URL_MOST 2048
#define WHOLE_MOST ((size_t)16 << 20) /* bytes of what /api/show says */
#define LISTED_MOST 2000 /* models that are asked about */

enum step {
	STEP_TAGS,
	STEP_SHOW,
	STEP_CHAT,
	STEP_PULL,
};

struct state {
	unsigned magic;
	enum step step;
	int status;
	char type[64]; /* of the reply's content */
	char *body; /* of an error, or what is shown of a model */
	size_t size;
	struct conduit_json_items *items; /* of /api/tags */
	struct conduit_json *entries[LISTED_MOST];
	size_t n_entries, at; /* the one that is asked about */
	struct conduit_ndjson *lines; /* of an answer */
	struct answer answer;
	struct conduit_object *request; /* of the turn, to be sent again when the model is there */
	struct pull pull;
	bool pulls; /* it was, or is being, pulled: at most once a job */
	char *look_up; /* the one model that is looked up */
};

static void fail(struct conduit_job *job, enum conduit_kind kind, const char *words) {
	conduit_fail(job, &(struct conduit_failure){.kind = kind, .words = words});
}

static struct state *state_of(const struct conduit_job *job) {
	struct state *state = conduit_state(job);
	return state != NULL && state->magic == MAGIC ? state : NULL;
}

static struct state *begin(struct conduit_job *job) {
	struct state *state = calloc(1, sizeof(*state));
	if (state == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return NULL;
	}
	state->magic = MAGIC;
	answer_begin(&state->answer, job);
	state->pull.job = job;
	conduit_set_state(job, state);
	return state;
}

/* ---- requests ---- */

static void forget_reply(struct state *state) {
	free(state->body);
	state->body = NULL;
	state->size = 0;
	state->status = 0;
}

static bool url_of(struct conduit_job *job, const char *path, char url[URL_MOST]) {
	int length = snprintf(url, URL_MOST, "%s%s", conduit_base_url(job), path);
	if (length < 0 || length >= URL_MOST) {
		fail(job, CONDUIT_FAIL_OTHER, "the base URL is too long");
		return false;
	}
	return true;
}

static void request_tags(struct conduit_job *job, struct state *state) {
	static const char *const headers[] = {"Accept: application/json", NULL};
	char url[URL_MOST];
	state->step = STEP_TAGS;
	if (url_of(job, "/api/tags", url)) {
		conduit_request(job, &(struct conduit_request){
						     .method = "GET",
						     .url = url,
						     .headers = headers,
				     });
	}
}

static const char *const json_headers[] = {"Content-Type: application/json",
		"Accept: application/x-ndjson, application/json", NULL};

static void request_show(struct conduit_job *job, struct state *state, const char *model) {
	char url[URL_MOST];
	forget_reply(state);
	state->step = STEP_SHOW;
	if (!url_of(job, "/api/show", url)) {
		return;
	}
	struct conduit_body *body = conduit_body_create();
	conduit_body_text(body, "{\"model\":");
	conduit_body_string(body, model, strlen(model));
	conduit_body_text(body, "}");
	conduit_body_send(body, job,
			&(struct conduit_request){
					.method = "POST", .url = url, .headers = json_headers});
	conduit_body_destroy(body);
}

static void take_line(void *data, const char *line, size_t size);

static void request_lines(struct conduit_job *job, struct state *state, enum step step,
		const char *path, struct conduit_body *body) {
	char url[URL_MOST];
	forget_reply(state);
	state->step = step;
	conduit_ndjson_destroy(state->lines);
	state->lines = conduit_ndjson_create(take_line, job);
	if (state->lines == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
	} else if (url_of(job, path, url)) {
		conduit_body_send(body, job,
				&(struct conduit_request){.method = "POST",
						.url = url,
						.headers = json_headers});
	}
}

/* The server downloads it; how long that takes is told line by line. */
static void request_pull(struct conduit_job *job, struct state *state) {
	struct conduit_body *body = conduit_body_create();
	state->pulls = true;
	conduit_log(job, "%s isn't there yet: Ollama pulls it", state->pull.model);
	conduit_body_text(body, "{\"model\":");
	conduit_body_string(body, state->pull.model, strlen(state->pull.model));
	conduit_body_text(body, ",\"stream\":true}");
	request_lines(job, state, STEP_PULL, "/api/pull", body);
	conduit_body_destroy(body);
}

/* A model that this server hasn't, but may get; the cloud has what it has. */
static bool may_pull(struct conduit_job *job, const struct state *state) {
	char error[1024];
	snprintf(error, sizeof(error), "%.*s", (int)state->size,
			state->body != NULL ? state->body : "");
	return state->status == 404 && !state->pulls && !is_cloud(job) &&
	       state->pull.model[0] != '\0' && pull_would_help(error);
}

/* ---- the models ---- */

static const char *entry_name(const struct conduit_json *entry) {
	const char *name = conduit_json_string(entry, "name");
	return name != NULL ? name : conduit_json_string(entry, "model");
}

static void take_entry(void *data, const char *json, size_t size) {
	struct state *state = state_of(data);
	struct conduit_json *entry = conduit_json_parse(json, size);
	const char *name = entry_name(entry);
	if (name == NULL || name[0] == '\0' || state->n_entries == LISTED_MOST) {
		conduit_log(data,
				name == NULL || name[0] == '\0'
						? "an entry of the list is left out: it has no name"
						: "an entry of the list is left out: there are "
						  "more "
						  "than 2000");
		conduit_json_free(entry);
		return;
	}
	state->entries[state->n_entries++] = entry;
}

static void discover(struct conduit_job *job) {
	static const char *const names[] = {"models", NULL};
	struct state *state = begin(job);
	if (state == NULL) {
		return;
	}
	state->items = conduit_json_items_create(&(struct conduit_json_items_calls){
			.names = names, .item = take_entry, .data = job});
	if (state->items == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	request_tags(job, state);
}

/* Each is asked about: the list doesn't say what a model can do. */
static void next_entry(struct conduit_job *job, struct state *state) {
	if (state->at < state->n_entries) {
		request_show(job, state, entry_name(state->entries[state->at]));
	} else {
		conduit_finish(job, NULL, NULL);
	}
}

static void end_tags(struct conduit_job *job, struct state *state) {
	if (conduit_json_items_state(state->items) != CONDUIT_ITEMS_WHOLE ||
			!conduit_json_items_found(state->items)) {
		conduit_malformed(job, "Ollama's list of models is cut short, or is none");
		return;
	}
	next_entry(job, state);
}

static bool is_good(const struct state *state) {
	return state->status >= 200 && state->status <= 299;
}

/* One that the server fails to show (its file is damaged, or it is just being removed) is listed by
 * what its entry says. */
static void end_show(struct conduit_job *job, struct state *state) {
	const struct conduit_json *entry = state->entries[state->at++];
	struct conduit_json *shown = is_good(state) ? conduit_json_parse(state->body, state->size)
						    : NULL;
	if (shown == NULL) {
		conduit_log(job,
				"%.200s isn't shown by Ollama (HTTP %d): only what the list says "
				"is known of it",
				entry_name(entry), state->status);
	}
	models_emit(job, entry_name(entry), entry, shown);
	conduit_json_free(shown);
	next_entry(job, state);
}

static void look_up(struct conduit_job *job, const char *id) {
	struct state *state = begin(job);
	if (state == NULL) {
		return;
	}
	state->look_up = strdup(id);
	snprintf(state->pull.model, sizeof(state->pull.model), "%s", id);
	if (state->look_up == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	request_show(job, state, id);
}

static void http_failure(struct conduit_job *job, const struct state *state) {
	conduit_http_failure(job, state->status, state->type,
			state->body != NULL ? state->body : "", state->size);
}

static void end_look_up(struct conduit_job *job, struct state *state) {
	if (may_pull(job, state)) {
		request_pull(job, state);
		return;
	}
	if (!is_good(state)) {
		http_failure(job, state);
		return;
	}
	struct conduit_json *shown = conduit_json_parse(state->body, state->size);
	if (shown == NULL) {
		conduit_malformed(job, "what Ollama shows of %.200s isn't JSON", state->look_up);
	} else {
		models_emit(job, state->look_up, NULL, shown);
		conduit_finish(job, NULL, NULL);
	}
	conduit_json_free(shown);
}

/* ---- a turn ---- */

/* /api/embed takes and gives what the kit knows, by names of its own. */
static const struct conduit_openai_embeddings embeddings = {
		.before = "/api/embed", .input = "input", .list = "embeddings"};
static const struct conduit_openai embedding = {.service = "Ollama", .embeddings = &embeddings};

static bool is_text(const struct conduit_turn *turn) {
	const char *to = turn->capability != NULL ? strrchr(turn->capability, '-') : NULL;
	return to == NULL ||
	       (strcmp(to, "-text") == 0 && strcmp(turn->capability, "audio-to-text") != 0);
}

static void take_line(void *data, const char *line, size_t size) {
	struct state *state = state_of(data);
	if (state->step == STEP_PULL) {
		pull_line(&state->pull, line, size);
	} else {
		answer_line(&state->answer, line, size);
	}
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	char url[URL_MOST];
	if (turn->capability != NULL && strcmp(turn->capability, "text-to-embedding") == 0) {
		conduit_openai_transform(job, turn, &embedding);
		return;
	}
	if (!is_text(turn)) {
		fail(job, CONDUIT_FAIL_INVALID,
				"Ollama's models answer with text or vectors: for anything else "
				"use another provider's");
		return;
	}
	struct state *state = begin(job);
	if (state == NULL || !url_of(job, "/api/chat", url)) {
		return;
	}
	snprintf(state->pull.model, sizeof(state->pull.model), "%s", turn->model);
	state->step = STEP_CHAT;
	state->lines = conduit_ndjson_create(take_line, job);
	state->request = request_build(job, turn);
	if (state->lines == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	conduit_object_send(state->request, job,
			&(struct conduit_request){
					.method = "POST", .url = url, .headers = json_headers});
}

/* ---- replies ---- */

static void reply(struct conduit_job *job, const struct conduit_reply *head) {
	struct state *state = state_of(job);
	if (state == NULL) {
		conduit_openai_reply(job, head);
		return;
	}
	state->status = head->status;
	snprintf(state->type, sizeof(state->type), "%s", head->content_type);
}

/* What is beyond `most` bytes is forgotten: of an error that much is enough, and what is shown of a
 * model is found to be cut. */
static void gather(struct state *state, const char *bytes, size_t size, size_t most) {
	size_t room = most - state->size;
	size_t taken = size < room ? size : room;
	char *grown = taken != 0 ? realloc(state->body, state->size + taken) : NULL;
	if (grown != NULL) {
		memcpy(grown + state->size, bytes, taken);
		state->body = grown;
		state->size += taken;
	}
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct state *state = state_of(job);
	if (state == NULL) {
		conduit_openai_data(job, bytes, size);
	} else if (state->answer.over || state->pull.over) {
		return;
	} else if (!is_good(state)) {
		gather(state, bytes, size, CONDUIT_ERROR_LIMIT);
	} else if (state->step == STEP_TAGS) {
		conduit_json_items_feed(state->items, bytes, size);
	} else if (state->step == STEP_SHOW) {
		gather(state, bytes, size, WHOLE_MOST);
	} else if (!conduit_ndjson_feed(state->lines, bytes, size) && !state->answer.over) {
		conduit_malformed(job, "Ollama's answer holds a line that exceeds 64 MiB");
		state->answer.over = true;
	}
}

/* The model is there: what was asked first is asked again. */
static void end_pull(struct conduit_job *job, struct state *state) {
	conduit_ndjson_end(state->lines);
	if (!pull_end(&state->pull)) {
		return;
	}
	if (state->look_up != NULL) {
		request_show(job, state, state->look_up);
	} else {
		request_lines(job, state, STEP_CHAT, "/api/chat",
				conduit_object_body(state->request));
	}
}

static void end_chat(struct conduit_job *job, struct state *state) {
	if (is_good(state)) {
		conduit_ndjson_end(state->lines);
		answer_end(&state->answer);
	} else if (may_pull(job, state)) {
		request_pull(job, state);
	} else {
		http_failure(job, state);
	}
}

static void end(struct conduit_job *job) {
	struct state *state = state_of(job);
	if (state == NULL) {
		conduit_openai_end(job);
	} else if (state->answer.over || state->pull.over) {
		return;
	} else if (state->step == STEP_SHOW && state->look_up != NULL) {
		end_look_up(job, state);
	} else if (state->step == STEP_SHOW) {
		end_show(job, state);
	} else if (state->step == STEP_CHAT) {
		end_chat(job, state);
	} else if (!is_good(state)) {
		http_failure(job, state);
	} else if (state->step == STEP_TAGS) {
		end_tags(job, state);
	} else {
		end_pull(job, state);
	}
}

static void release(struct conduit_job *job) {
	struct state *state = state_of(job);
	if (state == NULL) {
		conduit_openai_release(job);
		return;
	}
	for (size_t i = 0; i < state->n_entries; i++) {
		conduit_json_free(state->entries[i]);
	}
	conduit_json_items_destroy(state->items);
	conduit_ndjson_destroy(state->lines);
	conduit_object_destroy(state->request);
	answer_finish(&state->answer);
	free(state->look_up);
	free(state->body);
	free(state);
	conduit_set_state(job, NULL);
}

CONDUIT_PROVIDER(.name = "ollama", .version = "1.0.0", .discover = discover, .transform = transform,
		.reply = reply, .data = data, .end = end, .release = release, .look_up = look_up)
