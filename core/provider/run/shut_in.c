/* What a program gives up: see shut_in.h. */
#include "core/provider/run/shut_in.h"

#include "core/base/confine.h"
#include "core/base/confine_program.h"
#include "core/base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <string.h>
#include <unistd.h>

#define DESCRIPTORS_MOST 256

static bool allow_files(int ruleset, const struct shut_in *shut_in, struct fail *fail) {
	bool allowed = confine_allow_system(ruleset, fail) &&
		       landlock_allow_path(ruleset, "/dev/null", LANDLOCK_WRITE_FILE, fail) &&
		       landlock_allow_path(ruleset, "/dev/urandom", LANDLOCK_READ_FILE, fail);
	if (allowed && shut_in->directory) {
		allowed = landlock_allow(ruleset, SHUT_IN_DIRECTORY, LANDLOCK_WRITE_FILES,
				"the directory of results", fail);
	}
	for (int i = 0; allowed && i < shut_in->inputs; i++) {
		allowed = landlock_allow(ruleset, SHUT_IN_INPUTS + i, LANDLOCK_READ_FILE,
				"a file of the turn", fail);
	}
	return allowed;
}

static bool enter_landlock(const struct shut_in *shut_in, struct fail *fail) {
	if (shut_in->without_landlock && landlock_abi() == 0) {
		return true;
	}
	int ruleset cleanup_close = landlock_create(true, fail);
	return ruleset >= 0 && allow_files(ruleset, shut_in, fail) && landlock_enter(ruleset, fail);
}

static bool set_limits(const struct shut_in *shut_in, struct fail *fail) {
	return confine_limit(RLIMIT_CPU, "RLIMIT_CPU", shut_in->seconds, fail) &&
	       confine_limit(RLIMIT_AS, "RLIMIT_AS", shut_in->memory, fail) &&
	       confine_limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", shut_in->file, fail) &&
	       confine_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", DESCRIPTORS_MOST, fail) &&
	       confine_limit(RLIMIT_CORE, "RLIMIT_CORE", 0, fail);
}

static bool arrange(const struct shut_in *shut_in, struct fail *fail) {
	unsigned beyond = (unsigned)(SHUT_IN_INPUTS + shut_in->inputs);
	return ((shut_in->directory ? fchdir(SHUT_IN_DIRECTORY) : chdir("/")) == 0 &&
			       close_range(beyond, ~0U, CLOSE_RANGE_CLOEXEC) == 0) ||
	       fail_set(fail, errno, "can't arrange descriptors: %s", strerror(errno));
}

bool shut_in(const struct shut_in *shut_in, struct fail *fail) {
	/* Limits come last: libseccomp needs memory. */
	return arrange(shut_in, fail) && confine_root(fail) && confine_privileges(fail) &&
	       enter_landlock(shut_in, fail) && confine_calls(fail) && set_limits(shut_in, fail);
}
