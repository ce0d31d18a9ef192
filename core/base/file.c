/* Small files: see file.h. */
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
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

bool file_write(int fd, const void *bytes, size_t size) {
	size_t done = 0;
	while (done < size) {
		ssize_t put = write(fd, (const char *)bytes + done, size - done);
		if (put < 0 && errno != EINTR) {
			return false;
		}
		done += put > 0 ? (size_t)put : 0;
	}
	return true;
}

bool file_write_at(int fd, const void *bytes, size_t size, uint64_t offset) {
	size_t done = 0;
	while (done < size) {
		ssize_t put = pwrite(fd, (const char *)bytes + done, size - done,
				(off_t)(offset + done));
		if (put < 0 && errno != EINTR) {
			return false;
		}
		done += put > 0 ? (size_t)put : 0;
	}
	return true;
}

/* Makes the renaming itself last. Not every file system can; then nothing is lost by it. */
static void sync_directory_of(const char *path) {
	cleanup_free char *copy = strdup(path);
	if (copy != NULL) {
		int fd cleanup_close = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			fsync(fd);
		}
	}
}

bool file_replace(const char *path, const void *bytes, size_t size, struct fail *fail) {
	cleanup_free char *led = realpath(path, NULL);
	const char *target = led != NULL ? led : path;
	cleanup_free char *beside = NULL;
	if (asprintf(&beside, "%s.new", target) < 0) {
		beside = NULL;
		return fail_set(fail, ENOMEM, "%s: no memory", path);
	}
	unlink(beside);
	cleanup_close int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return failed(beside, fail);
	}
	if (!file_write(fd, bytes, size) || fsync(fd) < 0 || rename(beside, target) < 0) {
		failed(target, fail);
		unlink(beside);
		return false;
	}
	sync_directory_of(target);
	return true;
}
