/* The bundled providers' own recorded exchanges, cut at every byte. */
#include "tests/unit/provider/support.h"

#include "core/provider/replay/exchange.h"

#include <glob.h>
#include <string.h>

static void check_all(const char *name) {
	const struct conduit_provider *provider = load_provider(name);
	char pattern[4096];
	snprintf(pattern, sizeof(pattern), "%s/providers/%s/tests/*.exchange", SOURCE_ROOT, name);
	glob_t files;
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		cleanup_fail struct fail fail = {0};
		if (!exchange_check(provider, files.gl_pathv[i], &fail)) {
			fail_msg("%s", fail_words(&fail));
		}
	}
	globfree(&files);
}

static void each_compiled_provider_answers_as_recorded(void **state) {
	(void)state;
	static const char *const names[] = {"anthropic", "cowsay", "groq", "huggingface", "mistral",
			"openai", "openrouter", "together"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		check_all(names[i]);
	}
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
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_compiled_provider_answers_as_recorded),
			cmocka_unit_test(an_exchange_that_says_otherwise_is_found_with_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
