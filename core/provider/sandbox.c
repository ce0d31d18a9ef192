/* Limits, privileges and Landlock of a provider's process: see sandbox.h. */
#include "core/provider/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

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

/* ---- Landlock: <linux/landlock.h> of the build may be older than the kernel, so the three structs
 * and the sets of rights stand here. landlock(7), kernel 5.13 (ABI 1) to 6.12 (ABI 6). ---- */

struct ruleset {
	uint64_t access_fs;
	uint64_t access_net; /* ABI 4 */
	uint64_t scoped; /* ABI 6 */
};

struct path_beneath {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

#define RULE_PATH_BENEATH 1
#define CREATE_RULESET_VERSION 1U
#define ACCESS_EXECUTE (1ULL << 0)
#define ACCESS_READ_FILE (1ULL << 2)

/* The rights of the file system that each ABI knows: all are handled, so all are refused but for
 * what a rule allows. */
static uint64_t rights_of(long abi) {
	if (abi >= 5) {
		return (1ULL << 16) - 1; /* + ioctl on devices */
	}
	if (abi >= 3) {
		return (1ULL << 15) - 1; /* + truncate */
	}
	return abi == 2 ? (1ULL << 14) - 1 : (1ULL << 13) - 1; /* + linking across directories */
}

static size_t ruleset_size(long abi) {
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

static bool allow_descriptor(int ruleset, int fd, const char *name, struct fail *fail) {
	struct path_beneath rule = {
			.allowed_access = ACCESS_EXECUTE | ACCESS_READ_FILE, .parent_fd = fd};
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0) {
		return true;
	}
	return fail_set(fail, errno, "can't allow %s in the sandbox: %s", name, strerror(errno));
}

/* Where the dynamic loader of any distribution looks; what isn't there needs no rule. */
static bool allow_libraries(int ruleset, struct fail *fail) {
	static const char *const paths[] = {"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32",
			"/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd cleanup_close = open(paths[i], O_PATH | O_CLOEXEC);
		if (fd >= 0 && !allow_descriptor(ruleset, fd, paths[i], fail)) {
			return false;
		}
	}
	return true;
}

static bool enter_landlock(const struct sandbox_options *options, struct fail *fail) {
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	if (abi < 1) {
		return options->landlock_may_be_absent ||
		       fail_set(fail, ENOSYS,
				       "this kernel has no Landlock (5.13 or newer, with "
				       "landlock in its lsm= list), and without it only "
				       "bundled providers are loaded; `sandbox: seccomp` in "
				       "config.yml does without");
	}
	struct ruleset rules = {.access_fs = rights_of(abi), .access_net = 3, .scoped = 3};
	int ruleset cleanup_close = (int)syscall(
			SYS_landlock_create_ruleset, &rules, ruleset_size(abi), 0);
	if (ruleset < 0) {
		return fail_set(fail, errno, "can't create a Landlock ruleset (ABI %ld): %s", abi,
				strerror(errno));
	}
	if (!allow_libraries(ruleset, fail) || !allow_descriptor(ruleset, options->object_fd,
							       "the provider's object", fail)) {
		return false;
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
		return fail_set(fail, errno, "can't enter Landlock: %s", strerror(errno));
	}
	return true;
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
