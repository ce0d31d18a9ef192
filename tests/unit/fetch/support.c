/* Helpers of the fetch tests: see support.h. */
#include "tests/unit/fetch/support.h"

#include "core/base/buf.h"
#include "tests/unit/config/scratch.h"

int fetch_setup(void **state) {
	return scratch_setup(state);
}

int fetch_teardown(void **state) {
	return scratch_teardown(state);
}

const char *scratch_directory(void) {
	return scratch;
}

void write_file(const char *name, const char *text) {
	scratch_write(name, text);
}

void assert_has(const char *text, const char *part) {
	assert_contains(text, part);
}

static void run(struct buf *output, const char *format, va_list args) {
	struct buf command cleanup_buf = {0};
	buf_add_format(&command,
			"cd %s && export HOME=%s GIT_CONFIG_NOSYSTEM=1 "
			"GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
			"GIT_COMMITTER_EMAIL=a@b && { ",
			scratch, scratch);
	buf_add_vformat(&command, format, args);
	buf_add_string(&command, "; }");
	FILE *pipe = popen(buf_string(&command), "re");
	assert_non_null(pipe);
	char bytes[512];
	for (size_t size; (size = fread(bytes, 1, sizeof(bytes), pipe)) > 0;) {
		buf_add(output, bytes, size);
	}
	int status = pclose(pipe);
	if (status != 0) {
		print_error("%s\nfailed: %d\n", buf_string(&command), status);
		fail();
	}
}

void shell(const char *format, ...) {
	struct buf output cleanup_buf = {0};
	va_list args;
	va_start(args, format);
	run(&output, format, args);
	va_end(args);
}

const char *shell_output(const char *format, ...) {
	static char text[4096];
	struct buf output cleanup_buf = {0};
	va_list args;
	va_start(args, format);
	run(&output, format, args);
	va_end(args);
	snprintf(text, sizeof(text), "%s", buf_string(&output));
	text[strcspn(text, "\n")] = '\0';
	return text;
}

void make_repository(const char *name, const char *manifest, const char *source) {
	char path[128];
	shell("git init -q -b main %s", name);
	snprintf(path, sizeof(path), "%s/MediaConduit.provider.yml", name);
	scratch_write(path, manifest);
	if (source != NULL) {
		snprintf(path, sizeof(path), "%s/provider.c", name);
		scratch_write(path, source);
	}
	shell("cd %s && git add -A && git commit -q -m one", name);
}

struct fetch_options *own_options(void) {
	static char cache[128];
	static struct fetch_options given = {.program = FETCHER, .include = INCLUDE};
	snprintf(cache, sizeof(cache), "%s/cache", scratch);
	given.cache = cache;
	return &given;
}

const struct fetch_options *options(void) {
	return own_options();
}

static void note_progress(void *data, const struct fetch_progress *progress) {
	struct fetched *fetched = data;
	assert_int_equal(fetched->ends, 0);
	fetched->progress++;
	fetched->last = progress->stage;
}

static char *copied(const char *text) {
	assert_non_null(text);
	char *copy = strdup(text);
	assert_non_null(copy);
	return copy;
}

static void note_end(void *data, struct fetch_result *result) {
	struct fetched *fetched = data;
	fetched->ends++;
	fetched->result = *result;
	fetched->result.words = copied(result->words);
	fetched->result.files = copied(result->files);
	fetched->result.object = copied(result->object);
	fetched->result.messages = copied(result->messages);
	result->hold = 0;
	snprintf(fetched->words, sizeof(fetched->words), "%s", result->words);
}

void fetch_run(struct fetched *ret, const char *text, const char *commit) {
	struct source source cleanup_source = {0};
	struct fail fail cleanup_fail = {0};
	uv_loop_t loop;
	char whole[SOURCE_MOST + 1];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(whole, sizeof(whole), text, scratch);
#pragma GCC diagnostic pop
	*ret = (struct fetched){0};
	assert_true(source_parse(&source, whole, &fail));
	assert_int_equal(uv_loop_init(&loop), 0);
	const struct fetch_request request = {.source = &source, .commit = commit};
	const struct fetch_events events = {.progress = note_progress, .end = note_end};
	assert_non_null(fetch_begin(&loop, options(), &request, &events, ret, &fail));
	assert_int_equal(ret->ends, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(ret->ends, 1);
}

void fetched_finish(struct fetched *fetched) {
	fetch_result_finish(&fetched->result);
}
