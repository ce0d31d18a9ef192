/* Fetching from repositories and directories on this machine by the real conduitfs-fetch: what
 * comes into the cache, what is found there again, what is refused. */
#include "tests/unit/fetch/support.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

static const char SOURCE[] = "#include <conduit/provider.h>\n"
			     "int acme(void);\n"
			     "int acme(void) { return 0; }\n";

static void assert_good(const struct fetched *fetched) {
	if (fetched->result.code != 0) {
		print_error("%s\n%s\n", fetched->words, fetched->result.messages);
		fail();
	}
}

static void assert_failed(const struct fetched *fetched, int code, const char *words) {
	assert_has(fetched->words, words);
	assert_int_equal(fetched->result.code, code);
}

/* ---- what is loaded ---- */

static void a_declared_provider_comes_from_a_repository(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	make_repository("acme", DECLARED, NULL);
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_good(&fetched);
	assert_true(fetched.progress >= 2);
	assert_string_equal(fetched.result.commit, shell_output("git -C acme rev-parse HEAD"));
	assert_string_equal(
			fetched.result.tree, shell_output("git -C acme rev-parse 'HEAD^{tree}'"));
	assert_string_equal(fetched.result.object, "");
	shell("cmp acme/MediaConduit.provider.yml %s/MediaConduit.provider.yml",
			fetched.result.files);
}

static void a_compiled_provider_is_built(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish), again cleanup(fetched_finish);
	make_repository("acme", COMPILED, SOURCE);
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_good(&fetched);
	assert_int_equal(fetched.last, FETCH_BUILDING);
	assert_int_equal(access(fetched.result.object, R_OK), 0);
	fetch_run(&again, "file://%s/acme", NULL);
	assert_good(&again);
	assert_string_equal(again.result.object, fetched.result.object);
	assert_int_not_equal(again.last, FETCH_BUILDING);
}

static void a_directory_is_taken_as_it_lies_there(void **state) {
	(void)state;
	struct fetched first cleanup(fetched_finish), second cleanup(fetched_finish);
	make_repository("acme", DECLARED, NULL);
	write_file("acme/.secret", "not a provider's");
	fetch_run(&first, "%s/acme", NULL);
	assert_good(&first);
	assert_string_equal(first.result.tree, shell_output("git -C acme rev-parse 'HEAD^{tree}'"));
	assert_has(first.result.commit, "tree-");
	shell("test ! -e %s/.secret", first.result.files);
	write_file("acme/README.md", "changed");
	fetch_run(&second, "%s/acme", NULL);
	assert_good(&second);
	assert_string_not_equal(first.result.commit, second.result.commit);
}

static void a_ref_that_is_not_there_is_refused_with_those_that_are(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	make_repository("acme", DECLARED, NULL);
	shell("git -C acme tag v1");
	fetch_run(&fetched, "file://%s/acme@v2", NULL);
	assert_failed(&fetched, ENOENT, "no tag, branch or commit 'v2'; it has main, v1");
}

static void what_is_cached_is_found_and_held(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	struct fetch_result cached = {0};
	struct source source cleanup_source = {0};
	const char *const none[] = {NULL};
	make_repository("acme", COMPILED, SOURCE);
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_good(&fetched);
	char *object cleanup_free = strdup(fetched.result.object);
	assert_true(source_parse(&source, shell_output("echo file://$PWD/acme"), NULL));
	assert_true(fetch_cached(options(), &source, fetched.result.commit, &cached));
	assert_string_equal(cached.object, object);
	assert_string_equal(cached.tree, fetched.result.tree);
	fetched_finish(&fetched);
	assert_true(fetch_prune(options()->cache, none, NULL, NULL));
	assert_int_equal(access(object, R_OK), 0);
	fetch_result_finish(&cached);
	assert_true(fetch_prune(options()->cache, none, NULL, NULL));
	assert_int_not_equal(access(object, R_OK), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_fetch(a_declared_provider_comes_from_a_repository),
			with_fetch(a_compiled_provider_is_built),
			with_fetch(a_directory_is_taken_as_it_lies_there),
			with_fetch(a_ref_that_is_not_there_is_refused_with_those_that_are),
			with_fetch(what_is_cached_is_found_and_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
