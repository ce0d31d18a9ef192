/* Limits, privileges and Landlock of a provider's process: see sandbox.h. */
#include "core/provider/sandbox.h"

#include "core/base/confine.h"
#include "core/base/landlock.h"

#include <errno.h>

#define MEMORY_MOST ((rlim_t)512 << 20)
/* The four that stay, the object, and a library or two while loading. */
#define DESCRIPTORS_MOST 16

static bool set_limits(struct fail *fail) {
	if (!SANDBOX_LENIENT && !confine_limit(RLIMIT_AS, "RLIMIT_AS", MEMORY_MOST, fail)) {
		return false;
	}
	return confine_limit(RLIMIT_CORE, "RLIMIT_CORE", 0, fail) &&
	       confine_limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", 0, fail) &&
	       confine_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", DESCRIPTORS_MOST, fail);
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
	return set_limits(fail) && confine_root(fail) && confine_privileges(fail) &&
	       enter_landlock(options, fail);
}
