/* Fetching where the kernel has no Landlock, which a filter of the test's own pretends for all that
 * it starts. */
#include "tests/unit/fetch/support.h"

#include <errno.h>
#include <seccomp.h>

static int hide_landlock(void **state) {
	(void)state;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
	failed = failed != 0 ? failed : seccomp_load(filter);
	seccomp_release(filter);
	return failed;
}

static void nothing_is_fetched(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	own_options()->without_landlock = false;
	make_repository("acme", DECLARED, NULL);
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_int_equal(fetched.result.code, ENOSYS);
	assert_has(fetched.words, "this kernel has no Landlock");
	assert_has(fetched.words, "sandbox: seccomp");
}

static void what_is_not_compiled_is_fetched_where_the_settings_say_so(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	own_options()->without_landlock = true;
	make_repository("acme", DECLARED, NULL);
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_int_equal(fetched.result.code, 0);
}

static void what_is_compiled_is_not(void **state) {
	(void)state;
	struct fetched fetched cleanup(fetched_finish);
	own_options()->without_landlock = true;
	make_repository("acme", COMPILED, "int nothing;\n");
	fetch_run(&fetched, "file://%s/acme", NULL);
	assert_int_equal(fetched.result.code, ENOSYS);
	assert_has(fetched.words, "this kernel has no Landlock");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_fetch(nothing_is_fetched),
			with_fetch(what_is_not_compiled_is_fetched_where_the_settings_say_so),
			with_fetch(what_is_compiled_is_not),
	};
	return cmocka_run_group_tests(tests, hide_landlock, NULL);
}
