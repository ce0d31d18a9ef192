/* The copy of a remote repository that the cache keeps, bare. A copy whose last user didn't end in
 * order is not trusted any more: the next one begins afresh, so that a killed fetch leaves nothing
 * half behind, whatever it was doing. */
#ifndef CORE_FETCH_WORKER_REPOSITORY_H
#define CORE_FETCH_WORKER_REPOSITORY_H

#include "core/base/fail.h"

#include <git2.h>
#include <stdbool.h>

struct repository {
	git_repository *git; /* NULL when it couldn't be opened; it is closed all the same */
	char *path;
	char *busy; /* a file that is there while it is used; "" for one that isn't the cache's */
	bool damaged; /* set by whoever finds something missing in it: the next begins afresh */
};

/* CACHE/git/HASH.git, made when it isn't there. The caller holds its lock. */
bool repository_open_cached(
		struct repository *ret, const char *cache, const char *hash, struct fail *fail);
/* One on this machine, to be read as it lies there: bare or not. */
bool repository_open_local(struct repository *ret, const char *path, struct fail *fail);
void repository_close(struct repository *repository);

/* The commit that `id`, a commit or a tag, leads to. ENOENT when it isn't here, EINVAL with words
 * when it leads to something else. */
bool repository_commit(
		struct repository *repository, const git_oid *id, git_oid *ret, struct fail *fail);
/* The commit that begins with these hex digits. ENOENT, or EINVAL with words when several do. */
bool repository_short_commit(
		struct repository *repository, const char *digits, git_oid *ret, struct fail *fail);
/* The tree of a directory below a commit ("" its top). ENOENT with words. */
bool repository_tree(struct repository *repository, const git_oid *commit, const char *path,
		git_oid *ret, struct fail *fail);
/* Keeps a commit whose files were seen whole: refs/kept/COMMIT. */
bool repository_keep(struct repository *repository, const git_oid *commit, struct fail *fail);
/* The words of libgit2's last failure, made fit to be shown; to be freed; NULL without memory. */
char *git_failure(void);

#define cleanup_repository cleanup(repository_close)

#endif
