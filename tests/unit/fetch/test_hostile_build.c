/* Sources that mean harm, built in the sandbox: what they are after doesn't get out, what they
 * would do isn't done, and what never ends is ended. Each test shows it by what the file system
 * holds. */
#include "tests/unit/fetch/building.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static struct building building;
static char secret_path[300];
static const char secret[] = "an-invented-secret-4711";

static int setup(void **state) {
	if (scratch_setup(state) != 0 || chmod(scratch, 0755) != 0) {
		return 1;
	}
	building_init(&building, scratch);
	/* Everybody may read it, whoever runs the compiler: only the sandbox stands before it. */
	snprintf(secret_path, sizeof(secret_path), "%s", scratch_write("secret.h", secret));
	return chmod(secret_path, 0644);
}

static int teardown(void **state) {
	building_finish(&building);
	return scratch_teardown(state);
}

#define with_building(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* No file lies beside what the test itself made. */
static void assert_nothing_outside(void) {
	static const char *const made[] = {
			".", "..", "files", "build", "secret.h", "outside", NULL};
	cleanup_closedir DIR *listing = opendir(scratch);
	struct dirent *entry;
	while ((entry = readdir(listing)) != NULL) {
		const char *const *known = made;
		while (*known != NULL && strcmp(*known, entry->d_name) != 0) {
			known++;
		}
		if (*known == NULL) {
			fail_msg("%s was made outside", entry->d_name);
		}
	}
}

/* Builds a source in which every @ stands for the path, and sees that the text in there is neither
 * in the messages nor in the words nor in anything that was made. */
static void assert_unread(const char *source, const char *path, const char *text) {
	struct buf whole = {0};
	for (const char *at = source; *at != '\0'; at++) {
		if (*at == '@') {
			buf_add_string(&whole, path);
		} else {
			buf_add_byte(&whole, *at);
		}
	}
	building_one(&building, buf_string(&whole));
	buf_finish(&whole);
	assert_failed(&building, ENOEXEC, "");
	assert_null(strstr(fail_words(&building.fail), text));
	assert_null(strstr(buf_string(&building.messages), text));
	assert_false(building_holds(&building, text));
	assert_nothing_outside();
}

static void no_directive_reads_a_file_outside(void **state) {
	(void)state;
	static const char *const sources[] = {
			"#include \"@\"\n",
			"#include_next \"@\"\n",
			"#if __has_include(\"@\")\n#include \"@\"\n#endif\n#error none\n",
			"#define WHERE \"@\"\n#include WHERE\n",
			"__asm__(\".section .rodata\\n.incbin \\\"@\\\"\\n\");\n",
			"__asm__(\".include \\\"@\\\"\\n\");\n",
			"const unsigned char bytes[] = {\n#embed \"@\"\n};\n",
			"_Pragma(\"GCC system_header\")\n#include \"@\"\n",
			"_Pragma(\"GCC dependency \\\"@\\\"\")\n#include \"@\"\n",
			"#line 1 \"@\"\n#error here\n",
			"__asm__(\".file \\\"@\\\"\\n.line 1\\n.error \\\"x\\\"\\n\");\n",
	};
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		assert_unread(sources[i], secret_path, secret);
	}
}

static void nor_does_a_link_or_a_name_that_leads_out(void **state) {
	(void)state;
	char link[600];
	snprintf(link, sizeof(link), "%s/link.h", building.files);
	assert_int_equal(symlink(secret_path, link), 0);
	assert_unread("#include \"@\"\n", "link.h", secret);
	assert_unread("#include \"@\"\n", "../secret.h", secret);
	assert_unread("#include \"@\"\n", "/proc/self/cwd/../secret.h", secret);
	assert_unread("__asm__(\".incbin \\\"@\\\"\\n\");\n", "../secret.h", secret);
}

/* Of the system's files, the one that matters most; root:$… stands in its first line. */
static void the_systems_secrets_stay_where_they_are(void **state) {
	(void)state;
	static const char *const paths[] = {"/etc/shadow", "/etc/passwd", "/proc/self/environ",
			"/proc/1/environ", "/proc/self/maps", "/root/.bashrc"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_unread("#include \"@\"\n", paths[i], "root:");
		assert_unread("__asm__(\".incbin \\\"@\\\"\\n\");\n#error no\n", paths[i], "PATH=");
	}
}

static void a_source_that_is_a_link_is_refused(void **state) {
	(void)state;
	char link[600];
	snprintf(link, sizeof(link), "%s/provider.c", building.files);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	building_run(&building, MANIFEST "sources: [provider.c]\n");
	assert_failed(&building, ELOOP, "'provider.c' is, or lies behind, a symbolic link");
	assert_string_equal(buf_string(&building.messages), "");
}

static void a_source_behind_a_link_or_that_is_no_file_is_refused(void **state) {
	(void)state;
	char path[600];
	snprintf(path, sizeof(path), "%s/sub", building.files);
	assert_int_equal(symlink(scratch, path), 0);
	building_run(&building, MANIFEST "sources: [sub/secret.c]\n");
	assert_failed(&building, ELOOP, "'sub/secret.c' is, or lies behind, a symbolic link");
	snprintf(path, sizeof(path), "%s/fifo.c", building.files);
	assert_int_equal(mkfifo(path, 0644), 0);
	building_run(&building, MANIFEST "sources: [fifo.c]\n");
	assert_failed(&building, EINVAL, "'fifo.c' is not a regular file");
}

/* ---- what the compiler would take from its surroundings ---- */

static void files_beside_the_sources_steer_nothing(void **state) {
	(void)state;
	static const char *const names[] = {"specs", "cc1", "as", "ld", "collect2", "gcc",
			".gdbinit", "compile_flags.txt", "Makefile", "meson.build", "configure",
			"a.out.ld", "stdio.h", "math.h", "libm.so", "crti.o", "lto-wrapper",
			".clang"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[600];
		building_write(&building, names[i],
				"#!/bin/sh\necho taken > /tmp/conduit-steered; exit 1\n#error x\n");
		snprintf(path, sizeof(path), "%s/%s", building.files, names[i]);
		assert_int_equal(chmod(path, 0755), 0);
	}
	building_one(&building, "#include <stdio.h>\n#include <math.h>\n" PROVIDER);
	assert_built(&building);
	assert_int_not_equal(access("/tmp/conduit-steered", F_OK), 0);
}

static void the_environment_steers_nothing(void **state) {
	(void)state;
	static const char *const names[] = {"CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH",
			"COMPILER_PATH", "GCC_EXEC_PREFIX", "LD_PRELOAD_NOT_REALLY", "TMPDIR",
			"DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES", "LD_RUN_PATH",
			"PKG_CONFIG_PATH", "CCACHE_PREFIX", "GCC_COMPARE_DEBUG", "COLLECT_GCC"};
	char outside[400];
	snprintf(outside, sizeof(outside), "%s/outside", scratch);
	assert_int_equal(mkdir(outside, 0777), 0);
	assert_int_equal(chmod(outside, 0777), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv(names[i], outside, 1);
	}
	building_one(&building, PROVIDER);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unsetenv(names[i]);
	}
	assert_built(&building);
	assert_false(building_holds(&building, outside));
	assert_int_equal(rmdir(outside), 0); /* nothing was made there */
}

static void a_key_in_the_environment_is_not_there_to_be_read(void **state) {
	(void)state;
	setenv("ACME_API_KEY", secret, 1);
	assert_unread("__asm__(\".incbin \\\"@\\\"\\n\");\n#error no\n", "/proc/self/environ",
			secret);
	unsetenv("ACME_API_KEY");
}

/* ---- what never ends ---- */

static void assert_ended(const char *source, double seconds) {
	building.options.seconds = seconds;
	double begun = now();
	building_one(&building, source);
	double took = now() - begun;
	assert_false(building.built);
	if (took > seconds + 2) {
		fail_msg("it took %g s", took);
	}
	assert_nothing_outside();
}

/* 2^64 nothings: the preprocessor alone never gets through them, and keeps none. */
static void add_endless(struct buf *source) {
	buf_add_string(source, "#define A0\n");
	for (int i = 1; i <= 64; i++) {
		buf_add_format(source, "#define A%d A%d A%d\n", i, i - 1, i - 1);
	}
	buf_add_string(source, "int x = 1 A64;\n");
}

static void a_compiler_that_never_ends_is_ended(void **state) {
	(void)state;
	struct buf source = {0};
	add_endless(&source);
	assert_ended(buf_string(&source), 2);
	buf_finish(&source);
	assert_failed(&building, ETIMEDOUT, "compiling provider.c took more than 2 s");
}

static void an_assembler_that_never_ends_is_ended(void **state) {
	(void)state;
	assert_ended("__asm__(\".macro m n\\n.if \\\\n < 60\\nm \\\\n+1\\nm "
		     "\\\\n+1\\n.endif\\n.endm\\n\"\n"
		     "\"m 0\\n\");\n",
			2);
	assert_failed(&building, ETIMEDOUT, "compiling provider.c took more than 2 s");
}

static void an_include_of_itself_ends(void **state) {
	(void)state;
	building_write(&building, "self.h", "#include \"self.h\"\n#include \"self.h\"\n");
	assert_ended("#include \"self.h\"\n", 5);
}

static void memory_is_bounded(void **state) {
	(void)state;
	assert_ended("#define A(x) x x x x x x x x x x x x x x x x\n"
		     "const char text[] = A(A(A(A(A(A(A(A(\"0123456789abcdef\"))))))));\n",
			6);
}

/* A header can't be looked at beforehand; opening this one never returns, and takes no CPU that a
 * limit could bound. */
static void a_fifo_for_a_header_keeps_nobody_waiting(void **state) {
	(void)state;
	char path[600];
	snprintf(path, sizeof(path), "%s/fifo.h", building.files);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_ended("#include \"fifo.h\"\n", 1);
	assert_failed(&building, ETIMEDOUT, "took more than 1 s");
	assert_nothing_runs(building.files);
}

/* Whether a process may have namespaces of its own here; a container may not let it. */
static bool have_namespaces(void) {
	pid_t pid = fork();
	if (pid == 0) {
		int flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC;
		_exit(unshare(geteuid() == 0 ? flags : flags | CLONE_NEWUSER) != 0);
	}
	int status = 1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

/* As when conduitfs-fetch is killed: what it started ends with it, though it can't see to that. */
static void a_compiler_ends_with_who_started_it(void **state) {
	(void)state;
	char path[600];
	snprintf(path, sizeof(path), "%s/fifo.h", building.files);
	assert_int_equal(mkfifo(path, 0644), 0);
	if (!have_namespaces()) {
		skip();
	}
	pid_t pid = fork();
	if (pid == 0) {
		building_one(&building, "#include \"fifo.h\"\n");
		_exit(0);
	}
	double begun = now();
	while (building_runs_in(building.files) == 0 && now() - begun < 10) {
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	assert_int_not_equal(building_runs_in(building.files), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_nothing_runs(building.files);
}

/* ---- floods ---- */

static void a_flood_of_messages_is_cut(void **state) {
	(void)state;
	struct buf source = {.limit = 100 << 20};
	for (int i = 0; i < 2000; i++) {
		buf_add_format(&source,
				"#warning flood %d of a good many words, one after another\n", i);
	}
	buf_add_string(&source, PROVIDER);
	building_one(&building, buf_string(&source));
	buf_finish(&source);
	assert_built(&building);
	assert_in_range(building.messages.size, 60000, BUILD_MESSAGES_MOST);
	assert_contains(buf_string(&building.messages),
			"(the compiler said more, which is cut here)");
}

static void a_file_that_grows_is_cut_short(void **state) {
	(void)state;
	building.options.seconds = 10;
	building_one(&building, "__asm__(\".data\\n.fill 500000000, 1, 7\\n\");\n" PROVIDER);
	assert_false(building.built);
	assert_false(building_holds(&building, "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7"));
}

static void files_together_are_bounded(void **state) {
	(void)state;
	char names[2000] = "";
	for (int i = 0; i < 12; i++) {
		char name[16];
		snprintf(name, sizeof(name), "s%d.c", i);
		building_write(&building, name,
				"__asm__(\".section .data\\n.fill 60000000, 1, 7\\n\");\n");
		strcat(strcat(names, i > 0 ? ", " : ""), name);
	}
	char manifest[2100];
	snprintf(manifest, sizeof(manifest), MANIFEST "sources: [%s]\n", names);
	building_run(&building, manifest);
	assert_failed(&building, EFBIG, "wrote more than 256 MiB");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_building(no_directive_reads_a_file_outside),
			with_building(nor_does_a_link_or_a_name_that_leads_out),
			with_building(the_systems_secrets_stay_where_they_are),
			with_building(a_source_that_is_a_link_is_refused),
			with_building(a_source_behind_a_link_or_that_is_no_file_is_refused),
			with_building(files_beside_the_sources_steer_nothing),
			with_building(the_environment_steers_nothing),
			with_building(a_key_in_the_environment_is_not_there_to_be_read),
			with_building(a_compiler_that_never_ends_is_ended),
			with_building(an_assembler_that_never_ends_is_ended),
			with_building(an_include_of_itself_ends),
			with_building(memory_is_bounded),
			with_building(a_fifo_for_a_header_keeps_nobody_waiting),
			with_building(a_compiler_ends_with_who_started_it),
			with_building(a_flood_of_messages_is_cut),
			with_building(a_file_that_grows_is_cut_short),
			with_building(files_together_are_bounded),
	};
	return !building_possible() ? BUILDING_SKIPPED : cmocka_run_group_tests(tests, NULL, NULL);
}
