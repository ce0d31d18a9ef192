/* fetch.h against programs that aren't what conduitfs-fetch is: they say nonsense, end early, never
 * end. And what the real one is given of the environment. */
#include "tests/unit/fetch/support.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

struct watch {
	struct fetch *fetch;
	unsigned progress, ends;
	bool cancel;
	int code;
	char words[1024];
};

static void note_progress(void *data, const struct fetch_progress *progress) {
	struct watch *watch = data;
	assert_non_null(progress->words);
	watch->progress++;
	if (watch->cancel) {
		fetch_cancel(watch->fetch);
	}
}

static void note_end(void *data, struct fetch_result *result) {
	struct watch *watch = data;
	watch->ends++;
	watch->code = result->code;
	snprintf(watch->words, sizeof(watch->words), "%s", result->words);
	assert_non_null(result->files);
	assert_non_null(result->messages);
}

/* Runs a shell script in the place of conduitfs-fetch; it has read its task. */
static void run_program(struct watch *watch, const char *script, double total_seconds) {
	struct source source cleanup_source = {0};
	struct fail fail cleanup_fail = {0};
	char program[256], text[4096];
	uv_loop_t loop;
	snprintf(program, sizeof(program), "%s/program", scratch_directory());
	snprintf(text, sizeof(text), "#!/bin/sh\nread task\n%s\n", script);
	write_file("program", text);
	assert_int_equal(chmod(program, 0755), 0);
	assert_true(source_parse(&source, "https://host/acme", NULL));
	struct fetch_options given = *options();
	given.program = program;
	given.total_seconds = total_seconds;
	const struct fetch_request request = {.source = &source};
	const struct fetch_events events = {.progress = note_progress, .end = note_end};
	uv_loop_init(&loop);
	watch->fetch = fetch_begin(&loop, &given, &request, &events, watch, &fail);
	assert_non_null(watch->fetch);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_program_that_fails_is_told_in_words(void **state) {
	(void)state;
	static const struct {
		const char *script, *words;
		int code;
	} programs[] = {
			{"exit 0", "without a result", EIO},
			{"exit 3", "ended with status 3", EIO},
			{"kill -SEGV $$", "ended by SIGSEGV", EIO},
			{"echo nonsense; echo '{}'; echo '[1'; echo '{\"event\":\"odd\"}'",
					"without a result", EIO},
			{"head -c 3000000 /dev/zero; sleep 60", "what makes no sense", EPROTO},
			{"while :; do sleep 60; done", "took too long", ETIMEDOUT},
			{"exec >&-; sleep 60", "took too long", ETIMEDOUT},
			{"echo '{\"event\":\"end\",\"code\":2,\"words\":\"none\"}'", "none",
					ENOENT},
			{"echo '{\"event\":\"end\",\"code\":2,\"words\":\"first\"}'\n"
			 "echo '{\"event\":\"end\",\"code\":5,\"words\":\"second\"}'; kill -KILL "
			 "$$",
					"first", ENOENT},
	};
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct watch watch = {0};
		run_program(&watch, programs[i].script, 0.1);
		assert_int_equal(watch.ends, 1);
		assert_has(watch.words, programs[i].words);
		assert_int_equal(watch.code, programs[i].code);
	}
}

static void progress_that_makes_no_sense_is_bounded(void **state) {
	(void)state;
	struct watch watch = {0};
	run_program(&watch,
			"echo '{\"event\":\"progress\",\"stage\":99,\"objects\":-1,"
			"\"bytes\":1e300}'\n"
			"echo '{\"event\":\"progress\",\"words\":7}'\n"
			"echo '{\"event\":\"end\",\"code\":0}'",
			10);
	assert_int_equal(watch.progress, 2);
	assert_int_equal(watch.ends, 1);
	assert_int_equal(watch.code, 0);
}

static void a_cancelled_fetch_says_no_more_and_leaves_no_process(void **state) {
	(void)state;
	struct watch watch = {.cancel = true};
	char script[512];
	snprintf(script, sizeof(script),
			"sleep 60 & echo $! > %s/child\n"
			"echo '{\"event\":\"progress\",\"stage\":1,\"words\":\"\"}'\n"
			"echo '{\"event\":\"progress\",\"stage\":1,\"words\":\"\"}'\n"
			"wait",
			scratch_directory());
	run_program(&watch, script, 60);
	assert_int_equal(watch.progress, 1);
	assert_int_equal(watch.ends, 0);
	shell("for i in $(seq 100); do grep -qs '^State:.[^Z]' /proc/$(cat child)/status || exit 0;"
	      " sleep 0.02; done; exit 1");
}

static void no_key_reaches_the_program(void **state) {
	(void)state;
	struct watch watch = {0};
	setenv("OPENAI_API_KEY", "sesame", 1);
	setenv("LD_PRELOAD_OF_NOBODY", "sesame", 1);
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("HTTPS_PROXY", "http://proxy.example:3128", 1);
	char script[512];
	snprintf(script, sizeof(script),
			"env > %s/environment; tr '\\0' ' ' < /proc/$$/cmdline "
			"> %s/arguments",
			scratch_directory(), scratch_directory());
	run_program(&watch, script, 10);
	unsetenv("OPENAI_API_KEY");
	unsetenv("GIT_CONFIG_COUNT");
	unsetenv("HTTPS_PROXY");
	shell("! grep -E 'sesame|GIT_CONFIG' environment && grep -q '^HOME=' environment && "
	      "grep -q '^PATH=' environment && grep -q '^HTTPS_PROXY=' environment");
	shell("! grep -q acme arguments");
}

static void what_cannot_be_started_is_told_at_once(void **state) {
	(void)state;
	struct source source cleanup_source = {0}, bundled cleanup_source = {0};
	struct fail fail cleanup_fail = {0};
	struct watch watch = {0};
	uv_loop_t loop;
	uv_loop_init(&loop);
	assert_true(source_parse(&source, "https://host/acme", NULL));
	assert_true(source_parse(&bundled, "cowsay", NULL));
	struct fetch_options given = *options();
	given.program = "/nowhere/conduitfs-fetch";
	const struct fetch_events events = {.progress = note_progress, .end = note_end};
	struct fetch_request request = {.source = &source};
	assert_null(fetch_begin(&loop, &given, &request, &events, &watch, &fail));
	assert_int_equal(fail.code, ENOENT);
	assert_has(fail_words(&fail), "/nowhere/conduitfs-fetch");
	request.source = &bundled;
	assert_null(fetch_begin(&loop, &given, &request, &events, &watch, &fail));
	assert_int_equal(fail.code, EINVAL);
	fetch_cancel(NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(watch.ends, 0);
}

static void the_program_refuses_what_is_no_task(void **state) {
	(void)state;
	static const char *const tasks[] = {"", "nonsense", "{}", "[]", "{\"source\":7}",
			"{\"source\":\"https://h/x\"}",
			"{\"source\":\"https://h/x\",\"cache\":\"relative\",\"include\":\"/i\"}",
			"{\"source\":\"cowsay\",\"cache\":\"/tmp\",\"include\":\"/i\"}",
			"{\"source\":\"https://h/x\",\"cache\":\"/tmp\",\"include\":\"/i\","
			"\"commit\":\"../x\"}"};
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		write_file("task", tasks[i]);
		const char *said = shell_output(
				"(cat task; echo) | %s || true", options()->program);
		assert_has(said, "\"event\":\"end\",\"code\":22");
	}
	shell("! %s < /dev/null 2> words && grep -q 'started by conduitfs' words",
			options()->program);
	shell("! : | %s 2> words && grep -q 'no task came' words", options()->program);
	shell("! head -c 100000 /dev/zero | %s 2> words && grep -q 'no task came' words",
			options()->program);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_fetch(a_program_that_fails_is_told_in_words),
			with_fetch(progress_that_makes_no_sense_is_bounded),
			with_fetch(a_cancelled_fetch_says_no_more_and_leaves_no_process),
			with_fetch(no_key_reaches_the_program),
			with_fetch(what_cannot_be_started_is_told_at_once),
			with_fetch(the_program_refuses_what_is_no_task),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
