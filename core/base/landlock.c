/* Landlock: see landlock.h. <linux/landlock.h> of the build may be older than the kernel, so its
 * structs and sets of rights stand here: kernel 5.13 (ABI 1) to 6.12 (ABI 6). */
#include "core/base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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
/* Execute, write, read, truncate, ioctl on devices. */
#define RIGHTS_OF_FILES (1ULL << 0 | 1ULL << 1 | 1ULL << 2 | 1ULL << 14 | 1ULL << 15)

int landlock_abi(void) {
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	return abi > 0 ? (int)abi : 0;
}

/* The rights of the file system that each ABI knows: all are handled, so all are refused but for
 * what a rule allows. */
static uint64_t rights_of(int abi) {
	if (abi >= 5) {
		return (1ULL << 16) - 1; /* + ioctl on devices */
	}
	if (abi >= 3) {
		return (1ULL << 15) - 1; /* + truncate */
	}
	return abi == 2 ? (1ULL << 14) - 1 : (1ULL << 13) - 1; /* + linking across directories */
}

static size_t ruleset_size(int abi) {
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

int landlock_create(bool no_network, struct fail *fail) {
	int abi = landlock_abi();
	if (abi == 0) {
		fail_set(fail, ENOSYS,
				"this kernel has no Landlock (5.13 or newer, with landlock in its "
				"lsm= list)");
		return -1;
	}
	struct ruleset rules = {
			.access_fs = rights_of(abi), .access_net = no_network ? 3 : 0, .scoped = 3};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, ruleset_size(abi), 0);
	if (ruleset < 0) {
		fail_set(fail, errno, "can't create a Landlock ruleset (ABI %d): %s", abi,
				strerror(errno));
	}
	return ruleset;
}

bool landlock_allow(int ruleset, int fd, uint64_t rights, const char *name, struct fail *fail) {
	struct stat about;
	bool known = fstat(fd, &about) == 0;
	struct path_beneath rule = {
			.allowed_access = rights & rights_of(landlock_abi()), .parent_fd = fd};
	if (known && !S_ISDIR(about.st_mode)) {
		rule.allowed_access &= RIGHTS_OF_FILES;
	}
	if (known && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0) {
		return true;
	}
	return fail_set(fail, errno, "can't allow %s in the sandbox: %s", name, strerror(errno));
}

bool landlock_allow_path(int ruleset, const char *path, uint64_t rights, struct fail *fail) {
	int fd cleanup_close = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 || landlock_allow(ruleset, fd, rights, path, fail);
}

bool landlock_enter(int ruleset, struct fail *fail) {
	return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ||
	       fail_set(fail, errno, "can't enter Landlock: %s", strerror(errno));
}
