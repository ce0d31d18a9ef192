/* Building where the kernel, or a container's filter, has less: without namespaces it is as well
 * shut in and ended; without Landlock it isn't done. Filters of the test's own pretend it. */
#include "tests/unit/fetch/building.h"

#include <seccomp.h>

static struct building building;

static int setup(void **state) {
	if (scratch_setup(state) != 0 || chmod(scratch, 0755) != 0) {
		return 1;
	}
	building_init(&building, scratch);
	return 0;
}

static int teardown(void **state) {
	building_finish(&building);
	return scratch_teardown(state);
}

#define with_building(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* For this process from now on. */
static void hide(int call) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	assert_int_equal(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0), 0);
	assert_int_equal(seccomp_load(filter), 0);
	seccomp_release(filter);
}

static void without_namespaces_a_provider_is_built(void **state) {
	(void)state;
	hide(SCMP_SYS(clone3));
	building_one(&building, PROVIDER);
	assert_built(&building);
}

static void and_what_never_ends_is_ended_with_its_children(void **state) {
	(void)state;
	char path[600];
	snprintf(path, sizeof(path), "%s/fifo.h", building.files);
	assert_int_equal(mkfifo(path, 0644), 0);
	building.options.seconds = 1;
	building_one(&building, "#include \"fifo.h\"\n");
	assert_failed(&building, ETIMEDOUT, "took more than 1 s");
	assert_nothing_runs(building.files);
}

static void without_landlock_nothing_is_built(void **state) {
	(void)state;
	hide(SCMP_SYS(landlock_create_ruleset));
	building_one(&building, PROVIDER);
	assert_failed(&building, ENOSYS, "this kernel has no Landlock");
	assert_int_equal(rmdir(building.directory), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_building(without_namespaces_a_provider_is_built),
			with_building(and_what_never_ends_is_ended_with_its_children),
			with_building(without_landlock_nothing_is_built),
	};
	return !building_possible() ? BUILDING_SKIPPED : cmocka_run_group_tests(tests, NULL, NULL);
}
