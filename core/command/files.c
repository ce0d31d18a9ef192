/* Files that people keep: see files.h. */
#include "core/command/files.h"

#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

bool file_write_new(const char *path, const void *bytes, size_t size, struct fail *fail) {
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST) {
		return fail_set(fail, EEXIST, "%s is there already, and nothing is overwritten",
				path);
	}
	if (fd >= 0 && !file_write(fd, bytes, size)) {
		int code = errno;
		unlink(path);
		return fail_set(fail, code, "%s: %s", path, strerror(code));
	}
	return fd >= 0 || fail_set(fail, errno, "%s: %s", path, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *where) {
	(void)about, (void)type, (void)where;
	remove(path);
	return 0;
}

void directory_remove(const char *path) {
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
