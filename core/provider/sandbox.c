/* Limits, privileges and Landlock of a provider's process: see sandbox.h. */
#include "core/provider/sandbox.h"

#include "core/base/landlock.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define NOBODY 65534
#define MEMORY_MOST ((rlim_t)512 << 20)
/* The four that stay, the object, and a library or two while loading. */
#define DESCRIPTORS_MOST 16

static bool limit(int resource, const char *name, rlim_t most, struct fail *fail) {
	struct rlimit limits = {.rlim_cur = most, .rlim_max = most};
	if (setrlimit((__rlimit_resource_t)resource, &limits) == 0) {
		return true;
	}
	return fail_set(fail, errno, "can't set %s to %llu: %s", name, (unsigned long long)most,
			strerror(errno));
}

static bool set_limits(struct fail *fail) {
	if (!SANDBOX_LENIENT && !limit(RLIMIT_AS, "RLIMIT_AS", MEMORY_MOST, fail)) {
		return false;
	}
	return limit(RLIMIT_CORE, "RLIMIT_CORE", 0, fail) &&
	       limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", 0, fail) &&
	       limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", DESCRIPTORS_MOST, fail);
}

static bool drop_root(struct fail *fail) {
	if (geteuid() != 0) {
		return true;
	}
	if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
			setresuid(NOBODY, NOBODY, NOBODY) != 0) {
		return fail_set(fail, errno, "can't become nobody (%d): %s", NOBODY,
				strerror(errno));
	}
	return true;
}

/* Where the dynamic loader of any distribution looks; what isn't there needs no rule. */
static bool allow_libraries(int ruleset, struct fail *fail) {
	static const char *const paths[] = {"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32",
			"/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!landlock_allow_path(ruleset, paths[i], LANDLOCK_READ_AND_EXECUTE, fail)) {
			return false;
		}
	}
	return true;
}

static bool enter_landlock(const struct sandbox_options *options, struct fail *fail) {
	struct fail why cleanup_fail = {0};
	int ruleset cleanup_close = landlock_create(true, &why);
	if (ruleset < 0 && why.code == ENOSYS) {
		return options->landlock_may_be_absent ||
		       fail_set(fail, ENOSYS,
				       "%s, and without it only bundled providers are loaded; "
				       "`sandbox: seccomp` in config.yml does without",
				       fail_words(&why));
	}
	if (ruleset < 0) {
		return fail_set(fail, why.code, "%s", fail_words(&why));
	}
	return allow_libraries(ruleset, fail) &&
	       landlock_allow(ruleset, options->object_fd, LANDLOCK_READ_AND_EXECUTE,
			       "the provider's object", fail) &&
	       landlock_enter(ruleset, fail);
}

bool sandbox_enter(const struct sandbox_options *options, struct fail *fail) {
	if (!set_limits(fail) || !drop_root(fail)) {
		return false;
	}
	/* After the change of user, which resets the last two. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
			prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
		return fail_set(fail, errno, "can't give up privileges: %s", strerror(errno));
	}
	return enter_landlock(options, fail);
}
