/* Locks and staging directories: see staging.h. */
#include "core/fetch/staging.h"

#include "core/base/file.h"
#include "core/fetch/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* ---- locks ---- */

/* Whether the locked descriptor is still what stands at the path: prune removes files of locks. */
static bool still_there(int fd, const char *path) {
	struct stat ours, now;
	return fstat(fd, &ours) == 0 && stat(path, &now) == 0 && ours.st_ino == now.st_ino &&
	       ours.st_dev == now.st_dev;
}

static int flock_patiently(int fd, int how) {
	int failed;
	do {
		failed = flock(fd, how);
	} while (failed != 0 && errno == EINTR);
	return failed;
}

/* Opens and locks; -1 with errno. */
static int lock_once(const char *path, void (*waiting)(void *data), void *data) {
	int fd cleanup_close = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -1;
	}
	if (flock_patiently(fd, LOCK_EX | LOCK_NB) == 0) {
		return take_fd(&fd);
	}
	if (errno != EWOULDBLOCK || waiting == NULL) {
		return -1;
	}
	waiting(data);
	return flock_patiently(fd, LOCK_EX) == 0 ? take_fd(&fd) : -1;
}

static int lock(const char *cache, const char *name, void (*waiting)(void *data), void *data,
		struct fail *fail) {
	char *path cleanup_free = cache_path(cache, "locks", name, fail);
	while (path != NULL) {
		int fd cleanup_close = lock_once(path, waiting, data);
		if (fd < 0) {
			fail_set(fail, errno, "can't lock %s: %s", path, strerror(errno));
			return -1;
		}
		if (still_there(fd, path)) {
			return take_fd(&fd);
		}
	}
	return -1;
}

int cache_lock(const char *cache, const char *name, void (*waiting)(void *data), void *data,
		struct fail *fail) {
	return lock(cache, name, waiting, data, fail);
}

int cache_try_lock(const char *cache, const char *name, struct fail *fail) {
	return lock(cache, name, NULL, NULL, fail);
}

/* ---- removing ---- */

static uint64_t *removed_bytes; /* nftw has no data of the caller's */

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *where) {
	(void)where;
	if (type == FTW_DNR) {
		return EACCES;
	}
	if (remove(path) != 0 && errno != ENOENT) {
		return errno;
	}
	if (removed_bytes != NULL && S_ISREG(about->st_mode)) {
		*removed_bytes += (uint64_t)about->st_size;
	}
	return 0;
}

bool cache_remove(const char *path, uint64_t *ret_bytes, struct fail *fail) {
	struct stat about;
	if (lstat(path, &about) != 0 && errno == ENOENT) {
		return true;
	}
	removed_bytes = ret_bytes;
	int code = nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	code = code == -1 ? errno : code;
	return code == 0 || fail_set(fail, code, "can't remove %s: %s", path, strerror(code));
}

/* ---- staging ---- */

bool staging_make(struct staging *ret, const char *cache, struct fail *fail) {
	/* A sweep may take it away before it is locked; then there is another. */
	for (int attempt = 0; attempt < 100; attempt++) {
		char *path cleanup_free = cache_path(cache, "tmp", "XXXXXX", fail);
		if (path == NULL) {
			return false;
		}
		if (mkdtemp(path) == NULL) {
			return fail_set(fail, errno, "can't make a directory in %s/tmp: %s", cache,
					strerror(errno));
		}
		int fd cleanup_close = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && flock_patiently(fd, LOCK_EX) == 0 && still_there(fd, path)) {
			*ret = (struct staging){.path = take(path), .fd = take_fd(&fd)};
			return true;
		}
	}
	return fail_set(fail, EBUSY, "can't keep a directory in %s/tmp", cache);
}

void staging_finish(struct staging *staging) {
	if (staging->path != NULL) {
		cache_remove(staging->path, NULL, NULL);
		close(staging->fd);
	}
	free(staging->path);
	*staging = (struct staging){0};
}

bool staging_write(const char *path, const void *bytes, size_t size, struct fail *fail) {
	int fd cleanup_close = open(
			path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	return (fd >= 0 && file_write(fd, bytes, size) && fsync(fd) == 0) ||
	       fail_set(fail, errno, "can't write %s: %s", path, strerror(errno));
}

/* A directory's entries as they are after a power cut. */
static bool sync_directory(const char *path, struct fail *fail) {
	int fd cleanup_close = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (fd >= 0 && fsync(fd) == 0) ||
	       fail_set(fail, errno, "can't write %s to the disk: %s", path, strerror(errno));
}

bool staging_publish(const char *from, const char *to, struct fail *fail) {
	if (!sync_directory(from, fail)) {
		return false;
	}
	if (rename(from, to) != 0 && errno != ENOTEMPTY && errno != EEXIST) {
		return fail_set(fail, errno, "can't move %s to %s: %s", from, to, strerror(errno));
	}
	char *parent cleanup_free = strndup(to, (size_t)(strrchr(to, '/') - to));
	return parent != NULL ? sync_directory(parent, fail) : fail_set(fail, ENOMEM, "no memory");
}

void staging_sweep(const char *cache, uint64_t *ret_bytes) {
	char *tmp cleanup_free = cache_path(cache, "tmp", "", NULL);
	DIR *directory cleanup_closedir = tmp != NULL ? opendir(tmp) : NULL;
	for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
		char *path cleanup_free = NULL;
		if (entry->d_name[0] == '.' || asprintf(&path, "%s%s", tmp, entry->d_name) < 0) {
			continue;
		}
		int fd cleanup_close = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock_patiently(fd, LOCK_EX | LOCK_NB) == 0) {
			cache_remove(path, ret_bytes, NULL);
		}
	}
}
