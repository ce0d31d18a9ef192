/* Small files: see file.h. */
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

static bool failed(const char *path, struct fail *fail) {
	int code = errno;
	return fail_set(fail, code, "%s: %s", path, strerror(code));
}

bool file_read(const char *path, size_t most, struct buf *ret, struct fail *fail) {
	buf_clear(ret);
	/* Without O_NONBLOCK the open of a FIFO might never return. */
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat about;
	if (fd < 0 || fstat(fd, &about) < 0) {
		return failed(path, fail);
	}
	if (!S_ISREG(about.st_mode)) {
		return fail_set(fail, S_ISDIR(about.st_mode) ? EISDIR : EINVAL,
				"%s: not a regular file", path);
	}
	if ((uint64_t)about.st_size > most) {
		return fail_set(fail, EFBIG, "%s: %lld bytes, at most %zu are accepted", path,
				(long long)about.st_size, most);
	}
	/* One byte more, to see the end of a file that doesn't grow meanwhile. */
	size_t room = (size_t)about.st_size + 1;
	char *bytes = buf_reserve(ret, room);
	if (bytes == NULL) {
		return fail_set(fail, ENOMEM, "%s: no memory for %zu bytes", path, room);
	}
	for (ssize_t got = 1; got != 0 && ret->size < room;) {
		got = read(fd, bytes + ret->size, room - ret->size);
		if (got < 0 && errno != EINTR) {
			return failed(path, fail);
		}
		ret->size += got > 0 ? (size_t)got : 0;
	}
	if (ret->size == room) {
		return fail_set(fail, EBUSY, "%s: grew while it was read, try again", path);
	}
	ret->data[ret->size] = '\0';
	return true;
}

bool file_make_parents(const char *path, struct fail *fail) {
	cleanup_free char *copy = strdup(path);
	if (copy == NULL) {
		return fail_set(fail, ENOMEM, "%s: no memory", path);
	}
	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST) {
			return failed(copy, fail);
		}
		*slash = '/';
	}
	return true;
}
