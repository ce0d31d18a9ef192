/* Copies of repositories: see repository.h. */
#include "core/fetch/worker/repository.h"

#include "core/base/plain.h"
#include "core/fetch/cache.h"
#include "core/fetch/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define WORDS_MOST 400

char *git_failure(void) {
	const git_error *error = git_error_last();
	const char *message = error != NULL && error->message != NULL ? error->message
								      : "no reason was given";
	return plain_text(message, strlen(message), WORDS_MOST, false);
}

/* `errno` of a failure of libgit2's: it keeps the words alone. */
static int code_of(const char *words) {
	static const int codes[] = {ENOSPC, EDQUOT, EROFS, EACCES, EIO, ENOMEM, EFBIG};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strstr(words, strerror(codes[i])) != NULL) {
			return codes[i];
		}
	}
	return EIO;
}

static bool failed(struct fail *fail, const char *doing, const char *path) {
	char *words cleanup_free = git_failure();
	return fail_set(fail, words != NULL ? code_of(words) : ENOMEM, "can't %s %s: %s", doing,
			path, words != NULL ? words : "no memory");
}

static bool make(const char *cache, const char *path, struct fail *fail) {
	struct staging staging cleanup_staging = {.fd = -1};
	char *fresh cleanup_free = NULL;
	git_repository *git = NULL;
	git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT |
			GIT_REPOSITORY_INIT_MKDIR;
	options.initial_head = "kept";
	if (!staging_make(&staging, cache, fail)) {
		return false;
	}
	if (asprintf(&fresh, "%s/git", staging.path) < 0) {
		fresh = NULL;
		return fail_set(fail, ENOMEM, "no memory");
	}
	if (git_repository_init_ext(&git, fresh, &options) != 0) {
		return failed(fail, "make", path);
	}
	git_repository_free(git);
	return staging_publish(fresh, path, fail);
}

/* From here on until repository_close what lies there may be half. */
static bool mark_busy(struct repository *repository, struct fail *fail) {
	if (asprintf(&repository->busy, "%s/busy", repository->path) < 0) {
		repository->busy = NULL;
		return fail_set(fail, ENOMEM, "no memory");
	}
	int fd cleanup_close = open(repository->busy, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return (fd >= 0 && fsync(fd) == 0) ||
	       fail_set(fail, errno, "can't write %s: %s", repository->busy, strerror(errno));
}

static bool was_left_busy(const char *path) {
	char *busy cleanup_free = NULL;
	return asprintf(&busy, "%s/busy", path) >= 0 && access(busy, F_OK) == 0;
}

bool repository_open_cached(
		struct repository *ret, const char *cache, const char *hash, struct fail *fail) {
	struct repository repository cleanup_repository = {.damaged = true};
	char *name cleanup_free = NULL;
	if (asprintf(&name, "%s.git", hash) < 0 ||
			(repository.path = cache_path(cache, "git", name, fail)) == NULL) {
		return fail_set(fail, ENOMEM, "no memory");
	}
	if ((was_left_busy(repository.path) ||
			    git_repository_open_bare(&repository.git, repository.path) != 0) &&
			(!cache_remove(repository.path, NULL, fail) ||
					!make(cache, repository.path, fail))) {
		return false;
	}
	if (!mark_busy(&repository, fail)) {
		return false;
	}
	if (repository.git == NULL &&
			git_repository_open_bare(&repository.git, repository.path) != 0) {
		return failed(fail, "open", repository.path);
	}
	repository.damaged = false;
	*ret = repository;
	repository = (struct repository){0};
	return true;
}

bool repository_open_local(struct repository *ret, const char *path, struct fail *fail) {
	*ret = (struct repository){.path = strdup(path), .busy = strdup("")};
	if (ret->path == NULL || ret->busy == NULL) {
		return fail_set(fail, ENOMEM, "no memory");
	}
	if (git_repository_open(&ret->git, path) != 0) {
		char *words cleanup_free = git_failure();
		return fail_set(fail, ENOENT, "file://%s can't be opened as a git repository: %s",
				path, words != NULL ? words : "no memory");
	}
	return true;
}

void repository_close(struct repository *repository) {
	git_repository_free(repository->git);
	if (!repository->damaged && repository->busy != NULL && repository->busy[0] != '\0') {
		unlink(repository->busy);
	}
	free(repository->path);
	free(repository->busy);
	*repository = (struct repository){0};
}

/* ---- looking ---- */

static void free_object(git_object **object) {
	git_object_free(*object);
}

static void free_entry(git_tree_entry **entry) {
	git_tree_entry_free(*entry);
}

bool repository_commit(
		struct repository *repository, const git_oid *id, git_oid *ret, struct fail *fail) {
	git_object *object cleanup(free_object) = NULL, *commit cleanup(free_object) = NULL;
	if (git_object_lookup(&object, repository->git, id, GIT_OBJECT_ANY) != 0) {
		return fail_set(fail, ENOENT, "the copy of the repository doesn't hold it");
	}
	if (git_object_peel(&commit, object, GIT_OBJECT_COMMIT) != 0) {
		return fail_set(fail, EINVAL, "it is a %s and leads to no commit",
				git_object_type2string(git_object_type(object)));
	}
	git_oid_cpy(ret, git_object_id(commit));
	return true;
}

bool repository_short_commit(struct repository *repository, const char *digits, git_oid *ret,
		struct fail *fail) {
	git_object *object cleanup(free_object) = NULL;
	git_oid prefix;
	if (git_oid_fromstrn(&prefix, digits, strlen(digits)) != 0) {
		return fail_set(fail, EINVAL, "'%s' isn't hexadecimal", digits);
	}
	int error = git_object_lookup_prefix(
			&object, repository->git, &prefix, strlen(digits), GIT_OBJECT_COMMIT);
	if (error == GIT_EAMBIGUOUS) {
		return fail_set(fail, EINVAL,
				"several objects of the repository begin with '%s': write more of "
				"the commit",
				digits);
	}
	if (error != 0) {
		return fail_set(fail, ENOENT, "no commit begins with '%s'", digits);
	}
	git_oid_cpy(ret, git_object_id(object));
	return true;
}

bool repository_tree(struct repository *repository, const git_oid *commit, const char *path,
		git_oid *ret, struct fail *fail) {
	git_object *object cleanup(free_object) = NULL, *tree cleanup(free_object) = NULL;
	git_tree_entry *entry cleanup(free_entry) = NULL;
	if (git_object_lookup(&object, repository->git, commit, GIT_OBJECT_COMMIT) != 0 ||
			git_object_peel(&tree, object, GIT_OBJECT_TREE) != 0) {
		repository->damaged = true;
		return failed(fail, "read a commit of", repository->path);
	}
	git_oid_cpy(ret, git_object_id(tree));
	if (path[0] == '\0') {
		return true;
	}
	int error = git_tree_entry_bypath(&entry, (git_tree *)tree, path);
	if (error != 0 || git_tree_entry_filemode(entry) != GIT_FILEMODE_TREE) {
		return fail_set(fail, ENOENT, "there is no directory '%s' in it", path);
	}
	git_oid_cpy(ret, git_tree_entry_id(entry));
	return true;
}

bool repository_keep(struct repository *repository, const git_oid *commit, struct fail *fail) {
	git_reference *reference = NULL;
	char name[64] = "refs/kept/";
	git_oid_tostr(name + strlen(name), GIT_OID_HEXSZ + 1, commit);
	if (git_reference_create(&reference, repository->git, name, commit, 1, NULL) != 0) {
		return failed(fail, "keep a commit in", repository->path);
	}
	git_reference_free(reference);
	return true;
}
