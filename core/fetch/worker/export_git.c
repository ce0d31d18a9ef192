/* Files of a git tree: see export.h. No filter, attribute or hook of git has a part in this: blobs
 * are written as they are. */
#include "core/fetch/worker/export.h"

#include <errno.h>
#include <string.h>

/* A tree's object with 2000 entries of long names stays below it. */
#define TREE_MOST ((size_t)1 << 20)

struct walk {
	struct export *export;
	git_repository *repository;
	git_odb *odb;
	struct buf path;
	struct fail *fail;
};

static void free_tree(git_tree **tree) {
	git_tree_free(*tree);
}

static void free_blob(git_odb_object **object) {
	git_odb_object_free(*object);
}

static bool missing(struct walk *walk, const char *what) {
	const git_error *error = git_error_last();
	return fail_set(walk->fail, ENOENT, "the copy of the repository isn't whole, %s: %s", what,
			error != NULL ? error->message : "an object is missing");
}

/* Its size, before a byte of it is unpacked. */
static bool read_size(struct walk *walk, const git_oid *id, size_t *ret) {
	git_object_t type;
	return git_odb_read_header(ret, &type, walk->odb, id) == 0 ||
	       missing(walk, buf_string(&walk->path));
}

static bool export_blob(struct walk *walk, const git_oid *id) {
	git_odb_object *object cleanup(free_blob) = NULL;
	const char *path = buf_string(&walk->path);
	size_t size = 0;
	if (!read_size(walk, id, &size)) {
		return false;
	}
	if (walk->export->root == NULL) {
		return export_count(walk->export, path, size, walk->fail);
	}
	if (git_odb_read(&object, walk->odb, id) != 0) {
		return missing(walk, path);
	}
	return export_file(walk->export, path, git_odb_object_data(object),
			git_odb_object_size(object), walk->fail);
}

static bool export_entries(struct walk *walk, const git_oid *id);

static bool export_entry(struct walk *walk, const git_tree_entry *entry) {
	const char *path = buf_string(&walk->path);
	switch (git_tree_entry_filemode(entry)) {
	case GIT_FILEMODE_TREE:
		return export_directory(walk->export, path, walk->fail) &&
		       export_entries(walk, git_tree_entry_id(entry));
	case GIT_FILEMODE_BLOB:
	case GIT_FILEMODE_BLOB_EXECUTABLE:
		return export_blob(walk, git_tree_entry_id(entry));
	case GIT_FILEMODE_LINK:
		return fail_set(walk->fail, EINVAL,
				"'%s' is refused: it is a symbolic link, and a provider's files "
				"hold none; put the file itself there",
				path);
	case GIT_FILEMODE_COMMIT:
		return fail_set(walk->fail, EINVAL,
				"'%s' is refused: it is a submodule, and those aren't fetched; put "
				"the files themselves there",
				path);
	default:
		return fail_set(walk->fail, EINVAL, "'%s' is refused: it is no regular file", path);
	}
}

static bool export_entries(struct walk *walk, const git_oid *id) {
	git_tree *tree cleanup(free_tree) = NULL;
	size_t size = 0, above = walk->path.size;
	if (!read_size(walk, id, &size)) {
		return false;
	}
	if (size > TREE_MOST) {
		return fail_set(walk->fail, EFBIG, "'%s' is refused: its listing is above 1 MiB",
				buf_string(&walk->path));
	}
	if (git_tree_lookup(&tree, walk->repository, id) != 0) {
		return missing(walk, buf_string(&walk->path));
	}
	for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
		const char *name = git_tree_entry_name(entry);
		if (!buf_add_format(&walk->path, above > 0 ? "/%s" : "%s", name)) {
			return fail_set(walk->fail, ENAMETOOLONG, "'%s/…' is too long a path",
					buf_string(&walk->path));
		}
		if (!export_check_name(buf_string(&walk->path), name, walk->fail) ||
				!export_entry(walk, entry)) {
			return false;
		}
		walk->path.size = above;
		walk->path.data[above] = '\0';
	}
	return true;
}

bool export_git_tree(struct export *export, git_repository *repository, const git_oid *tree,
		struct fail *fail) {
	struct walk walk = {.export = export,
			.repository = repository,
			.path = {.limit = (size_t)64 << 10},
			.fail = fail};
	if (git_repository_odb(&walk.odb, repository) != 0) {
		return missing(&walk, "its objects can't be read");
	}
	bool exported = export_entries(&walk, tree);
	buf_finish(&walk.path);
	git_odb_free(walk.odb);
	return exported;
}
