/* ~ and the XDG base directories: see paths.h. */
#include "core/config/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *join(const char *directory, const char *rest, struct fail *fail) {
	char *path = NULL;
	if (asprintf(&path, "%s%s", directory, rest) < 0) {
		fail_set(fail, ENOMEM, "no memory for a path");
		return NULL;
	}
	return path;
}

/* Valid until the environment or the password database is asked again. */
static const char *home(struct fail *fail) {
	const char *directory = getenv("HOME");
	if (directory != NULL && directory[0] == '/') {
		return directory;
	}
	const struct passwd *user = getpwuid(getuid());
	if (user != NULL && user->pw_dir[0] == '/') {
		return user->pw_dir;
	}
	fail_set(fail, ENOENT, "no home directory is known: set HOME");
	return NULL;
}

char *path_expand(const char *text, struct fail *fail) {
	if (text[0] == '/') {
		return join(text, "", fail);
	}
	if (text[0] != '~' || (text[1] != '/' && text[1] != '\0')) {
		fail_set(fail, EINVAL, "'%s' is not an absolute path: begin it with / or ~/", text);
		return NULL;
	}
	const char *directory = home(fail);
	return directory != NULL ? join(directory, text + 1, fail) : NULL;
}

char *path_xdg(const char *variable, const char *fallback, struct fail *fail) {
	const char *base = getenv(variable);
	if (base != NULL && base[0] == '/') {
		return join(base, "/conduitfs", fail);
	}
	const char *directory = home(fail);
	cleanup_free char *tail = NULL;
	if (directory == NULL || asprintf(&tail, "/%s/conduitfs", fallback) < 0) {
		return NULL;
	}
	return join(directory, tail, fail);
}
