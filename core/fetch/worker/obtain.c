/* Fetching, checking and keeping the files of a source: see obtain.h. */
#include "core/fetch/worker/obtain.h"

#include "core/base/text.h"
#include "core/fetch/cache.h"
#include "core/fetch/staging.h"
#include "core/fetch/worker/export.h"
#include "core/fetch/worker/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct obtaining {
	struct report *report;
	const struct task *task;
	struct fetch_result *ret;
	struct fail *fail;
};

/* ---- publishing ---- */

struct draft {
	struct staging staging;
	char *entry; /* becomes files/KEY */
	char *files; /* below it */
	struct export export;
};

static void draft_finish(struct draft *draft) {
	staging_finish(&draft->staging);
	free(draft->entry);
	free(draft->files);
	export_finish(&draft->export);
}

static bool draft_make(struct obtaining *o, struct draft *draft) {
	if (!staging_make(&draft->staging, o->task->cache, o->fail)) {
		return false;
	}
	if (asprintf(&draft->entry, "%s/entry", draft->staging.path) < 0 ||
			asprintf(&draft->files, "%s/files", draft->entry) < 0) {
		return fail_set(o->fail, ENOMEM, "no memory");
	}
	if (mkdir(draft->entry, 0755) != 0 || mkdir(draft->files, 0755) != 0) {
		return fail_set(o->fail, errno, "can't make %s: %s", draft->files, strerror(errno));
	}
	draft->export.root = draft->files;
	draft->export.report = o->report;
	return true;
}

/* CACHE/files/KEY; NULL with words. */
static char *entry_path(struct obtaining *o, const char *commit) {
	char *key cleanup_free = cache_key(commit, o->task->source.path);
	return key != NULL ? cache_path(o->task->cache, "files", key, o->fail) : NULL;
}

static bool set_result(struct obtaining *o, const char *commit, const char *tree) {
	char *entry cleanup_free = entry_path(o, commit);
	snprintf(o->ret->commit, sizeof(o->ret->commit), "%s", commit);
	snprintf(o->ret->tree, sizeof(o->ret->tree), "%s", tree);
	if (entry == NULL || asprintf(&o->ret->files, "%s/files", entry) < 0) {
		o->ret->files = NULL;
		return fail_set(o->fail, ENOMEM, "no memory");
	}
	return true;
}

/* After all was checked, before anything is written. */
static bool check_manifest(struct obtaining *o, const struct export *checked) {
	const char *where = o->task->source.path;
	const char *others = buf_string(&checked->manifests);
	return checked->has_manifest ||
	       fail_set(o->fail, ENOENT, "there is no " CACHE_MANIFEST " %s%s%s%s%s",
			       where[0] != '\0' ? "in " : "at the top", where,
			       others[0] != '\0' ? "; there is one in " : "", others,
			       others[0] != '\0' ? ": add #DIRECTORY to the source" : "");
}

static bool publish(
		struct obtaining *o, struct draft *draft, const char *commit, const git_oid *tree) {
	char hex[GIT_OID_HEXSZ + 1], *path cleanup_free = NULL;
	char *entry cleanup_free = entry_path(o, commit);
	git_oid_tostr(hex, sizeof(hex), tree);
	if (entry == NULL || asprintf(&path, "%s/tree", draft->entry) < 0) {
		return fail_set(o->fail, ENOMEM, "no memory");
	}
	return staging_write(path, hex, strlen(hex), o->fail) &&
	       staging_publish(draft->entry, entry, o->fail) && set_result(o, commit, hex);
}

/* ---- a directory ---- */

static bool obtain_directory(struct obtaining *o) {
	const struct source *source = &o->task->source;
	struct draft draft cleanup(draft_finish) = {.staging = {.fd = -1}};
	struct export checked cleanup_export = {.report = o->report};
	char *directory cleanup_free = NULL;
	char commit[FETCH_COMMIT_SIZE] = "tree-";
	git_oid tree;
	if (asprintf(&directory, "%s%s%s", source->url, source->path[0] != '\0' ? "/" : "",
			    source->path) < 0) {
		return fail_set(o->fail, ENOMEM, "no memory");
	}
	if (!export_tree_of(&checked, directory, &tree, o->fail) || !check_manifest(o, &checked) ||
			!draft_make(o, &draft) ||
			!export_tree_of(&draft.export, directory, &tree, o->fail)) {
		return false;
	}
	git_oid_tostr(commit + strlen(commit), GIT_OID_HEXSZ + 1, &tree);
	if (o->task->commit[0] != '\0' && strcmp(o->task->commit, commit) != 0) {
		return fail_set(o->fail, ESTALE,
				"the directory isn't any more as it was when it was loaded: "
				"`reload` takes it as it is now");
	}
	return publish(o, &draft, commit, &tree);
}

/* ---- git ---- */

static bool is_local(const struct source *source) {
	return starts_with(source->url, "file://");
}

static bool open_repository(struct obtaining *o, struct repository *ret) {
	const struct source *source = &o->task->source;
	char hash[CACHE_HASH_SIZE];
	if (is_local(source)) {
		return repository_open_local(ret, source->url + strlen("file://"), o->fail);
	}
	cache_hash(source->url, hash);
	return repository_open_cached(ret, o->task->cache, hash, o->fail);
}

static bool connect_to(struct obtaining *o, struct repository *repository, struct remote *ret) {
	const struct source *source = &o->task->source;
	return remote_connect(
			ret, is_local(source) ? NULL : repository, source->url, o->report, o->fail);
}

/* One ref, or one commit by its hash, and what it needs. */
static bool fetch_one(struct obtaining *o, struct remote *remote, const char *name) {
	char *refspec cleanup_free = NULL;
	if (asprintf(&refspec, "+%s:refs/incoming", name) < 0) {
		return fail_set(o->fail, ENOMEM, "no memory");
	}
	return remote_fetch(remote, &refspec, 1, false, o->fail);
}

static bool fetch_all(struct obtaining *o, struct repository *repository) {
	char *refspecs[] = {(char[]){"+refs/heads/*:refs/incoming/heads/*"},
			(char[]){"+refs/tags/*:refs/incoming/tags/*"}};
	struct remote remote cleanup_remote = {0};
	return connect_to(o, repository, &remote) &&
	       remote_fetch(&remote, refspecs, 2, true, o->fail);
}

static bool gone(struct obtaining *o, const char *commit, const struct heads *heads) {
	char *there cleanup_free = refs_there(heads);
	if (o->task->commit[0] == '\0') {
		return fail_set(o->fail, ENOENT,
				"the repository has no commit %s; it has the branches and tags %s",
				commit, there != NULL ? there : "");
	}
	return fail_set(o->fail, ENOENT,
			"the locked commit %s isn't in the repository any more (was its history "
			"rewritten, by a forced push?): `update` moves the lock to what %s%s leads "
			"to now",
			commit, o->task->source.ref[0] != '\0' ? "@" : "its default branch",
			o->task->source.ref);
}

/* Servers needn't give a commit that no ref leads to directly; then it is looked for in all. */
static bool fetch_commit(struct obtaining *o, struct repository *repository, struct remote *remote,
		const struct meaning_of *wanted, git_oid *ret) {
	char hex[GIT_OID_HEXSZ + 1];
	git_oid_tostr(hex, sizeof(hex), &wanted->id);
	if (wanted->name[0] != '\0') {
		return fetch_one(o, remote, wanted->name) &&
		       repository_commit(repository, &wanted->id, ret, o->fail);
	}
	if ((fetch_one(o, remote, hex) || fetch_all(o, repository)) &&
			repository_commit(repository, &wanted->id, ret, o->fail)) {
		return true;
	}
	/* Of a failure of the connection more is known than that the commit didn't come. */
	return o->fail->code == ENOENT || o->fail->code == EIO ? gone(o, hex, &remote->heads)
							       : false;
}

static bool take_wanted(struct obtaining *o, struct repository *repository, struct remote *remote,
		const struct meaning_of *wanted, git_oid *ret) {
	bool local = is_local(&o->task->source);
	if (wanted->meaning == MEANS_SHORT_COMMIT) {
		return (local || fetch_all(o, repository)) &&
		       repository_short_commit(repository, wanted->name, ret, o->fail);
	}
	if (repository_commit(repository, &wanted->id, ret, o->fail)) {
		return true;
	}
	if (o->fail->code == EINVAL || (local && wanted->meaning == MEANS_NAME)) {
		return false;
	}
	if (wanted->meaning == MEANS_COMMIT) {
		char hex[GIT_OID_HEXSZ + 1];
		git_oid_tostr(hex, sizeof(hex), &wanted->id);
		return local ? gone(o, hex, &remote->heads)
			     : fetch_commit(o, repository, remote, wanted, ret);
	}
	return fetch_one(o, remote, wanted->name) &&
	       repository_commit(repository, &wanted->id, ret, o->fail);
}

static bool find_commit(struct obtaining *o, struct repository *repository, git_oid *ret) {
	const char *locked = o->task->commit;
	struct remote remote cleanup_remote = {0};
	struct meaning_of wanted;
	git_oid id;
	if (locked[0] != '\0' && git_oid_fromstr(&id, locked) == 0 &&
			repository_commit(repository, &id, ret, NULL)) {
		return true;
	}
	return connect_to(o, repository, &remote) &&
	       resolve(&remote.heads, locked[0] != '\0' ? locked : o->task->source.ref, &wanted,
			       o->fail) &&
	       take_wanted(o, repository, &remote, &wanted, ret);
}

/* Whether an earlier load left them, whole as all that is in files/. */
static bool has_files(struct obtaining *o, const char *commit) {
	char *entry cleanup_free = entry_path(o, commit);
	return entry != NULL && access(entry, F_OK) == 0;
}

static bool export_commit(struct obtaining *o, struct repository *repository, const git_oid *id) {
	struct draft draft cleanup(draft_finish) = {.staging = {.fd = -1}};
	struct export checked cleanup_export = {.report = o->report};
	char commit[GIT_OID_HEXSZ + 1], hex[GIT_OID_HEXSZ + 1];
	git_oid tree;
	git_oid_tostr(commit, sizeof(commit), id);
	if (!repository_tree(repository, id, o->task->source.path, &tree, o->fail)) {
		return false;
	}
	if (has_files(o, commit)) {
		return set_result(o, commit, git_oid_tostr(hex, sizeof(hex), &tree));
	}
	report_progress(o->report, FETCH_CHECKING, 0, 0, 0, "checking files");
	if (!export_git_tree(&checked, repository->git, &tree, o->fail)) {
		repository->damaged = o->fail->code == ENOENT;
		return false;
	}
	if (!check_manifest(o, &checked) || !draft_make(o, &draft) ||
			!export_git_tree(&draft.export, repository->git, &tree, o->fail)) {
		return false;
	}
	return publish(o, &draft, commit, &tree);
}

/* Whether `previous` isn't in the commit's history. What can't be told, as of a commit that isn't
 * here, isn't so; a shallow copy is made a whole one for it, if that isn't too large. */
static bool is_rewritten(struct obtaining *o, struct repository *repository, const git_oid *now) {
	git_oid before;
	if (o->task->previous[0] == '\0' || git_oid_fromstr(&before, o->task->previous) != 0 ||
			git_oid_equal(&before, now)) {
		return false;
	}
	if (git_repository_is_shallow(repository->git) && !is_local(&o->task->source) &&
			!fetch_all(o, repository)) {
		return false;
	}
	return git_repository_is_shallow(repository->git) == 0 &&
	       git_graph_descendant_of(repository->git, now, &before) == 0;
}

static bool obtain_git(struct obtaining *o) {
	struct repository repository cleanup_repository = {0};
	git_oid commit;
	if (!open_repository(o, &repository) || !find_commit(o, &repository, &commit)) {
		return false;
	}
	o->ret->rewritten = is_rewritten(o, &repository, &commit);
	return export_commit(o, &repository, &commit) &&
	       (is_local(&o->task->source) || repository_keep(&repository, &commit, o->fail));
}

bool obtain(struct report *report, const struct task *task, struct fetch_result *ret,
		struct fail *fail) {
	struct obtaining o = {.report = report, .task = task, .ret = ret, .fail = fail};
	return task->source.kind == SOURCE_DIRECTORY ? obtain_directory(&o) : obtain_git(&o);
}
