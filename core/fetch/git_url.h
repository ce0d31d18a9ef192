/* The address of a git repository, taken apart, checked and put together again in one canonical
 * form. What comes out holds nothing that a shell, ssh or git at the other end could read as more
 * than a name. */
#ifndef CORE_FETCH_GIT_URL_H
#define CORE_FETCH_GIT_URL_H

#include "core/base/fail.h"

enum git_scheme { GIT_HTTPS, GIT_SSH, GIT_GIT, GIT_FILE };

struct git_url {
	enum git_scheme scheme;
	char *user; /* ssh: "" none */
	char *host; /* lower case, an IPv6 address without its brackets; "" of a file */
	int port; /* 0: the scheme's own */
	char *path; /* begins with '/' */
	bool below_home; /* ssh: USER@HOST:PATH, a path that the server looks for below the user's
			    home; its '/' isn't sent */
};

/* `text` is "SCHEME://…" or "USER@HOST:PATH", with neither @REF nor #PATH. False with EINVAL and
 * words that say what is wrong, never showing a password. */
bool git_url_parse(struct git_url *ret, const char *text, struct fail *fail);
void git_url_finish(struct git_url *url);
/* Canonical; USER@HOST:/PATH becomes ssh://. The caller frees; NULL without memory. */
char *git_url_text(const struct git_url *url);
/* Where the @ of @REF stands in an address, or its end: the first in the path but for one at its
 * very beginning, as in https://host/@user/repository. */
const char *git_url_end(const char *text);
/* Whether it is USER@HOST:PATH, as scp has it: no slash before the colon. */
bool git_url_is_scp_like(const char *text);

/* What `git check-ref-format --allow-onelevel` accepts, not beginning with '-', without '#'. */
bool git_ref_check(const char *ref, struct fail *fail);
/* "a/b": no empty component, ".", ".." or ".git" in it, no control byte, blank or backslash. */
bool git_path_check(const char *path, struct fail *fail);

#define cleanup_git_url cleanup(git_url_finish)

#endif
