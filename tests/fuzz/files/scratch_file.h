/* The bytes of an input as a file without a name, for what reads files. */
#ifndef TESTS_FUZZ_FILES_SCRATCH_FILE_H
#define TESTS_FUZZ_FILES_SCRATCH_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Its path; the same file each time. */
static inline const char *scratch_file(const uint8_t *bytes, size_t size) {
	static char path[64];
	static int fd = -1;
	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	CHECK(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
	return path;
}

#endif
