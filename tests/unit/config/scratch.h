/* A directory of its own for each test that needs files, and a home below it. */
#ifndef TESTS_UNIT_CONFIG_SCRATCH_H
#define TESTS_UNIT_CONFIG_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char scratch[64];

static inline int scratch_setup(void **state) {
	(void)state;
	snprintf(scratch, sizeof(scratch), "/tmp/conduit-test-XXXXXX");
	if (mkdtemp(scratch) == NULL) {
		return 1;
	}
	setenv("HOME", scratch, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	return 0;
}

static inline int scratch_remove(
		const char *path, const struct stat *about, int type, struct FTW *where) {
	(void)about;
	(void)type;
	(void)where;
	return remove(path);
}

static inline int scratch_teardown(void **state) {
	(void)state;
	return nftw(scratch, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of a name below the directory; four may be in use at once. */
static inline const char *scratch_path(const char *name) {
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static inline const char *scratch_write_bytes(const char *name, const void *bytes, size_t size) {
	const char *path = scratch_path(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
	return path;
}

static inline const char *scratch_write(const char *name, const char *text) {
	return scratch_write_bytes(name, text, strlen(text));
}

#define with_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

static inline void assert_contains(const char *text, const char *part) {
	if (text == NULL || strstr(text, part) == NULL) {
		print_error("\"%s\" is missing in: %s\n", part, text != NULL ? text : "nothing");
		fail();
	}
}

#endif
