/* Acme: turns a prompt into one request of a service, and the service's reply into an answer.
 *
 * conduitfs does everything else: it sends, adds the key, waits, repeats what may be repeated and
 * keeps the turns. This file has no network, no files and no keys. It says which request to make,
 * is handed the bytes of the reply, and says what they mean.
 *
 * The service below stands for yours:
 *
 *     GET  /models   {"models":[{"id":"small","name":"Acme Small","context":8192}]}
 *     POST /answer   {"model":"small","messages":[{"role":"user","text":"Hello"}],"max_tokens":100}
 *                    {"text":"Hi!","stopped":"end","tokens":{"in":3,"out":2}}
 *
 * What each function of conduit_…() does stands in <conduit/provider.h>, and in the kits. */
#include <conduit/kit/body.h>
#include <conduit/kit/failure.h>
#include <conduit/kit/json.h>
#include <conduit/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A longer reply is no answer of this service. */
#define REPLY_MOST ((size_t)16 << 20)

/* What a job remembers from one callback to the next. */
struct memory {
	bool lists; /* it finds models; else it answers a turn */
	int status; /* of the reply */
	char type[64];
	char *body; /* of the reply, as far as it came */
	size_t size;
	bool too_long;
};

static struct memory *begin(struct conduit_job *job, bool lists) {
	struct memory *memory = calloc(1, sizeof(*memory));
	if (memory == NULL) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_OTHER,
						  .words = "memory is short"});
		return NULL;
	}
	memory->lists = lists;
	conduit_set_state(job, memory);
	return memory;
}

/* The request for a path of the service. The key is never here: conduitfs adds it. */
static void ask(struct conduit_job *job, const char *method, const char *path,
		struct conduit_body *body) {
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	char url[2048];
	snprintf(url, sizeof(url), "%s%s", conduit_base_url(job), path);
	struct conduit_request request = {
			.method = method, .url = url, .headers = body != NULL ? headers : NULL};
	if (body != NULL) {
		conduit_body_send(body, job, &request);
	} else {
		conduit_request(job, &request);
	}
}

/* ---- which models there are ---- */

static void discover(struct conduit_job *job) {
	if (begin(job, true) != NULL) {
		ask(job, "GET", "/models", NULL);
	}
}

/* Each model becomes a directory of the tree, by its id. What isn't known is left out. */
static void emit_models(struct conduit_job *job, const struct conduit_json *reply) {
	const struct conduit_json *models = conduit_json_get(reply, "models");
	if (conduit_json_type(models, NULL) != CONDUIT_JSON_ARRAY) {
		conduit_malformed(job, "the list of models has no \"models\"");
		return;
	}
	for (const struct conduit_json *entry = conduit_json_first(models); entry != NULL;
			entry = conduit_json_next(entry)) {
		const char *id = conduit_json_string(entry, "id");
		if (id == NULL) {
			conduit_log(job, "a model without an id is left out");
			continue;
		}
		struct conduit_model model = {
				.id = id,
				.id_size = strlen(id),
				.name = conduit_json_string(entry, "name"),
				.input_modalities = "text",
				.output_modalities = "text",
		};
		conduit_json_int64(entry, "context", &model.context_length);
		conduit_model(job, &model);
	}
	conduit_finish(job, NULL, NULL);
}

/* ---- a turn ---- */

static const char *role_name(enum conduit_role role) {
	return role == CONDUIT_SYSTEM ? "system" : role == CONDUIT_USER ? "user" : "assistant";
}

/* A message's text lies in a file that only conduitfs sees: the body names it, and its bytes are
 * added as it is sent. So no prompt is too long for this process. */
static void add_message(struct conduit_body *body, const struct conduit_message *message) {
	conduit_body_text(body, "{\"role\":\"");
	conduit_body_text(body, role_name(message->role));
	conduit_body_text(body, "\",\"text\":\"");
	for (size_t i = 0; i < message->n_parts; i++) {
		conduit_body_file(body, CONDUIT_FILE_JSON, message->parts[i].file);
	}
	conduit_body_text(body, "\"}");
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	if (begin(job, false) == NULL) {
		return;
	}
	struct conduit_body *body = conduit_body_create();
	conduit_body_text(body, "{\"model\":");
	conduit_body_string(body, turn->model, strlen(turn->model));
	conduit_body_text(body, ",\"messages\":[");
	for (size_t i = 0; i < turn->n_messages; i++) {
		conduit_body_text(body, i != 0 ? "," : "");
		add_message(body, &turn->messages[i]);
	}
	conduit_body_text(body, "]");
	/* Settings are the files of config/. That a number is one was checked there. */
	const char *max_tokens = conduit_setting(turn, "max_tokens");
	if (max_tokens != NULL) {
		conduit_body_text(body, ",\"max_tokens\":");
		conduit_body_text(body, max_tokens);
	}
	conduit_body_text(body, "}");
	ask(job, "POST", "/answer", body);
	conduit_body_destroy(body);
}

static void emit_usage(struct conduit_job *job, const struct conduit_json *reply) {
	struct conduit_usage usage = CONDUIT_USAGE_UNKNOWN;
	conduit_json_int64(reply, "tokens.in", &usage.prompt_tokens);
	conduit_json_int64(reply, "tokens.out", &usage.completion_tokens);
	conduit_usage(job, &usage);
}

static void emit_answer(struct conduit_job *job, const struct conduit_json *reply) {
	const char *text = conduit_json_string(reply, "text");
	const char *stopped = conduit_json_string(reply, "stopped");
	if (text == NULL) {
		conduit_malformed(job, "the answer has no \"text\"");
		return;
	}
	conduit_output(job, text, strlen(text));
	emit_usage(job, reply);
	bool cut = stopped != NULL && strcmp(stopped, "length") == 0;
	conduit_finish(job, cut ? "length" : "stop", NULL);
}

/* ---- the reply ---- */

static void reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct memory *memory = conduit_state(job);
	memory->status = reply->status;
	snprintf(memory->type, sizeof(memory->type), "%s", reply->content_type);
}

/* Bytes come cut anywhere: in the middle of a number, of a character. They are gathered here; a
 * stream would be fed to the kit sse.h or ndjson.h instead. */
static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct memory *memory = conduit_state(job);
	char *grown = size <= REPLY_MOST - memory->size
				      ? realloc(memory->body, memory->size + size + 1)
				      : NULL;
	if (grown == NULL) {
		memory->too_long = true;
		return;
	}
	memory->body = grown;
	memcpy(memory->body + memory->size, bytes, size);
	memory->size += size;
}

static void end(struct conduit_job *job) {
	struct memory *memory = conduit_state(job);
	const char *body = memory->body != NULL ? memory->body : "";
	if (memory->status < 200 || memory->status > 299) {
		/* Sorts a service's errors: which errno a user gets, and which words. */
		conduit_http_failure(job, memory->status, memory->type, body, memory->size);
		return;
	}
	struct conduit_json *json = memory->too_long ? NULL
						     : conduit_json_parse(body, memory->size);
	if (json == NULL) {
		conduit_malformed(job, "the reply isn't JSON, or longer than 16 MiB");
	} else if (memory->lists) {
		emit_models(job, json);
	} else {
		emit_answer(job, json);
	}
	conduit_json_free(json);
}

static void release(struct conduit_job *job) {
	struct memory *memory = conduit_state(job);
	if (memory != NULL) {
		free(memory->body);
		free(memory);
	}
}

CONDUIT_PROVIDER(.name = "acme", .version = "0.1.0", .discover = discover, .transform = transform,
		.reply = reply, .data = data, .end = end, .release = release)
