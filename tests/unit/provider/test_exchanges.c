/* The bundled providers' own recorded exchanges, cut at every byte. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"
#include "core/provider/replay/exchange.h"
#include "core/provider/replay/exchange_line.h"
#include "core/provider/replay/exchange_lines.h"

#include <glob.h>
#include <string.h>

/* The module that serves a provider: its own, or its driver's. Free it. */
static char *module_of(const char *manifest_path, const char *name) {
	char line[256];
	char *module = strdup(name);
	cleanup_fclose FILE *manifest = fopen(manifest_path, "re");
	assert_non_null(manifest);
	while (fgets(line, sizeof(line), manifest) != NULL) {
		if (starts_with(line, "driver: ")) {
			free(module);
			module = trimmed(line + strlen("driver: "),
					strlen(line) - strlen("driver: "));
		}
	}
	return module;
}

static size_t check_all(const char *directory, const char *name) {
	char path[4096];
	snprintf(path, sizeof(path), "%s/MediaConduit.provider.yml", directory);
	cleanup_free char *module = module_of(path, name);
	const struct conduit_provider *provider = load_provider(module);
	glob_t files;
	snprintf(path, sizeof(path), "%s/tests/*.exchange", directory);
	if (glob(path, 0, NULL, &files) != 0) {
		fail_msg("%s has no exchanges", name);
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		cleanup_fail struct fail fail = {0};
		if (!exchange_check(provider, files.gl_pathv[i], &fail)) {
			fail_msg("%s", fail_words(&fail));
		}
	}
	size_t n = files.gl_pathc;
	globfree(&files);
	return n;
}

static void each_bundled_provider_answers_as_recorded(void **state) {
	(void)state;
	glob_t directories;
	assert_int_equal(glob(SOURCE_ROOT "/providers/*", GLOB_ONLYDIR, NULL, &directories), 0);
	assert_in_range(directories.gl_pathc, 10, 1000);
	for (size_t i = 0; i < directories.gl_pathc; i++) {
		const char *name = strrchr(directories.gl_pathv[i], '/') + 1;
		print_message("%s: %zu\n", name, check_all(directories.gl_pathv[i], name));
	}
	globfree(&directories);
}

static void assert_refused(const char *content, const char *words) {
	char path[] = "/tmp/exchangeXXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
	cleanup_fail struct fail fail = {0};
	bool good = exchange_check(load_provider("cowsay"), path, &fail);
	unlink(path);
	assert_false(good);
	assert_non_null(strstr(fail_words(&fail), words));
}

static void an_exchange_that_says_otherwise_is_found_with_its_line(void **state) {
	(void)state;
	assert_refused("turn cow text-to-text\nprompt hi\nfinish length\n",
			":3: finish length: stop");
	assert_refused("turn cow text-to-text\nfail GONE\n", ":2: fail GONE: there is none");
	assert_refused("turn dragon text-to-text\n", "it failed: there is no such animal");
	assert_refused("discover\nmodels 99\n", ":2: models 99: it is 4");
	assert_refused("discover\nmodel dragon\n", "isn't among the models");
	assert_refused("discover\nprice dragon prompt 1\n", "isn't among the models");
	assert_refused("discover\nprice cow prompt 1\n", ":2: price cow prompt 1: it is ");
	assert_refused("discover\nprice cow\n", "takes a model");
	assert_refused("discover\nrequest GET x\n", "no such request");
	assert_refused("discover\ncolour red\n", "there is no such line");
	assert_refused("prompt hi\n", "neither \"turn\" nor \"discover\"");
	assert_refused("discover\nreply 200 text/plain ../x\n", "a file beside it");
	assert_refused("turn cow text-to-text\nattach image/png ../x\n", "takes a type and a file");
	assert_refused("turn cow text-to-text\nattach x.png\n", "takes a type and a file");
}

/* ---- a provider of the test's own: answers with what it was asked ---- */

static void echo_discover(struct conduit_job *job) {
	conduit_finish(job, NULL, NULL);
}

/* The conversation as JSON would have it, so that each message is seen. */
static void echo_transform(struct conduit_job *job, const struct conduit_turn *turn) {
	struct conduit_body_part parts[32];
	size_t n = 0;
	for (size_t i = 0; i < turn->n_messages; i++) {
		static const char *const roles[] = {"[system]", "[user]", "[assistant]"};
		const char *role = roles[turn->messages[i].role];
		parts[n++] = (struct conduit_body_part){
				.kind = CONDUIT_LITERAL, .bytes = role, .size = strlen(role)};
		parts[n++] = (struct conduit_body_part){
				.kind = CONDUIT_FILE, .file = turn->messages[i].parts[0].file};
	}
	conduit_request(job, &(struct conduit_request){.method = "POST",
					     .url = "https://x/y",
					     .body = parts,
					     .n_body = n});
}

static void echo_data(struct conduit_job *job, const void *bytes, size_t size) {
	conduit_output(job, bytes, size);
}

static void echo_end(struct conduit_job *job) {
	conduit_finish(job, "stop", NULL);
}

/* Takes every status for an answer. */
static const struct conduit_provider careless = {.abi = CONDUIT_ABI,
		.size = sizeof(careless),
		.name = "careless",
		.version = "1",
		.discover = echo_discover,
		.transform = echo_transform,
		.data = echo_data,
		.end = echo_end};

/* A folder with an exchange and the files it names. */
static char folder[] = "/tmp/exchangesXXXXXX";

static int make_folder(void **state) {
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static void put(const char *name, const char *content) {
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	cleanup_fclose FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
}

static int remove_folder(void **state) {
	(void)state;
	char path[256];
	static const char *const names[] = {"one.exchange", "reply", "question"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void replay(const char *content, struct exchange_report *ret) {
	cleanup_fail struct fail fail = {0};
	char path[256];
	put("one.exchange", content);
	snprintf(path, sizeof(path), "%s/one.exchange", folder);
	struct exchange *exchange = exchange_read(path, "https://base", &fail);
	if (exchange == NULL) {
		fail_msg("%s", fail_words(&fail));
	}
	*ret = (struct exchange_report){0};
	exchange_replay(exchange, &careless, false, ret);
	exchange_destroy(exchange);
}

static void a_conversation_comes_before_the_prompt(void **state) {
	(void)state;
	put("reply", "fine");
	put("question", "two\nlines\n");
	struct exchange_report report;
	replay("turn a text-to-text\nprompt_file question\nsystem Be brief.\nuser Hi\n"
	       "assistant Ho\nreply 200 text/plain reply\nrequest POST https://x/y\n"
	       "body [system]Be brief.[user]Hi[assistant]Ho[user]two\noutput_file reply\n",
			&report);
	assert_null(strstr(buf_string(&report.faults), ": body "));
	assert_null(strstr(buf_string(&report.faults), ": output_file "));
	assert_non_null(strstr(buf_string(&report.view), ">> models/a/input"));
	exchange_report_finish(&report);
}

static void all_that_is_wrong_is_listed(void **state) {
	(void)state;
	put("reply", "fine");
	struct exchange_report report;
	replay("turn a text-to-text\nreply 200 text/plain reply\nfinish length\noutput \"bad\\n\"\n"
	       "promt x\n",
			&report);
	const char *faults = buf_string(&report.faults);
	assert_non_null(strstr(faults, ":3: finish length: stop\n"));
	assert_non_null(strstr(faults, ":4: output \"bad\\n\": fine\n"));
	assert_non_null(strstr(faults, ":5: promt x: there is no such line; did you mean prompt?"));
	exchange_report_finish(&report);
}

static void a_status_of_the_manual_that_is_taken_for_an_answer_is_found(void **state) {
	(void)state;
	put("reply", "fine");
	struct exchange_report report;
	replay("turn a text-to-text\nreply 200 text/plain reply\noutput fine\n", &report);
	const char *faults = buf_string(&report.faults);
	assert_non_null(strstr(faults, "HTTP 429 with JSON is taken for an answer; it must fail "
				       "with EBUSY"));
	assert_non_null(strstr(faults, "HTTP 401 with no body is taken for an answer; it must fail "
				       "with EKEYREJECTED"));
	exchange_report_finish(&report);
}

static void what_a_user_would_see_is_shown(void **state) {
	(void)state;
	put("reply", "one\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\nthirteen\n");
	struct exchange_report report;
	replay("turn acme/one text-to-text\nprompt Hello\nreply 200 text/plain reply\n", &report);
	const char *view = buf_string(&report.view);
	assert_non_null(strstr(view, "$ echo \"Hello\" > models/acme/one/input\n"
				     "$ cat models/acme/one/output\none\n2\n"));
	assert_non_null(strstr(view, "12\n… (38 bytes in all)\n"));
	assert_non_null(strstr(view, "finish stop\n"));
	assert_non_null(strstr(view, "cost unknown\n"));
	exchange_report_finish(&report);
}

static void a_line_is_read_as_it_was_written(void **state) {
	(void)state;
	static const char *const values[] = {"plain", "", " blanks ", "two\nlines", "\"quoted\"",
			"tab\there", "ümlaut", "back\\slash", "\x1b[31m"};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		cleanup_buf struct buf out = {0};
		cleanup_fail struct fail fail = {0};
		char path[256];
		assert_true(exchange_line_write(&out, "output", values[i], strlen(values[i])));
		put("one.exchange", buf_string(&out));
		snprintf(path, sizeof(path), "%s/one.exchange", folder);
		struct exchange_lines lines = {0};
		assert_true(exchange_lines_read(&lines, path, &fail));
		assert_int_equal(lines.n, 1);
		assert_string_equal(lines.lines[0].key, "output");
		assert_string_equal(lines.lines[0].value, values[i]);
		exchange_lines_finish(&lines);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_bundled_provider_answers_as_recorded),
			cmocka_unit_test(an_exchange_that_says_otherwise_is_found_with_its_line),
			cmocka_unit_test(a_conversation_comes_before_the_prompt),
			cmocka_unit_test(all_that_is_wrong_is_listed),
			cmocka_unit_test(
					a_status_of_the_manual_that_is_taken_for_an_answer_is_found),
			cmocka_unit_test(what_a_user_would_see_is_shown),
			cmocka_unit_test(a_line_is_read_as_it_was_written),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
