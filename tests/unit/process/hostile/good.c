/* A provider that behaves, for the tests: what it does is the model's id. */
#include <conduit/provider.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void discover(struct conduit_job *job) {
	struct conduit_price prices[] = {{"prompt", 0.000001}, {"completion", -1}};
	static const struct conduit_limit limits[] = {
			{"voice", 0, 0, "alloy\nn\xc3\xb6va\x01", "alloy", NULL},
			{"steps", 1, NAN, NULL, NULL, "How\nmany."}};
	static struct conduit_limit many[100];
	for (size_t i = 0; i < 100; i++) {
		many[i] = (struct conduit_limit){.name = "seed", .most = 9};
	}
	char *raw = malloc(200000);
	memset(raw, 'r', 200000);
	conduit_model(job, &(struct conduit_model){.id = "vendor/large",
					   .id_size = 12,
					   .name = "Large\x01 \xff",
					   .description = "two\nlines",
					   .created = 1700000000,
					   .context_length = 8192,
					   .input_modalities = "text,image",
					   .output_modalities = "text",
					   .prices = prices,
					   .n_prices = 2,
					   .raw = raw,
					   .raw_size = 200000,
					   .limits = limits,
					   .n_limits = 2});
	conduit_model(job, &(struct conduit_model){.id = "", .id_size = 0});
	conduit_model(job, &(struct conduit_model){.id = "small",
					   .id_size = 5,
					   .limits = many,
					   .n_limits = 100});
	free(raw);
	conduit_finish(job, NULL, NULL);
}

/* Numbers, dates, sorting, much small memory: what any provider may call without being killed. */
static int compare(const void *a, const void *b) {
	return *(const int *)a - *(const int *)b;
}

static void use_libc(struct conduit_job *job) {
	int *numbers = calloc(100000, sizeof(*numbers));
	for (int i = 0; i < 100000; i++) {
		numbers[i] = (i * 7919) % 100003;
	}
	qsort(numbers, 100000, sizeof(*numbers), compare);
	struct tm day = {.tm_year = 124, .tm_mon = 6, .tm_mday = 18};
	time_t seconds = timegm(&day);
	struct tm back;
	char text[128], date[64];
	localtime_r(&seconds, &back);
	strftime(date, sizeof(date), "%Y-%m-%d %Z", &back);
	snprintf(text, sizeof(text), "%s %.3f %s %d", date, cbrt(strtod("3.375", NULL)),
			strerror(2), numbers[0] < numbers[99999]);
	for (int i = 0; i < 2000; i++) {
		void *memory = malloc((size_t)i * 200);
		memset(memory, 1, (size_t)i * 200);
		free(memory);
	}
	free(numbers);
	printf("%s\n", text);
	fflush(stdout);
	conduit_output(job, text, strlen(text));
	conduit_finish(job, "stop", NULL);
}

static void describe(struct conduit_job *job, const struct conduit_turn *turn) {
	char line[512];
	int size = snprintf(line, sizeof(line), "%s %s %zu messages %zu settings url %s\n",
			turn->model, turn->capability, turn->n_messages, turn->n_settings,
			conduit_base_url(job));
	conduit_output(job, line, (size_t)size);
	size_t n_parts = 0;
	for (size_t i = 0; i < turn->n_messages; i++) {
		for (size_t p = 0; p < turn->messages[i].n_parts; p++) {
			n_parts += turn->messages[i].parts[p].file == n_parts;
		}
	}
	const char *temperature = conduit_setting(turn, "temperature");
	size = snprintf(line, sizeof(line), "%zu parts in order, temperature %s, last role %d",
			n_parts, temperature != NULL ? temperature : "none",
			(int)turn->messages[turn->n_messages - 1].role);
	conduit_output(job, line, (size_t)size);
	conduit_finish(job, "stop", "another-model");
}

static void ask(struct conduit_job *job, const struct conduit_turn *turn) {
	static char literal[150000];
	memset(literal, 'x', sizeof(literal));
	struct conduit_body_part body[] = {
			{.kind = CONDUIT_LITERAL, .bytes = literal, .size = sizeof(literal)},
			{.kind = CONDUIT_FILE_JSON, .file = turn->messages[0].parts[0].file},
			{.kind = CONDUIT_LITERAL, .bytes = "}", .size = 1}};
	const char *headers[] = {"Content-Type: application/json", NULL};
	conduit_request(job, &(struct conduit_request){.method = "POST",
					     .url = "https://service.example/v1/chat",
					     .headers = headers,
					     .body = body,
					     .n_body = 3,
					     .submits = true,
					     .delay_ms = 20});
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_set_state(job, strdup(turn->model));
	if (strcmp(turn->model, "echo") == 0) {
		conduit_read(job, turn->messages[0].parts[0].file);
	} else if (strcmp(turn->model, "run") == 0 || strcmp(turn->model, "run-outside") == 0) {
		bool outside = strcmp(turn->model, "run") != 0;
		uint32_t file = turn->messages[0].parts[0].file;
		struct conduit_argument arguments[] = {{CONDUIT_WORD, .text = "-i"},
				{CONDUIT_INPUT, .file = file}, {CONDUIT_SCRATCH, .text = "x.wav"},
				{CONDUIT_RESULT, .text = outside ? "../prompt" : "%06d.png"}};
		conduit_run(job, &(struct conduit_program){.name = "acme",
						 .arguments = arguments,
						 .n_arguments = 4,
						 .standard_input = &file});
	} else if (strcmp(turn->model, "ask") == 0) {
		ask(job, turn);
	} else if (strcmp(turn->model, "libc") == 0) {
		use_libc(job);
	} else if (strcmp(turn->model, "describe") == 0) {
		describe(job, turn);
	} else if (strcmp(turn->model, "quota") == 0) {
		conduit_output(job, "some", 4);
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_QUOTA,
						  .status = 429,
						  .retry = CONDUIT_RETRY_NEVER,
						  .words = "limit\nreached \xff"});
	} else if (strcmp(turn->model, "bad-url") == 0) {
		conduit_request(job, &(struct conduit_request){.method = "GET",
						     .url = "https://a.example/ HTTP/1.1\r\nX: y"});
	} else if (strcmp(turn->model, "bad-header") == 0) {
		const char *headers[] = {"X-A: b\r\nAuthorization: c", NULL};
		conduit_request(job, &(struct conduit_request){.method = "GET",
						     .url = "https://a.example/",
						     .headers = headers});
	} else if (strcmp(turn->model, "log") == 0) {
		conduit_log(job, "a line about %d", 42);
		fputs("a line on stderr\n", stderr);
		conduit_finish(job, "stop", NULL);
	}
}

static void reply(struct conduit_job *job, const struct conduit_reply *reply) {
	char line[256];
	const char *kind = conduit_header(reply, "x-kind");
	kind = kind != NULL ? kind : conduit_header(reply, "words");
	int size = snprintf(line, sizeof(line), "%d %s %s\n", reply->status, reply->content_type,
			kind != NULL ? kind : "none");
	conduit_reasoning(job, line, (size_t)size);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	conduit_output(job, bytes, size);
}

static void end(struct conduit_job *job) {
	conduit_usage(job, &(struct conduit_usage){10, 20, -1, -5, 0.25});
	conduit_finish(job, "stop", NULL);
}

static void release(struct conduit_job *job) {
	free(conduit_state(job));
}

CONDUIT_PROVIDER(.name = "good", .version = "1.2.3", .discover = discover, .transform = transform,
		.reply = reply, .data = data, .end = end, .release = release)
