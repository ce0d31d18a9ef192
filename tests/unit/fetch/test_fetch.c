/* Fetching from repositories and directories on this machine by the real conduitfs-fetch: what
 * comes into the cache, what is found there again, what is refused. */
#include "core/fetch/cache.h"
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

static void a_directory_below_is_one_too(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	shell("mkdir -p all/providers/acme");
	write_file("all/providers/acme/MediaConduit.provider.yml", DECLARED);
	fetch_run(&fetched, "%s/all#providers/acme", NULL);
	assert_good(&fetched);
	fetched_finish(&fetched);
	fetch_run(&fetched, "%s/all", NULL);
	assert_failed(&fetched, ENOENT, "there is one in providers/acme");
}

static void a_directory_that_changed_since_it_was_locked_is_said(void **state) {
	(void)state;
	struct fetched first cleanup(fetched_finish), second cleanup(fetched_finish);
	make_repository("acme", DECLARED, NULL);
	fetch_run(&first, "%s/acme", NULL);
	assert_good(&first);
	shell("rm -r cache");
	write_file("acme/README.md", "changed");
	fetch_run(&second, "%s/acme", first.result.commit);
	assert_failed(&second, ESTALE, "isn't any more as it was");
}

static void faults_of_a_manifest_are_told_without_the_caches_path(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	make_repository("acme", "id: acme-provider\ndriver: [\n", NULL);
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_failed(&fetched, EINVAL, ": MediaConduit.provider.yml:");
	assert_null(strstr(fetched.words, "/cache/"));
}

static void a_failed_build_brings_the_compilers_messages(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	make_repository("acme", COMPILED, "int f(void) { return nothing_known; }\n");
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_failed(&fetched, ENOEXEC, "provider.c");
	assert_has(fetched.result.messages, "provider.c:1:");
	assert_has(fetched.result.messages, "nothing_known");
	shell("test -z \"$(ls cache/built cache/tmp | grep -v :)\"");
}

static double now_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void what_is_cached_is_found_within_20_ms(void **state) {
	(void)state;
	enum { times = 50 };
	struct fetched fetched cleanup(fetched_finish);
	struct source source cleanup_source = {0};
	double best = 1e9, begun = now_ms();
	make_repository("acme", COMPILED, SOURCE);
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_good(&fetched);
	double first = now_ms() - begun;
	assert_true(source_parse(&source, shell_output("echo file://$PWD/acme"), NULL));
	shell("rm -rf acme");
	for (int i = 0; i < times; i++) {
		struct fetch_result cached = {0};
		begun = now_ms();
		assert_true(fetch_cached(options(), &source, fetched.result.commit, &cached));
		double took = now_ms() - begun;
		best = took < best ? took : best;
		assert_string_equal(cached.object, fetched.result.object);
		fetch_result_finish(&cached);
	}
	print_message("first load %.0f ms, from the cache %.2f ms: %.0f times\n", first, best,
			first / best);
	assert_true(best < 20);
}

static void what_is_not_whole_is_not_found(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	struct fetch_result cached = {0};
	struct source source cleanup_source = {0}, other cleanup_source = {0};
	static const char *const odd[] = {"", "../../etc", "0123", "tree-",
			"x123456789012345678901234567890123456789",
			"ABCDEF7890123456789012345678901234567890",
			"0123456789012345678901234567890123456789/../x"};
	make_repository("acme", COMPILED, SOURCE);
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_good(&fetched);
	assert_true(source_parse(&source, shell_output("echo file://$PWD/acme"), NULL));
	assert_true(source_parse(&other, shell_output("echo file://$PWD/acme#sub"), NULL));
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_false(cache_commit_valid(odd[i]));
		assert_false(fetch_cached(options(), &source, odd[i], &cached));
	}
	assert_false(fetch_cached(options(), &other, fetched.result.commit, &cached));
	shell("rm -r cache/built/*");
	assert_false(fetch_cached(options(), &source, fetched.result.commit, &cached));
	fetched_finish(&fetched);
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_good(&fetched);
	assert_true(fetch_cached(options(), &source, fetched.result.commit, &cached));
	fetch_result_finish(&cached);
}

static void only_what_nobody_needs_is_pruned(void **state) {
	(void)state;
	struct fetched first cleanup(fetched_finish), second cleanup(fetched_finish);
	uint64_t bytes = 0;
	make_repository("acme", COMPILED, SOURCE);
	fetch_run(&first, "file://%s/acme", NULL);
	assert_good(&first);
	shell("cd acme && echo more > README.md && git add -A && git commit -q -m two");
	fetch_run(&second, "file://%s/acme", NULL);
	assert_good(&second);
	shell("mkdir -p cache/tmp/left && head -c 5000 /dev/zero > cache/tmp/left/half");
	char *old cleanup_free = strdup(first.result.object);
	char *object cleanup_free = strdup(second.result.object);
	char *files cleanup_free = strdup(second.result.files);
	char commit[FETCH_COMMIT_SIZE];
	memcpy(commit, second.result.commit, sizeof(commit));
	const char *const needed[] = {commit, NULL};
	fetched_finish(&first);
	fetched_finish(&second);
	assert_true(fetch_prune(options()->cache, needed, &bytes, NULL));
	assert_true(bytes >= 5000);
	assert_int_not_equal(access(old, F_OK), 0);
	assert_int_equal(access(object, F_OK), 0);
	assert_int_equal(access(files, F_OK), 0);
	shell("test -z \"$(ls cache/tmp)\"");
	assert_true(fetch_prune(options()->cache, needed, &bytes, NULL));
	assert_int_equal(bytes, 0);
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
			with_fetch(a_directory_below_is_one_too),
			with_fetch(a_directory_that_changed_since_it_was_locked_is_said),
			with_fetch(faults_of_a_manifest_are_told_without_the_caches_path),
			with_fetch(a_failed_build_brings_the_compilers_messages),
			with_fetch(what_is_cached_is_found_within_20_ms),
			with_fetch(what_is_cached_is_found_and_held),
			with_fetch(what_is_not_whole_is_not_found),
			with_fetch(only_what_nobody_needs_is_pruned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
