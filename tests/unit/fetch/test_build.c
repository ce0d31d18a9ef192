/* Building what is honest: the one compiler line, what it makes and what it says. */
#include "tests/unit/fetch/building.h"

#include <time.h>

static struct building building;

static int setup(void **state) {
	if (scratch_setup(state) != 0) {
		return 1;
	}
	building_init(&building, scratch);
	return 0;
}

static int teardown(void **state) {
	building_finish(&building);
	return scratch_teardown(state);
}

static void a_provider_is_built(void **state) {
	(void)state;
	struct stat about;
	char path[600];
	building_one(&building, PROVIDER);
	assert_built(&building);
	assert_string_equal(buf_string(&building.messages), "");
	assert_contains(buf_string(&building.lines), "compiling provider.c\n");
	snprintf(path, sizeof(path), "%s/provider.so", building.directory);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_uid, geteuid());
	assert_true(building_holds(&building, "conduit_provider_entry"));
	/* Nothing else lies there. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(building.directory), 0);
}

static void sources_and_headers_may_lie_in_directories(void **state) {
	(void)state;
	building_write(&building, "src/more.c",
			"#include \"more.h\"\nint more(void) { return 1; }\n");
	building_write(&building, "src/more.h", "int more(void);\n");
	building_write(&building, "provider.c",
			"#include \"src/more.h\"\n#include <math.h>\n" PROVIDER
			"double used(double x) { return cbrt(x) * more(); }\n");
	building_run(&building, MANIFEST "sources: [provider.c, src/more.c]\n");
	assert_built(&building);
	assert_contains(buf_string(&building.lines), "compiling provider.c, src/more.c");
}

static void what_the_compiler_says_is_told_with_the_manifests_names(void **state) {
	(void)state;
	building_one(&building,
			PROVIDER "int unused(void) { int x; return 0; }\n"
				 "void wrong(void) { nothing_like_this; }\n"
				 "void also(struct conduit_job *j) { conduit_finish(j); }\n");
	assert_failed(&building, ENOEXEC, "compiling provider.c failed: provider.c:9:");
	assert_contains(fail_words(&building.fail), "nothing_like_this");
	assert_contains(buf_string(&building.messages),
			"provider.c:8:24: warning: unused variable");
	assert_contains(buf_string(&building.messages), "conduit/provider.h:");
	assert_null(strstr(buf_string(&building.messages), "/proc/"));
	assert_null(strstr(buf_string(&building.messages), scratch));
}

static void escapes_for_a_terminal_are_taken_out(void **state) {
	(void)state;
	building_one(&building, "#error \"\x1b]0;title\x07\x1b[31m\xff\"\n");
	assert_failed(&building, ENOEXEC, "error");
	assert_null(strchr(buf_string(&building.messages), '\x1b'));
	assert_null(strchr(buf_string(&building.messages), '\x07'));
}

static void a_library_of_the_list_may_be_used(void **state) {
	(void)state;
	static const char *const none[] = {NULL};
	building_write(&building, "provider.c",
			PROVIDER "#include <cjson/cJSON.h>\n"
				 "void *used(void) { return cJSON_Parse(\"1\"); }\n");
	building_run(&building, MANIFEST "sources: [provider.c]\npkg_config: [libcjson]\n");
	assert_built(&building);
	assert_true(building_holds(&building, "libcjson.so"));
	building.options.pkg_config = none;
	building_write(&building, "none", "");
	building_run(&building, MANIFEST "sources: [provider.c]\npkg_config: [libcjson]\n");
	assert_failed(&building, EACCES, "'libcjson' is not among the libraries");
}

static void a_library_that_is_absent_is_named(void **state) {
	(void)state;
	static const char *const list[] = {"there-is-no-such-library", NULL};
	building_write(&building, "provider.c", PROVIDER);
	building.options.pkg_config = list;
	building_run(&building,
			MANIFEST "sources: [provider.c]\npkg_config: there-is-no-such-library\n");
	assert_failed(&building, ENOENT, "there-is-no-such-library");
	assert_contains(fail_words(&building.fail), "install its development package");
}

static void a_source_that_is_absent_is_named(void **state) {
	(void)state;
	building_run(&building, MANIFEST "sources: [provider.c]\n");
	assert_failed(&building, ENOENT, "sources: 'provider.c' isn't there");
}

static void headers_of_ours_that_are_absent_are_named(void **state) {
	(void)state;
	building.options.include = "/usr/share";
	building_one(&building, PROVIDER);
	assert_failed(&building, ENOENT, "/usr/share/conduit/provider.h");
}

static void the_hash_is_of_the_line_the_compiler_and_the_libraries(void **state) {
	(void)state;
	char first[17], again[17], other[17];
	building_write(&building, "provider.c", PROVIDER);
	building_run(&building, MANIFEST "sources: [provider.c]\n");
	assert_built(&building);
	assert_true(build_flags_hash(&building.options, &building.manifest, first, NULL));
	assert_true(build_flags_hash(&building.options, &building.manifest, again, NULL));
	assert_string_equal(first, again);
	assert_int_equal(strspn(first, "0123456789abcdef"), 16);
	assert_int_equal(strlen(first), 16);
	building.manifest.pkg_config = calloc(2, sizeof(char *));
	building.manifest.pkg_config[0] = strdup("libcjson");
	assert_true(build_flags_hash(&building.options, &building.manifest, other, NULL));
	assert_string_not_equal(first, other);
}

#define with_building(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			with_building(a_provider_is_built),
			with_building(sources_and_headers_may_lie_in_directories),
			with_building(what_the_compiler_says_is_told_with_the_manifests_names),
			with_building(escapes_for_a_terminal_are_taken_out),
			with_building(a_library_of_the_list_may_be_used),
			with_building(a_library_that_is_absent_is_named),
			with_building(a_source_that_is_absent_is_named),
			with_building(headers_of_ours_that_are_absent_are_named),
			with_building(the_hash_is_of_the_line_the_compiler_and_the_libraries),
	};
	return !building_possible() ? BUILDING_SKIPPED : cmocka_run_group_tests(tests, NULL, NULL);
}
