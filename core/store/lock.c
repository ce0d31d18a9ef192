/* The state directory's lock: see lock.h. */
#include "core/store/lock.h"

#include "core/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

/* Three seconds in all; before the mount answers nobody is kept waiting by it. */
#define PATIENCE_TRIES 150
#define PATIENCE_PAUSE_NS 20000000L
#define LOCK_NAME "lock"

/* What the file says, for the words: the pid of whoever holds the lock. */
static void read_holder(int fd, char *ret, size_t size) {
	ssize_t got = pread(fd, ret, size - 1, 0);
	ret[got > 0 ? got : 0] = '\0';
	ret[strspn(ret, "0123456789")] = '\0';
}

static bool write_holder(int fd) {
	char pid[32];
	int length = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	/* On the disk before the first write to the database: after a power cut the mark must
	 * be seen. */
	return ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)length, 0) == length &&
	       fsync(fd) == 0;
}

/* One that was just unmounted is still putting its store in order: it is waited for, for a moment.
 * False with errno. */
static bool lock_with_patience(int fd) {
	const struct timespec pause = {.tv_nsec = PATIENCE_PAUSE_NS};
	for (int i = 0; i < PATIENCE_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			return true;
		}
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

int lock_take(const char *directory, bool *ret_unclean, struct fail *fail) {
	cleanup_buf struct buf path = {0};
	if (!buf_add_format(&path, "%s/" LOCK_NAME, directory)) {
		fail_set(fail, ENOMEM, "no memory for the path of %s", directory);
		return -1;
	}
	cleanup_close int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		fail_set(fail, errno,
				"%s: %s: the state directory must be writable; `state:` in "
				"config.yml "
				"names another",
				path.data, strerror(errno));
		return -1;
	}
	char holder[32];
	if (!lock_with_patience(fd)) {
		int code = errno == EWOULDBLOCK ? EBUSY : errno;
		read_holder(fd, holder, sizeof(holder));
		fail_set(fail, code,
				"%s is in use by another conduitfs (pid %s): unmount that one, or "
				"give "
				"this one its own `state:`",
				directory, holder[0] != '\0' ? holder : "unknown");
		return -1;
	}
	read_holder(fd, holder, sizeof(holder));
	*ret_unclean = holder[0] != '\0';
	if (!write_holder(fd)) {
		fail_set(fail, errno, "%s: %s", path.data, strerror(errno));
		return -1;
	}
	return take_fd(&fd);
}

void lock_mark_clean(int fd) {
	if (ftruncate(fd, 0) == 0) {
		fsync(fd);
	}
}
