/* See support.h. */
#include "tests/unit/process/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_log(void *data, const char *line) {
	struct fixture *fixture = data;
	buf_add_format(&fixture->log, "%s\n", line);
}

void fixture_init_options(
		struct fixture *fixture, const char *object, const struct process_options *given) {
	char path[512];
	if (object[0] == '/') {
		snprintf(path, sizeof(path), "%s", object);
	} else {
		snprintf(path, sizeof(path), "%s/%s.so", OBJECTS, object);
	}
	*fixture = (struct fixture){0};
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	struct process_options options = *given;
	options.name = "acme";
	options.runner = RUNNER;
	options.object = path;
	options.base_url = "https://base.example/v1";
	options.log = on_log;
	options.data = fixture;
	fixture->process = process_create(&fixture->loop, &options);
	assert_non_null(fixture->process);
}

void fixture_init_with(struct fixture *fixture, const char *object, double idle, double ack) {
	struct process_options options = {.idle_seconds = idle, .ack_seconds = ack};
	fixture_init_options(fixture, object, &options);
}

void fixture_init(struct fixture *fixture, const char *object) {
	fixture_init_with(fixture, object, 0, 0);
}

/* uv_run may wait for the next event after it ran the one that was waited for: this is the next. */
static void on_tick(uv_timer_t *timer) {
	(void)timer;
}

/* What is waited for, and whether it came. */
struct wait {
	bool (*came)(const struct fixture *fixture, const struct wait *wait);
	const void *what;
	unsigned reached;
};

static void run(struct fixture *fixture, const struct wait *wait) {
	uint64_t begun = uv_hrtime();
	uv_timer_t timer;
	uv_timer_init(&fixture->loop, &timer);
	uv_timer_start(&timer, on_tick, 20, 20);
	while (!wait->came(fixture, wait)) {
		uv_run(&fixture->loop, UV_RUN_ONCE);
		if (uv_hrtime() - begun > 10000000000ULL) {
			fail_msg("nothing happened for 10 s; the log says:\n%s",
					buf_string(&fixture->log));
		}
	}
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
}

static bool is_done(const struct fixture *fixture, const struct wait *wait) {
	(void)fixture;
	return *(const bool *)wait->what;
}

static bool is_reached(const struct fixture *fixture, const struct wait *wait) {
	(void)fixture;
	return *(const unsigned *)wait->what >= wait->reached;
}

static bool is_logged(const struct fixture *fixture, const struct wait *wait) {
	return strstr(buf_string(&fixture->log), wait->what) != NULL;
}

static bool is_ended(const struct fixture *fixture, const struct wait *wait) {
	(void)wait;
	return fixture->process == NULL || process_pid(fixture->process) == 0;
}

void run_until(struct fixture *fixture, const bool *done) {
	run(fixture, &(struct wait){.came = is_done, .what = done});
}

void run_until_count(struct fixture *fixture, const unsigned *count, unsigned reached) {
	run(fixture, &(struct wait){.came = is_reached, .what = count, .reached = reached});
}

void run_until_logged(struct fixture *fixture, const char *text) {
	run(fixture, &(struct wait){.came = is_logged, .what = text});
}

void run_until_ended(struct fixture *fixture) {
	run(fixture, &(struct wait){.came = is_ended});
}

void fixture_finish(struct fixture *fixture) {
	process_destroy(fixture->process);
	/* Ends as soon as every handle is closed, which the end of the child must bring about. */
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	buf_finish(&fixture->log);
}

/* ---- the owner of a job ---- */

static void on_request(void *data, struct job_request *request) {
	struct owner *owner = data;
	owner->n_requests++;
	owner->method = strdup(request->method);
	owner->url = strdup(request->url);
	owner->header = request->headers[0] != NULL ? strdup(request->headers[0]) : NULL;
	owner->body = *request->body;
	*request->body = (struct body){0};
	owner->delay_ms = request->delay_ms;
	owner->submits = request->submits;
}

static void on_read(void *data, uint32_t file) {
	struct owner *owner = data;
	owner->n_reads++;
	assert_int_equal(file, 0);
	if (owner->answers) {
		assert_true(job_data(owner->job, owner->answer, strlen(owner->answer)));
		job_body_end(owner->job);
	}
}

static void on_resume(void *data) {
	((struct owner *)data)->n_resumes++;
}

static void on_model(void *data, const struct job_model *model) {
	struct owner *owner = data;
	owner->n_models++;
	buf_add_format(&owner->models, "%.*s|%s|%s|%s\n", (int)model->id_size, model->id,
			model->name, model->description, model->input_modalities);
	if (model->n_prices > 0) {
		owner->n_prices = model->n_prices;
		memcpy(owner->prices, model->prices, model->n_prices * sizeof(*model->prices));
		owner->raw_size = model->raw_size;
	}
	buf_add_string(&owner->limits, model->limits);
}

static void on_output(void *data, const void *bytes, size_t size) {
	struct owner *owner = data;
	owner->n_outputs++;
	buf_add(&owner->output, bytes, size);
}

static void on_reasoning(void *data, const void *bytes, size_t size) {
	buf_add(&((struct owner *)data)->reasoning, bytes, size);
}

static void on_result(void *data, const char *type, const char *name) {
	buf_add_format(&((struct owner *)data)->output, "[%s|%s]", type, name);
}

static void on_usage(void *data, const struct job_usage *usage) {
	((struct owner *)data)->usage = *usage;
}

static void on_end(void *data, const struct job_result *result) {
	struct owner *owner = data;
	owner->n_ends++;
	owner->ended = true;
	owner->job = NULL;
	owner->code = result->code;
	owner->words = strdup(result->words);
	owner->finish = strdup(result->finish);
	owner->model = strdup(result->model);
	owner->status = result->status;
	owner->never_retry = result->never_retry;
	owner->crashed = result->crashed;
}

/* "ffmpeg w:-i i:3 r:x.png s:y", and `<7` for what it reads. */
static void on_run(void *data, const struct job_run *run) {
	static const char kinds[] = "wirs";
	struct owner *owner = data;
	buf_add_string(&owner->runs, run->program);
	for (size_t i = 0; i < run->n_arguments; i++) {
		const struct job_argument *argument = &run->arguments[i];
		buf_add_format(&owner->runs, " %c:%s", kinds[argument->kind], argument->text);
		if (argument->kind == JOB_INPUT) {
			buf_add_format(&owner->runs, "%u", argument->file);
		}
	}
	if (run->standard_input != NULL) {
		buf_add_format(&owner->runs, " <%u", *run->standard_input);
	}
	job_data(owner->job, "said", 4);
	job_reply(owner->job, 3, "text/plain",
			(const char *const[]){"words: no such thing", "results: 0", NULL});
	job_body_end(owner->job);
}

const struct job_events owner_events = {.request = on_request,
		.read = on_read,
		.run = on_run,
		.resume = on_resume,
		.model = on_model,
		.output = on_output,
		.reasoning = on_reasoning,
		.result = on_result,
		.usage = on_usage,
		.end = on_end};

void owner_init(struct owner *owner, struct fixture *fixture) {
	*owner = (struct owner){.fixture = fixture, .answers = true, .answer = "hello"};
}

void owner_finish(struct owner *owner) {
	free(owner->words);
	free(owner->finish);
	free(owner->model);
	free(owner->method);
	free(owner->url);
	free(owner->header);
	body_finish(&owner->body);
	buf_finish(&owner->output);
	buf_finish(&owner->runs);
	buf_finish(&owner->reasoning);
	buf_finish(&owner->models);
	buf_finish(&owner->limits);
}

void owner_transform(struct owner *owner, const char *model) {
	struct job_part part = {.file = 0, .type = "text/plain", .name = "", .bytes = 5};
	struct job_message message = {.role = JOB_USER, .parts = &part, .n_parts = 1};
	struct job_turn said = {.model = model,
			.capability = "text-to-text",
			.messages = &message,
			.n_messages = 1};
	owner->job = job_transform(owner->fixture->process, &said, &owner_events, owner);
	assert_non_null(owner->job);
}

void owner_discover(struct owner *owner) {
	owner->job = job_discover(owner->fixture->process, &owner_events, owner);
	assert_non_null(owner->job);
}

void owner_run(struct owner *owner, struct fixture *fixture, const char *model) {
	owner_init(owner, fixture);
	owner_transform(owner, model);
	run_until(fixture, &owner->ended);
}
