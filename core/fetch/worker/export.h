/* Files from outside on their way into the cache: every name, kind and size is checked before a
 * byte is written. Regular files and directories only; no symbolic links at all, so that none can
 * lead anywhere. */
#ifndef CORE_FETCH_WORKER_EXPORT_H
#define CORE_FETCH_WORKER_EXPORT_H

#include "core/base/buf.h"
#include "core/base/fail.h"
#include "core/fetch/worker/report.h"

#include <git2.h>

#define EXPORT_FILE_MOST ((uint64_t)8 << 20)
#define EXPORT_BYTES_MOST ((uint64_t)32 << 20)
#define EXPORT_ENTRIES_MOST 2000 /* files and directories */
#define EXPORT_DEPTH_MOST 16
#define EXPORT_PATH_MOST 512

struct export {
	const char *root; /* the directory that files are written into, which is there; NULL: they
			     are only checked */
	struct report *report;
	uint64_t entries, bytes;
	struct buf manifests; /* where further manifests lie: lines, a few */
	bool has_manifest; /* at the top */
};

void export_finish(struct export *export);

/* Whether NAME may stand at PATH (its whole path, NAME last, below the root). */
bool export_check_name(const char *path, const char *name, struct fail *fail);
bool export_directory(struct export *export, const char *path, struct fail *fail);
/* Whether another file of `size` bytes may come; then it is counted. */
bool export_count(struct export *export, const char *path, uint64_t size, struct fail *fail);
/* The same, and writes it, 0444, synced. */
bool export_file(struct export *export, const char *path, const void *bytes, size_t size,
		struct fail *fail);

/* All of a git tree. ENOENT when an object of it is missing: the copy isn't whole. */
bool export_git_tree(struct export *export, git_repository *repository, const git_oid *tree,
		struct fail *fail);
/* All that counts of a directory: not what begins with '.', nor node_modules. `ret` is git's hash
 * of that, when they are written. */
bool export_tree_of(struct export *export, const char *directory, git_oid *ret, struct fail *fail);

#define cleanup_export cleanup(export_finish)

#endif
