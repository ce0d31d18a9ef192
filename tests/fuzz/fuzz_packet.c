/* Fuzzes what the daemon does with a packet from a provider's process: the first byte says whether
 * the provider is ready yet, the rest are packets, each after its size in two bytes. Events check
 * what the contract promises of them. */
#include "core/base/text.h"
#include "core/process/internal.h"

#include <math.h>
#include <string.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_plain(const char *text) {
	CHECK(text != NULL && utf8_valid(text, strlen(text)));
	for (const char *at = text; *at != '\0'; at++) {
		CHECK((unsigned char)*at >= ' ' || *at == '\n' || *at == '\t');
	}
}

static void on_request(void *data, struct job_request *request) {
	(void)data;
	CHECK(strncasecmp(request->url, "http", 4) == 0 && strlen(request->url) <= WIRE_URL_MOST);
	CHECK(request->body->n_parts <= WIRE_BODY_PARTS_MOST);
	size_t literal = 0;
	for (size_t i = 0; i < request->body->n_parts; i++) {
		literal += request->body->parts[i].size;
		CHECK(request->body->parts[i].path == NULL);
	}
	CHECK(literal <= WIRE_BODY_BYTES_MOST);
	for (const char *const *header = request->headers; *header != NULL; header++) {
		CHECK(strpbrk(*header, "\r\n") == NULL);
	}
}

static void on_read(void *data, uint32_t file) {
	(void)data;
	(void)file;
}

static void on_model(void *data, const struct job_model *model) {
	(void)data;
	CHECK(model->id_size >= 1 && model->id_size <= WIRE_ID_MOST);
	CHECK(memchr(model->id, '\0', model->id_size) == NULL);
	check_plain(model->name);
	check_plain(model->description);
	check_plain(model->input_modalities);
	check_plain(model->output_modalities);
	check_plain(model->parameters);
	CHECK(model->n_prices <= JOB_PRICES_MOST && model->raw_size <= WIRE_RAW_MOST);
	for (size_t i = 0; i < model->n_prices; i++) {
		CHECK(isfinite(model->prices[i].usd) && model->prices[i].usd >= -1);
		check_plain(model->prices[i].name);
	}
}

static void on_bytes(void *data, const void *bytes, size_t size) {
	(void)data;
	CHECK(bytes != NULL && size > 0 && size <= WIRE_CHUNK_MOST);
}

static void on_run(void *data, const struct job_run *run) {
	(void)data;
	CHECK(run->n_arguments <= WIRE_ARGUMENTS_MOST);
	for (size_t i = 0; i < run->n_arguments; i++) {
		const struct job_argument *argument = &run->arguments[i];
		bool file = argument->kind == JOB_RESULT || argument->kind == JOB_SCRATCH;
		CHECK(!file || (strchr(argument->text, '/') == NULL && argument->text[0] != '-' &&
					       argument->text[0] != '.'));
	}
}

static void on_usage(void *data, const struct job_usage *usage) {
	(void)data;
	CHECK(usage->prompt_tokens >= -1 && usage->cached_tokens >= -1);
	CHECK(isnan(usage->cost) || (usage->cost >= 0 && isfinite(usage->cost)));
}

static void on_end(void *data, const struct job_result *result) {
	(void)data;
	check_plain(result->words);
	check_plain(result->finish);
	check_plain(result->model);
}

static void on_log(void *data, const char *line) {
	(void)data;
	check_plain(line);
}

static void on_result(void *data, const char *type, const char *name) {
	(void)data;
	check_plain(type);
	check_plain(name);
}

static const struct job_events events = {.request = on_request,
		.read = on_read,
		.run = on_run,
		.model = on_model,
		.output = on_bytes,
		.reasoning = on_bytes,
		.result = on_result,
		.usage = on_usage,
		.end = on_end};

/* Jobs that the provider is working on, as far as the receiving side can tell. */
static void add_jobs(struct process *process, struct child *child) {
	struct job_turn turn = {.model = "m", .capability = "text-to-text"};
	for (int i = 0; i < 2; i++) {
		struct job *job = i == 0 ? job_discover(process, &events, NULL)
					 : job_transform(process, &turn, &events, NULL);
		CHECK(job != NULL);
		job->started = true;
		job->unacknowledged = 100000;
	}
	child->unacknowledged = 4;
}

static void feed(struct process *process, const uint8_t *bytes, size_t size) {
	while (size >= 2) {
		size_t packet = (size_t)bytes[0] | (size_t)bytes[1] << 8;
		packet = packet < size - 2 ? packet : size - 2;
		struct fail fail cleanup_fail = {0};
		if (!process_packet(process, bytes + 2, packet, &fail)) {
			CHECK(fail.code != 0);
			return;
		}
		bytes += 2 + packet;
		size -= 2 + packet;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	uv_loop_t loop;
	/* Marked as killed, so that nothing is said to a socket that isn't there. */
	static struct child child;
	if (size == 0) {
		return 0;
	}
	CHECK(uv_loop_init(&loop) == 0);
	struct process_options options = {.name = "fuzzed", .log = on_log};
	struct process *process = process_create(&loop, &options);
	CHECK(process != NULL);
	child = (struct child){.process = process, .killed = true, .ready = bytes[0] & 1};
	uv_timer_init(&loop, &child.watch);
	process->child = &child;
	add_jobs(process, &child);
	feed(process, bytes + 1, size - 1);
	process->child = NULL;
	free(child.reason);
	uv_close((uv_handle_t *)&child.watch, NULL);
	process_destroy(process);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&loop) == 0);
	return 0;
}
