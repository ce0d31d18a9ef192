/* Finding the other parts: see locate.h. */
#include "fs/locate.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

bool locate(char *provider_directory, char *runner, size_t size, struct fail *fail) {
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (length < 0) {
		return fail_set(fail, errno, "/proc/self/exe can't be read: %s", strerror(errno));
	}
	own[length] = '\0';
	*strrchr(own, '/') = '\0';
	/* Uninstalled: BUILD/fs/conduitfs, BUILD/core/provider/conduitfs-provider, BUILD/providers. */
	int needed = snprintf(runner, size, "%s/../core/provider/conduitfs-provider", own);
	if (needed > 0 && (size_t)needed < size && access(runner, X_OK) == 0) {
		snprintf(provider_directory, size, "%s/../providers", own);
		return true;
	}
	snprintf(runner, size, "%s/conduitfs-provider", CONDUITFS_LIBEXECDIR);
	snprintf(provider_directory, size, "%s/providers", CONDUITFS_LIBDIR);
	return access(runner, X_OK) == 0 ||
			fail_set(fail, ENOENT,
					"conduitfs-provider isn't at %s: conduitfs isn't installed whole",
					runner);
}

void unmount_by_helper(const char *mountpoint) {
	char *arguments[] = {"fusermount3", "-u", "-z", "--", (char *)mountpoint, NULL};
	pid_t pid;
	if (posix_spawnp(&pid, "fusermount3", NULL, NULL, arguments, environ) == 0) {
		waitpid(pid, NULL, 0);
	}
}
