/* Where the kernel has no Landlock, which a filter of the test's own pretends for all it starts. */
#include "tests/unit/process/support.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>

static int hide_landlock(void **state) {
	(void)state;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
	failed = failed != 0 ? failed : seccomp_load(filter);
	seccomp_release(filter);
	return failed;
}

static void expect(const struct process_options *options, int code, const char *words) {
	struct fixture fixture;
	struct owner owner;
	fixture_init_options(&fixture, "good", options);
	owner_run(&owner, &fixture, "echo");
	assert_int_equal(owner.code, code);
	assert_non_null(strstr(owner.words, words));
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_foreign_provider_is_refused_with_words(void **state) {
	(void)state;
	expect(&(struct process_options){0}, EIO, "this kernel has no Landlock");
}

static void a_bundled_provider_is_loaded(void **state) {
	(void)state;
	expect(&(struct process_options){.trusted = true}, 0, "");
}

static void a_foreign_provider_is_loaded_where_the_settings_say_so(void **state) {
	(void)state;
	expect(&(struct process_options){.allow_without_landlock = true}, 0, "");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_foreign_provider_is_refused_with_words),
			cmocka_unit_test(a_bundled_provider_is_loaded),
			cmocka_unit_test(a_foreign_provider_is_loaded_where_the_settings_say_so),
	};
	return cmocka_run_group_tests(tests, hide_landlock, NULL);
}
