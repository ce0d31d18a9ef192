/* Finding the other parts: see locate.h. */
#include "core/config/locate.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

void parts_finish(struct parts *parts) {
	free(parts->runner);
	free(parts->fetcher);
	free(parts->replayer);
	free(parts->providers);
	free(parts->include);
	*parts = (struct parts){0};
}

/* A directory and what lies below it; NULL without memory. */
static char *join(const char *directory, const char *below) {
	char *path;
	return asprintf(&path, "%s%s", directory, below) >= 0 ? path : NULL;
}

static bool set(struct parts *parts, const struct parts *paths, struct fail *fail) {
	parts_finish(parts);
	*parts = *paths;
	return (parts->runner != NULL && parts->fetcher != NULL && parts->replayer != NULL &&
			       parts->providers != NULL && parts->include != NULL) ||
	       fail_set(fail, ENOMEM, "no memory");
}

/* The build directory, if this is BUILD/fs/conduitfs. */
static bool above_own(char ret[PATH_MAX], struct fail *fail) {
	ssize_t length = readlink("/proc/self/exe", ret, PATH_MAX - 1);
	if (length < 0) {
		return fail_set(fail, errno, "/proc/self/exe can't be read: %s", strerror(errno));
	}
	ret[length] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(ret, '/');
		ret[slash != NULL ? slash - ret : 0] = '\0';
	}
	return true;
}

/* As in the folders of the sources. */
static bool set_uninstalled(struct parts *ret, const char *build, struct fail *fail) {
	struct parts paths = {
			.runner = join(build, "/core/provider/conduitfs-provider"),
			.fetcher = join(build, "/core/fetch/conduitfs-fetch"),
			.replayer = join(build, "/core/provider/conduitfs-replay"),
			.providers = join(build, "/providers"),
			.include = join(build, "/core/provider/include"),
	};
	return set(ret, &paths, fail);
}

static bool set_installed(struct parts *ret, struct fail *fail) {
	struct parts paths = {
			.runner = strdup(CONDUITFS_LIBEXECDIR "/conduitfs-provider"),
			.fetcher = strdup(CONDUITFS_LIBEXECDIR "/conduitfs-fetch"),
			.replayer = strdup(CONDUITFS_LIBEXECDIR "/conduitfs-replay"),
			.providers = strdup(CONDUITFS_LIBDIR "/providers"),
			.include = strdup(CONDUITFS_INCLUDEDIR),
	};
	return set(ret, &paths, fail);
}

bool locate(struct parts *ret, struct fail *fail) {
	char build[PATH_MAX];
	if (!above_own(build, fail) || !set_uninstalled(ret, build, fail)) {
		return false;
	}
	if (access(ret->runner, X_OK) == 0) {
		return true;
	}
	return set_installed(ret, fail) &&
	       (access(ret->runner, X_OK) == 0 ||
			       fail_set(fail, ENOENT,
					       "conduitfs-provider isn't at %s: conduitfs isn't "
					       "installed whole",
					       ret->runner));
}
