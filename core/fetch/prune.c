/* Emptying the cache of what nobody needs: see fetch_prune in fetch.h. What goes is first moved
 * into a staging directory, so that nobody ever sees half of it. */
#include "core/fetch/cache.h"
#include "core/fetch/fetch.h"
#include "core/fetch/staging.h"

#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

/* COMMIT-PATHHASH */
#define PATH_HASH_SIZE (CACHE_HASH_SIZE - 1)

struct pruning {
	const char *cache;
	const char *const *commits;
	struct staging staging;
	unsigned moved;
	uint64_t *bytes;
	struct fail *fail;
	bool failed;
};

static void note_failure(struct pruning *pruning, const char *path) {
	pruning->failed = true;
	fail_set(pruning->fail, errno, "can't remove %s: %s", path, strerror(errno));
}

static void remove_whole(struct pruning *pruning, const char *path) {
	char *moved cleanup_free = NULL;
	if (asprintf(&moved, "%s/%u", pruning->staging.path, pruning->moved++) < 0) {
		moved = NULL;
		errno = ENOMEM;
	}
	if (moved == NULL || rename(path, moved) != 0) {
		note_failure(pruning, path);
		return;
	}
	if (!cache_remove(moved, pruning->bytes, pruning->fail)) {
		pruning->failed = true;
	}
}

static bool is_needed(const struct pruning *pruning, const char *name) {
	for (const char *const *commit = pruning->commits; *commit != NULL; commit++) {
		size_t length = strlen(*commit);
		if (length > 0 && strncmp(name, *commit, length) == 0 && name[length] == '-') {
			return true;
		}
	}
	return false;
}

/* Whether somebody holds files/KEY, KEY being how `name` begins. */
static bool is_held(const struct pruning *pruning, const char *name) {
	const char *dash = strchr(starts_with(name, "tree-") ? name + strlen("tree-") : name, '-');
	char *path cleanup_free = NULL;
	if (dash == NULL || asprintf(&path, "%s/files/%.*s", pruning->cache,
					    (int)(dash + 1 + PATH_HASH_SIZE - name), name) < 0) {
		return false;
	}
	int fd cleanup_close = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
}

static void prune_entry(struct pruning *pruning, const char *path, const char *name) {
	if (!is_needed(pruning, name) && !is_held(pruning, name)) {
		remove_whole(pruning, path);
	}
}

/* git/HASH.git: needed for updating what is locked to one of its commits. */
static void prune_repository(struct pruning *pruning, const char *path, const char *name) {
	for (const char *const *commit = pruning->commits; *commit != NULL; commit++) {
		char *kept cleanup_free = NULL;
		if (asprintf(&kept, "%s/refs/kept/%s", path, *commit) < 0 ||
				((*commit)[0] != '\0' && access(kept, F_OK) == 0)) {
			return;
		}
	}
	char *hash cleanup_free = strndup(name, strcspn(name, "."));
	int lock cleanup_close = hash != NULL ? cache_try_lock(pruning->cache, hash, NULL) : -1;
	if (lock >= 0) {
		remove_whole(pruning, path);
	}
}

/* Who waits for a lock notices that its file is gone. */
static void prune_lock(struct pruning *pruning, const char *path, const char *name) {
	int lock cleanup_close = cache_try_lock(pruning->cache, name, NULL);
	if (lock >= 0 && unlink(path) != 0) {
		note_failure(pruning, path);
	}
}

static void each(struct pruning *pruning, const char *below,
		void (*prune)(struct pruning *pruning, const char *path, const char *name)) {
	char *top cleanup_free = cache_path(pruning->cache, below, "", NULL);
	DIR *directory cleanup_closedir = top != NULL ? opendir(top) : NULL;
	for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
		char *path cleanup_free = NULL;
		if (entry->d_name[0] != '.' && asprintf(&path, "%s%s", top, entry->d_name) >= 0) {
			prune(pruning, path, entry->d_name);
		}
	}
}

bool fetch_prune(const char *cache, const char *const *commits, uint64_t *ret_bytes,
		struct fail *fail) {
	uint64_t bytes = 0;
	struct pruning pruning = {
			.cache = cache, .commits = commits, .bytes = &bytes, .fail = fail};
	if (!cache_make(cache, fail)) {
		return false;
	}
	staging_sweep(cache, &bytes);
	if (!staging_make(&pruning.staging, cache, fail)) {
		return false;
	}
	each(&pruning, "built", prune_entry);
	each(&pruning, "files", prune_entry);
	each(&pruning, "git", prune_repository);
	each(&pruning, "locks", prune_lock);
	staging_finish(&pruning.staging);
	if (ret_bytes != NULL) {
		*ret_bytes = bytes;
	}
	return !pruning.failed;
}
