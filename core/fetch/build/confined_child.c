/* From fork to execve of a program that is shut in: see confined.h. */
#include "core/base/confine.h"
#include "core/base/confine_program.h"
#include "core/base/landlock.h"
#include "core/fetch/build/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define DESCRIPTORS_MOST 256
/* Above those that the program gives a meaning to. */
#define ABOVE 10

/* ---- files ---- */

static bool enter_landlock(const struct confined *confined, struct fail *fail) {
	int ruleset cleanup_close = landlock_create(true, fail);
	return ruleset >= 0 && confine_allow_system(ruleset, fail) &&
	       (confined->current < 0 ||
			       landlock_allow(ruleset, confined->current, LANDLOCK_READ_TREE,
					       "the sources", fail)) &&
	       (confined->readable < 0 ||
			       landlock_allow(ruleset, confined->readable, LANDLOCK_READ_TREE,
					       "provider.h", fail)) &&
	       (confined->writable < 0 ||
			       landlock_allow(ruleset, confined->writable, LANDLOCK_WRITE_TREE,
					       "the build directory", fail)) &&
	       landlock_enter(ruleset, fail);
}

/* ---- descriptors ---- */

/* Moves a descriptor to where the numbers given below don't overwrite it; -1 stays -1. */
static bool lift(int *fd) {
	if (*fd >= 0) {
		*fd = fcntl(*fd, F_DUPFD_CLOEXEC, ABOVE);
		return *fd >= 0;
	}
	return true;
}

static bool put(int fd, int number) {
	if (fd < 0) {
		close(number);
		return true;
	}
	return dup2(fd, number) == number;
}

/* Nothing but stdin, stdout, stderr and the two directories lives through execve. */
static bool arrange(struct confined *confined, int output, int *setup) {
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || !lift(setup) || !lift(&null) || !lift(&output) ||
			!lift(&confined->writable) || !lift(&confined->readable) ||
			!lift(&confined->current)) {
		return false;
	}
	int current = confined->current;
	return (current < 0 ? chdir("/") : fchdir(current)) == 0 && put(null, 0) &&
	       put(output, 1) && put(output, 2) && put(confined->writable, 3) &&
	       put(confined->readable, 4) && close_range(5, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

/* ---- the rest ---- */

/* Not of processes: the kernel counts those of the user, who may have others. */
static bool set_limits(double seconds, struct fail *fail) {
	return confine_limit(RLIMIT_CPU, "RLIMIT_CPU", (rlim_t)ceil(seconds), fail) &&
	       confine_limit(RLIMIT_AS, "RLIMIT_AS", CONFINED_MEMORY_MOST, fail) &&
	       confine_limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", CONFINED_FILE_MOST, fail) &&
	       confine_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", DESCRIPTORS_MOST, fail) &&
	       confine_limit(RLIMIT_CORE, "RLIMIT_CORE", 0, fail);
}

/* The descriptors are open already. Limits come last: libseccomp needs memory. */
static bool shut_in(const struct confined *confined, struct fail *fail) {
	return confine_root(fail) && confine_privileges(fail) && enter_landlock(confined, fail) &&
	       confine_calls(fail) && set_limits(confined->seconds, fail);
}

void confined_child(const struct confined *confined, int output, int setup) {
	char *const environment[] = {
			"PATH=/usr/bin:/bin", "LC_ALL=C", "TMPDIR=" CONFINED_WRITABLE, NULL};
	struct confined inside = *confined;
	struct fail fail = {0};
	setsid();
	umask(022);
	confine_signals();
	if (!arrange(&inside, output, &setup)) {
		fail_set(&fail, errno, "can't arrange descriptors: %s", strerror(errno));
	} else if (shut_in(&inside, &fail)) {
		execve(inside.arguments[0], (char *const *)(uintptr_t)inside.arguments,
				environment);
		fail_set(&fail, errno, "can't start %s: %s", inside.arguments[0], strerror(errno));
	}
	dprintf(setup, "%d %s", fail.code, fail_words(&fail));
	_exit(127);
}
