/* Limits and privileges: see confine.h. */
#include "core/base/confine.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

bool confine_limit(int resource, const char *name, rlim_t most, struct fail *fail) {
	struct rlimit limits;
	int got = getrlimit((__rlimit_resource_t)resource, &limits);
	if (got == 0 && limits.rlim_max > most) {
		limits.rlim_max = most;
	}
	limits.rlim_cur = limits.rlim_max;
	if (got == 0 && setrlimit((__rlimit_resource_t)resource, &limits) == 0) {
		return true;
	}
	return fail_set(fail, errno, "can't set %s to %llu: %s", name, (unsigned long long)most,
			strerror(errno));
}

bool confine_root(struct fail *fail) {
	if (geteuid() != 0) {
		return true;
	}
	if (setgroups(0, NULL) != 0 ||
			setresgid(CONFINE_NOBODY, CONFINE_NOBODY, CONFINE_NOBODY) != 0 ||
			setresuid(CONFINE_NOBODY, CONFINE_NOBODY, CONFINE_NOBODY) != 0) {
		return fail_set(fail, errno, "can't become nobody (%d): %s", CONFINE_NOBODY,
				strerror(errno));
	}
	return true;
}

bool confine_privileges(struct fail *fail) {
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
			prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
			prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0) {
		return true;
	}
	return fail_set(fail, errno, "can't give up privileges: %s", strerror(errno));
}
