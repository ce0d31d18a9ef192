/* What a provider may call, as provider.h promises it: each call becomes messages to the daemon.
 * The daemon checks everything again; the bounds are kept here so that an honest provider that
 * steps over one fails with words, not by being killed. */
#include "core/provider/emit.h"

#include "core/base/limit.h"
#include "core/base/text.h"
#include "core/provider/runner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void emit_put(struct conduit_job *job, struct wire_message *message, const char *what) {
	message->job = job->id;
	if (!channel_put(&job->runner->channel, message)) {
		conduit_log(job, "%s is dropped: it is too large", what);
	}
}

char *emit_shortened(const char *text, size_t most) {
	return text != NULL ? strndup(text, utf8_cut(text, strlen(text), most)) : NULL;
}

void emit_refuse(struct conduit_job *job, const char *words) {
	conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID, .words = words});
}

/* ---- asking ---- */

static bool may_ask(struct conduit_job *job) {
	if (job->over) {
		return false;
	}
	if (!job->may_request || job->pending) {
		emit_refuse(job,
				"the provider made a request where it may not: one at a time, from "
				"discover, transform or end");
		return false;
	}
	return true;
}

static void put_literal(struct conduit_job *job, const char *bytes, size_t size) {
	while (size > 0) {
		size_t piece = size < WIRE_CHUNK_MOST ? size : WIRE_CHUNK_MOST;
		struct wire_message message = {.type = WIRE_REQUEST_PART,
				.request_part = {.kind = CONDUIT_LITERAL,
						.bytes = bytes,
						.size = (uint32_t)piece}};
		emit_put(job, &message, "a part of a request's body");
		bytes += piece;
		size -= piece;
	}
}

static void put_body(struct conduit_job *job, const struct conduit_request *request) {
	for (size_t i = 0; i < request->n_body; i++) {
		const struct conduit_body_part *part = &request->body[i];
		if (part->kind == CONDUIT_LITERAL) {
			put_literal(job, part->bytes, part->size);
			continue;
		}
		struct wire_message message = {.type = WIRE_REQUEST_PART,
				.request_part = {.kind = (uint8_t)part->kind, .file = part->file}};
		emit_put(job, &message, "a part of a request's body");
	}
}

/* Why a body's recipe can't be sent, or NULL. */
static const char *body_trouble(const struct conduit_request *request) {
	size_t bytes = 0, parts = 0;
	for (size_t i = 0; i < request->n_body; i++) {
		const struct conduit_body_part *part = &request->body[i];
		if ((unsigned)part->kind > CONDUIT_FILE_JSON) {
			return "the provider asked for a request with a body part of unknown kind";
		}
		size_t size = part->kind == CONDUIT_LITERAL ? part->size : 0;
		if (size > WIRE_BODY_BYTES_MOST - bytes) {
			return "the provider asked for a request with more than 1 MiB of literal "
			       "bytes in its body; large data belong into files";
		}
		bytes += size;
		parts += size / WIRE_CHUNK_MOST + 1;
	}
	return parts <= WIRE_BODY_PARTS_MOST ? NULL
					     : "the provider asked for a request with more than "
					       "4096 parts in its body";
}

const char *emit_head_trouble(const struct conduit_request *request) {
	if (request->method == NULL || strlen(request->method) > WIRE_NAME_MOST) {
		return "the provider asked for a request without a proper method";
	}
	if (request->url == NULL || strlen(request->url) > WIRE_URL_MOST) {
		return "the provider asked for a request without a URL, or with one above 8 KiB";
	}
	size_t n = 0, bytes = 0;
	while (request->headers != NULL && request->headers[n] != NULL) {
		bytes += strlen(request->headers[n++]) + 1;
		if (n > WIRE_HEADERS_MOST || bytes > WIRE_HEADERS_BYTES) {
			return "the provider asked for a request with more than 64 headers or "
			       "16 KiB of them";
		}
	}
	return NULL;
}

void emit_headers(struct wire_request *to, const struct conduit_request *request) {
	while (request->headers != NULL && request->headers[to->n_headers] != NULL) {
		to->headers[to->n_headers] = request->headers[to->n_headers];
		to->n_headers++;
	}
}

void conduit_request(struct conduit_job *job, const struct conduit_request *request) {
	if (!may_ask(job)) {
		return;
	}
	const char *trouble = emit_head_trouble(request);
	if (trouble == NULL) {
		trouble = body_trouble(request);
	}
	if (trouble != NULL) {
		emit_refuse(job, trouble);
		return;
	}
	put_body(job, request);
	struct wire_message message = {.type = WIRE_REQUEST,
			.request = {.method = request->method,
					.url = request->url,
					.to_output = request->sink == CONDUIT_TO_OUTPUT,
					.submits = request->submits,
					.delay_ms = request->delay_ms}};
	emit_headers(&message.request, request);
	emit_put(job, &message, "a request");
	job->pending = true;
}

void conduit_read(struct conduit_job *job, uint32_t file) {
	if (!may_ask(job)) {
		return;
	}
	struct wire_message message = {.type = WIRE_READ, .read = {.file = file}};
	emit_put(job, &message, "a read");
	job->pending = true;
}

/* Why a program can't be run so, or NULL. */
static const char *program_trouble(const struct conduit_program *program) {
	size_t bytes = 0;
	if (program->name == NULL || strlen(program->name) > WIRE_NAME_MOST) {
		return "the provider asked for a program without a proper name";
	}
	if (program->n_arguments > WIRE_ARGUMENTS_MOST) {
		return "the provider asked for a program with more than 256 arguments";
	}
	for (size_t i = 0; i < program->n_arguments; i++) {
		const struct conduit_argument *argument = &program->arguments[i];
		bool input = argument->kind == CONDUIT_INPUT;
		if ((unsigned)argument->kind > CONDUIT_SCRATCH ||
				(!input && argument->text == NULL)) {
			return "the provider asked for a program with an argument of unknown kind";
		}
		size_t size = input ? 0 : strlen(argument->text);
		bytes += size;
		if (size > WIRE_ARGUMENT_MOST || bytes > WIRE_ARGUMENTS_BYTES) {
			return "the provider asked for a program with an argument above 4 KiB, or "
			       "64 KiB of them";
		}
	}
	return NULL;
}

void conduit_run(struct conduit_job *job, const struct conduit_program *program) {
	if (!may_ask(job)) {
		return;
	}
	const char *trouble = program_trouble(program);
	if (trouble != NULL) {
		emit_refuse(job, trouble);
		return;
	}
	for (size_t i = 0; i < program->n_arguments; i++) {
		const struct conduit_argument *argument = &program->arguments[i];
		bool input = argument->kind == CONDUIT_INPUT;
		struct wire_message message = {.type = WIRE_RUN_PART,
				.run_part = {.kind = (uint8_t)argument->kind,
						.file = input ? argument->file : 0,
						.text = input ? "" : argument->text}};
		emit_put(job, &message, "an argument of a program");
	}
	const uint32_t *file = program->standard_input;
	struct wire_message message = {.type = WIRE_RUN,
			.run = {.program = program->name,
					.reads = file != NULL,
					.file = file != NULL ? *file : 0,
					.to_output = program->standard_output ==
						     CONDUIT_TO_OUTPUT}};
	emit_put(job, &message, "a program");
	job->pending = true;
}

const char *conduit_base_url(const struct conduit_job *job) {
	return job->runner->base_url != NULL ? job->runner->base_url : "";
}

/* ---- emitting ---- */

static void put_raw(struct conduit_job *job, const struct conduit_model *model) {
	if (model->raw == NULL || model->raw_size > WIRE_RAW_MOST) {
		return;
	}
	for (size_t at = 0; at < model->raw_size; at += WIRE_CHUNK_MOST) {
		size_t left = model->raw_size - at;
		struct wire_message message = {.type = WIRE_RAW,
				.bytes = {.bytes = model->raw + at,
						.size = (uint32_t)(left < WIRE_CHUNK_MOST
										   ? left
										   : WIRE_CHUNK_MOST)}};
		emit_put(job, &message, "a model's own words");
	}
}

static void add_prices(struct wire_model *to, const struct conduit_model *model) {
	for (size_t i = 0; i < model->n_prices && to->n_prices < WIRE_PRICES_MOST; i++) {
		if (strlen(model->prices[i].name) <= WIRE_PRICE_NAME_MOST) {
			to->prices[to->n_prices++] = (struct wire_price){
					model->prices[i].name, model->prices[i].usd};
		}
	}
}

/* What exceeds the bounds of a model is left out here, since the daemon would end the process. */
static void put_limits(struct conduit_job *job, const struct conduit_model *model) {
	size_t bytes = 0, n = 0;
	for (size_t i = 0; i < model->n_limits; i++) {
		const struct conduit_limit *limit = &model->limits[i];
		struct buf text cleanup_buf = {.limit = LIMITS_BYTES_MOST};
		const struct limit plain = {limit->name, limit->least, limit->most, limit->choices,
				limit->standard, limit->help};
		if (limit->name == NULL || limit->name[0] == '\0' || n == LIMITS_MOST ||
				!limits_add(&text, &plain) ||
				text.size > LIMITS_BYTES_MOST - bytes) {
			conduit_log(job,
					"a model's limit of the setting %s is left out: there are "
					"more than %d, or 64 KiB",
					limit->name != NULL ? limit->name : "without a name",
					LIMITS_MOST);
			continue;
		}
		struct wire_message message = {.type = WIRE_LIMIT,
				.limit = {.name = limit->name,
						.least = limit->least,
						.most = limit->most,
						.choices = limit->choices,
						.standard = limit->standard,
						.help = limit->help}};
		emit_put(job, &message, "a limit of a setting");
		bytes += text.size;
		n++;
	}
}

void conduit_model(struct conduit_job *job, const struct conduit_model *told) {
	if (job->over) {
		return;
	}
	/* As the provider's header has it. */
	struct conduit_model known = {0}, *model = &known;
	size_t size = job->runner->provider->model_size;
	memcpy(&known, told, size < sizeof(known) ? size : sizeof(known));
	if (model->id == NULL || model->id_size == 0 || model->id_size > WIRE_ID_MOST ||
			memchr(model->id, '\0', model->id_size) != NULL) {
		conduit_log(job,
				"a model is left out: its id is empty, holds a NUL or is longer "
				"than 1023 bytes (%zu)",
				model->id_size);
		return;
	}
	char *name cleanup_free = emit_shortened(model->name, WIRE_WORDS_MOST);
	char *description cleanup_free = emit_shortened(model->description, WIRE_DESCRIPTION_MOST);
	char *input cleanup_free = emit_shortened(model->input_modalities, WIRE_LIST_MOST);
	char *output cleanup_free = emit_shortened(model->output_modalities, WIRE_LIST_MOST);
	char *parameters cleanup_free = emit_shortened(model->parameters, WIRE_LIST_MOST);
	struct wire_message message = {.type = WIRE_MODEL,
			.model = {.id = model->id,
					.id_size = (uint32_t)model->id_size,
					.name = name,
					.description = description,
					.created = model->created,
					.context_length = model->context_length,
					.max_output = model->max_output,
					.input_modalities = input,
					.output_modalities = output,
					.parameters = parameters}};
	add_prices(&message.model, model);
	put_raw(job, model);
	put_limits(job, model);
	emit_put(job, &message, "a model");
}

void conduit_output(struct conduit_job *job, const void *bytes, size_t size) {
	if (!job->over) {
		channel_put_text(&job->runner->channel, job->id, WIRE_OUTPUT, bytes, size);
	}
}

void conduit_reasoning(struct conduit_job *job, const void *bytes, size_t size) {
	if (!job->over) {
		channel_put_text(&job->runner->channel, job->id, WIRE_REASONING, bytes, size);
	}
}

void conduit_result(struct conduit_job *job, const char *type, const char *name) {
	if (job->over) {
		return;
	}
	char *kind cleanup_free = emit_shortened(type, WIRE_NAME_MOST);
	char *called cleanup_free = emit_shortened(name, WIRE_NAME_MOST);
	struct wire_message message = {
			.type = WIRE_RESULT, .result = {.type = kind, .name = called}};
	emit_put(job, &message, "a result");
}

void conduit_result_end(struct conduit_job *job) {
	if (!job->over) {
		struct wire_message message = {.type = WIRE_RESULT_END};
		emit_put(job, &message, "the end of a result");
	}
}

void conduit_usage(struct conduit_job *job, const struct conduit_usage *usage) {
	if (job->over) {
		return;
	}
	struct wire_message message = {.type = WIRE_USAGE,
			.usage = {.prompt_tokens = usage->prompt_tokens,
					.completion_tokens = usage->completion_tokens,
					.reasoning_tokens = usage->reasoning_tokens,
					.cached_tokens = usage->cached_tokens,
					.cost = usage->cost}};
	emit_put(job, &message, "the usage");
}

void conduit_fail(struct conduit_job *job, const struct conduit_failure *failure) {
	if (job->over) {
		return;
	}
	char *words cleanup_free = emit_shortened(failure->words, WIRE_WORDS_MOST);
	bool known = (unsigned)failure->kind <= CONDUIT_FAIL_MISSING;
	struct wire_message message = {.type = WIRE_FAIL,
			.fail = {.kind = (uint8_t)(known ? failure->kind : CONDUIT_FAIL_OTHER),
					.status = failure->status,
					.retry = failure->retry == CONDUIT_RETRY_NEVER,
					.words = words}};
	emit_put(job, &message, "a failure");
	job->over = true;
}

void conduit_finish(struct conduit_job *job, const char *finish, const char *model) {
	if (job->over) {
		return;
	}
	char *reason cleanup_free = emit_shortened(finish, WIRE_NAME_MOST);
	char *answered cleanup_free = emit_shortened(model, WIRE_ID_MOST);
	struct wire_message message = {
			.type = WIRE_FINISH, .finish = {.finish = reason, .model = answered}};
	emit_put(job, &message, "the end");
	job->over = true;
}

void conduit_log(struct conduit_job *job, const char *format, ...) {
	char words[WIRE_WORDS_MOST];
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	struct wire_message message = {.type = WIRE_LOG, .job = job->id, .words = {words}};
	channel_put(&job->runner->channel, &message);
}

/* ---- the provider's own ---- */

void *conduit_state(const struct conduit_job *job) {
	return job->state;
}

void conduit_set_state(struct conduit_job *job, void *state) {
	job->state = state;
}
