/* Finding the other parts: see locate.h. */
#include "fs/locate.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

/* Sets `path` to a directory and what lies below it. */
static bool set_path(char **path, const char *directory, const char *below, struct fail *fail) {
	free(*path);
	if (asprintf(path, "%s%s", directory, below) < 0) {
		*path = NULL;
		return fail_set(fail, ENOMEM, "no memory");
	}
	return true;
}

bool locate(char **ret_provider_directory, char **ret_runner, struct fail *fail) {
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (length < 0) {
		return fail_set(fail, errno, "/proc/self/exe can't be read: %s", strerror(errno));
	}
	own[length] = '\0';
	char *slash = strrchr(own, '/');
	if (slash == NULL) {
		return fail_set(fail, ENOENT, "/proc/self/exe leads to %s, which is no path", own);
	}
	*slash = '\0';
	/* Uninstalled: BUILD/fs/conduitfs, BUILD/core/provider/conduitfs-provider, BUILD/providers.
	 */
	if (!set_path(ret_runner, own, "/../core/provider/conduitfs-provider", fail)) {
		return false;
	}
	if (access(*ret_runner, X_OK) == 0) {
		return set_path(ret_provider_directory, own, "/../providers", fail);
	}
	return set_path(ret_runner, CONDUITFS_LIBEXECDIR, "/conduitfs-provider", fail) &&
	       set_path(ret_provider_directory, CONDUITFS_LIBDIR, "/providers", fail) &&
	       (access(*ret_runner, X_OK) == 0 ||
			       fail_set(fail, ENOENT,
					       "conduitfs-provider isn't at %s: conduitfs isn't "
					       "installed whole",
					       *ret_runner));
}

void unmount_by_helper(const char *mountpoint) {
	char *arguments[] = {"fusermount3", "-u", "-z", "--", (char *)mountpoint, NULL};
	pid_t pid;
	if (posix_spawnp(&pid, "fusermount3", NULL, NULL, arguments, environ) == 0) {
		waitpid(pid, NULL, 0);
	}
}
