/* The conduit_* functions that a provider calls, as the replay does them: see replay.h. */
#include "core/base/text.h"
#include "core/provider/replay/job.h"

#include <string.h>

/* Tests don't run out of memory; where one does, it ends here rather than passing wrongly. */
static void *checked(void *pointer) {
	if (pointer == NULL) {
		abort();
	}
	return pointer;
}

static char *copy(const char *text) {
	return text != NULL ? checked(strdup(text)) : NULL;
}

static char *copy_bytes(const char *bytes, size_t size) {
	char *to = checked(malloc(size + 1));
	if (size != 0) {
		memcpy(to, bytes, size);
	}
	to[size] = '\0';
	return to;
}

static void *grow(void *array, size_t n, size_t size) {
	/* By doubling: at every power of two. */
	return (n & (n - 1)) != 0 ? array : checked(reallocarray(array, n == 0 ? 1 : n * 2, size));
}

bool job_over(const struct conduit_job *job) {
	return job->replay->finished || job->replay->failed;
}

void job_broke(struct conduit_job *job, const char *rule) {
	if (job->replay->broken == NULL) {
		job->replay->broken = rule;
	}
}

/* ---- asking ---- */

static void add_base64(struct buf *out, const unsigned char *bytes, size_t size) {
	static const char digits[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		unsigned word = (unsigned)bytes[i] << 16;
		word |= left > 1 ? (unsigned)bytes[i + 1] << 8 : 0;
		word |= left > 2 ? bytes[i + 2] : 0;
		buf_add_byte(out, digits[word >> 18]);
		buf_add_byte(out, digits[word >> 12 & 63]);
		buf_add_byte(out, left > 1 ? digits[word >> 6 & 63] : '=');
		buf_add_byte(out, left > 2 ? digits[word & 63] : '=');
	}
}

static void add_part(
		struct conduit_job *job, struct buf *out, const struct conduit_body_part *part) {
	if (part->kind == CONDUIT_LITERAL) {
		buf_add(out, part->bytes, part->size);
		return;
	}
	if (part->file >= job->script->n_files) {
		job_broke(job, "a request names a file that isn't there");
		return;
	}
	const struct replay_file *file = &job->script->files[part->file];
	if (part->kind == CONDUIT_FILE) {
		buf_add(out, file->bytes, file->size);
	} else if (part->kind == CONDUIT_FILE_BASE64) {
		add_base64(out, (const unsigned char *)file->bytes, file->size);
	} else {
		json_escape(out, file->bytes, file->size);
	}
}

static void ask(struct conduit_job *job, enum pending what) {
	if (job->pending != PENDING_NOTHING) {
		job_broke(job, "a request was made while one was pending");
	}
	if (!job->may_ask) {
		job_broke(job, "a request was made outside of discover, transform and end");
	}
	job->pending = what;
}

void conduit_request(struct conduit_job *job, const struct conduit_request *request) {
	struct replay *replay = job->replay;
	if (job_over(job)) {
		return;
	}
	ask(job, PENDING_REPLY);
	job->sink = request->sink;
	struct buf headers = {0};
	for (const char *const *header = request->headers; header != NULL && *header != NULL;
			header++) {
		buf_add_format(&headers, "%s\n", *header);
	}
	struct buf body = {0};
	for (size_t i = 0; i < request->n_body; i++) {
		add_part(job, &body, &request->body[i]);
	}
	replay->requests = grow(replay->requests, replay->n_requests, sizeof(*replay->requests));
	struct replay_request *made = &replay->requests[replay->n_requests++];
	*made = (struct replay_request){
			.method = copy(request->method),
			.url = copy(request->url),
			.headers = checked(buf_take(&headers)),
			.size = body.size,
			.sink = request->sink,
			.submits = request->submits,
	};
	made->body = checked(buf_take(&body));
}

void conduit_read(struct conduit_job *job, uint32_t file) {
	if (job_over(job)) {
		return;
	}
	ask(job, PENDING_FILE);
	job->file = file;
	if (file >= job->script->n_files) {
		job_broke(job, "a file was asked for that isn't there");
	}
}

/* As the daemon records it: a request of the method RUN. */
void conduit_run(struct conduit_job *job, const struct conduit_program *program) {
	struct replay *replay = job->replay;
	if (job_over(job)) {
		return;
	}
	ask(job, PENDING_RUN);
	job->sink = program->standard_output;
	struct buf line = {0};
	buf_add_string(&line, program->name);
	for (size_t i = 0; i < program->n_arguments; i++) {
		const struct conduit_argument *argument = &program->arguments[i];
		if (argument->kind == CONDUIT_INPUT) {
			buf_add_format(&line, " {input %u}", argument->file);
		} else {
			buf_add_format(&line,
					argument->kind == CONDUIT_WORD	   ? " %s"
					: argument->kind == CONDUIT_RESULT ? " {result %s}"
									   : " {scratch %s}",
					argument->text);
		}
		if (argument->kind == CONDUIT_INPUT && argument->file >= job->script->n_files) {
			job_broke(job, "a program names a file that isn't there");
		}
	}
	if (program->standard_input != NULL && *program->standard_input >= job->script->n_files) {
		job_broke(job, "a program names a file that isn't there");
	}
	replay->requests = grow(replay->requests, replay->n_requests, sizeof(*replay->requests));
	replay->requests[replay->n_requests++] = (struct replay_request){
			.method = copy("RUN"),
			.url = checked(buf_take(&line)),
			.headers = copy(""),
			.body = copy(""),
			.sink = program->standard_output,
	};
}

const char *conduit_base_url(const struct conduit_job *job) {
	return job->script->base_url != NULL ? job->script->base_url : "";
}

/* ---- emitting ---- */

static void keep_limits(struct replay_model *to, const struct conduit_model *model) {
	cleanup_buf struct buf text = {0};
	for (size_t i = 0; i < model->n_limits; i++) {
		const struct conduit_limit *limit = &model->limits[i];
		const struct limit said = {limit->name, limit->least, limit->most, limit->choices,
				limit->standard, limit->help};
		limits_add(&text, &said);
	}
	if (text.failed || !limits_read(buf_string(&text), &to->limits)) {
		abort();
	}
}

void conduit_model(struct conduit_job *job, const struct conduit_model *told) {
	struct replay *replay = job->replay;
	/* As the provider's header has it. */
	struct conduit_model known = {0}, *model = &known;
	memcpy(&known, told, job->model_size < sizeof(known) ? job->model_size : sizeof(known));
	if (job_over(job)) {
		return;
	}
	if (!job->is_discovery) {
		job_broke(job, "a turn emitted a model");
	}
	replay->models = grow(replay->models, replay->n_models, sizeof(*replay->models));
	struct replay_model *to = &replay->models[replay->n_models++];
	*to = (struct replay_model){
			.id = copy_bytes(model->id, model->id_size),
			.id_size = model->id_size,
			.name = copy(model->name),
			.description = copy(model->description),
			.created = model->created,
			.context_length = model->context_length,
			.max_output = model->max_output,
			.input_modalities = copy(model->input_modalities),
			.output_modalities = copy(model->output_modalities),
			.parameters = copy(model->parameters),
			.prices = checked(calloc(model->n_prices + 1, sizeof(*to->prices))),
			.n_prices = model->n_prices,
			.raw = copy_bytes(model->raw, model->raw_size),
			.raw_size = model->raw_size,
	};
	for (size_t i = 0; i < model->n_prices; i++) {
		to->prices[i].name = copy(model->prices[i].name);
		to->prices[i].usd = model->prices[i].usd;
	}
	keep_limits(to, model);
}

static void emit(struct conduit_job *job, struct buf *to, const void *bytes, size_t size) {
	if (job_over(job)) {
		return;
	}
	if (job->is_discovery) {
		job_broke(job, "a discovery emitted output");
	}
	to->limit = SIZE_MAX / 4;
	if (!buf_add(to, bytes, size)) {
		abort();
	}
}

void conduit_output(struct conduit_job *job, const void *bytes, size_t size) {
	struct replay *replay = job->replay;
	size_t n = replay->under_way;
	emit(job, n == 0 ? &replay->output : &replay->results[n].bytes, bytes, size);
}

static void add_result(struct replay *replay, const char *type, const char *name) {
	replay->results = grow(replay->results, replay->n_results, sizeof(*replay->results));
	replay->results[replay->n_results++] = (struct replay_result){
			.type = copy(type), .name = copy(name)};
	replay->under_way = replay->n_results - 1;
}

void conduit_result(struct conduit_job *job, const char *type, const char *name) {
	struct replay *replay = job->replay;
	if (job_over(job)) {
		return;
	}
	if (job->is_discovery) {
		job_broke(job, "a discovery emitted a result");
	}
	bool came = replay->output.size != 0 || replay->reserved;
	if (!came && replay->n_results == 1) {
		/* Said again before anything came. */
		free(replay->results[0].type);
		free(replay->results[0].name);
		replay->n_results = 0;
	} else if (came && replay->n_results == 0) {
		add_result(replay, NULL, NULL);
	}
	add_result(replay, type, name);
}

void conduit_result_end(struct conduit_job *job) {
	if (job_over(job)) {
		return;
	}
	if (job->is_discovery) {
		job_broke(job, "a discovery emitted a result");
	}
	job->replay->reserved = job->replay->reserved || job->replay->under_way == 0;
	job->replay->under_way = 0;
}

void conduit_reasoning(struct conduit_job *job, const void *bytes, size_t size) {
	emit(job, &job->replay->reasoning, bytes, size);
}

void conduit_usage(struct conduit_job *job, const struct conduit_usage *usage) {
	if (!job_over(job)) {
		job->replay->has_usage = true;
		job->replay->usage = *usage;
	}
}

void conduit_progress(struct conduit_job *job, double share, const char *words) {
	if (!job_over(job)) {
		buf_add_format(&job->replay->progress, "%.3g %s\n", share,
				words != NULL ? words : "");
	}
}

void conduit_on_cancel(struct conduit_job *job, const struct conduit_request *request) {
	struct buf *out = &job->replay->on_cancel;
	if (job_over(job)) {
		return;
	}
	if (request == NULL) {
		buf_add_string(out, "-\n");
		return;
	}
	for (size_t i = 0; i < request->n_body; i++) {
		if (request->body[i].kind != CONDUIT_LITERAL) {
			job_broke(job, "the body of a request that cancels isn't literal");
		}
	}
	buf_add_format(out, "%s %s\n", request->method, request->url);
}

void conduit_resumable(struct conduit_job *job, const char *token) {
	if (!job_over(job)) {
		buf_add_format(&job->replay->resumable, "%s\n", token != NULL ? token : "-");
	}
}

/* As the daemon does: what was kept free for the output and stayed empty takes the first that came
 * beside it. */
static void promote(struct replay *replay) {
	if (!replay->reserved || replay->output.size != 0 || replay->n_results < 2) {
		return;
	}
	struct replay_result *results = replay->results;
	buf_finish(&replay->output);
	replay->output = results[1].bytes;
	free(results[0].type);
	free(results[0].name);
	results[0] = results[1];
	results[0].bytes = (struct buf){0};
	replay->n_results--;
	memmove(&results[1], &results[2], (replay->n_results - 1) * sizeof(results[0]));
}

void conduit_fail(struct conduit_job *job, const struct conduit_failure *failure) {
	struct replay *replay = job->replay;
	if (!job_over(job)) {
		promote(replay);
		replay->failed = true;
		replay->kind = failure->kind;
		replay->status = failure->status;
		replay->retry = failure->retry;
		replay->words = copy(failure->words);
	}
}

void conduit_finish(struct conduit_job *job, const char *finish, const char *model) {
	if (!job_over(job)) {
		promote(job->replay);
		job->replay->finished = true;
		job->replay->finish = copy(finish);
		job->replay->model = copy(model);
	}
}

void conduit_log(struct conduit_job *job, const char *format, ...) {
	va_list args;
	va_start(args, format);
	buf_add_vformat(&job->replay->log, format, args);
	va_end(args);
	buf_add_byte(&job->replay->log, '\n');
}

void *conduit_state(const struct conduit_job *job) {
	return job->state;
}

void conduit_set_state(struct conduit_job *job, void *state) {
	job->state = state;
}
