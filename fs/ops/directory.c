/* Listing directories for the kernel, which keeps what it was told until inval_inode or a new
 * mtime. */
#include "fs/ops/ops.h"

#include <errno.h>
#include <string.h>

/* A listing as it is being filled into the kernel's buffer. */
struct filling {
	fuse_req_t req;
	struct tree *tree;
	pid_t tid;
	bool plus;
	char *bytes;
	size_t size, used;
};

static bool add(struct filling *filling, const char *name, const struct fuse_entry_param *entry,
		off_t position) {
	char *to = filling->bytes + filling->used;
	size_t left = filling->size - filling->used;
	size_t needed = filling->plus ? fuse_add_direntry_plus(filling->req, to, left, name, entry,
							position)
				      : fuse_add_direntry(filling->req, to, left, name,
							&entry->attr, position);
	if (needed > left) {
		return false;
	}
	filling->used += needed;
	return true;
}

static bool on_entry(void *data, const char *name, const struct node *node, int64_t position) {
	struct filling *filling = data;
	struct fuse_entry_param entry = {
			.attr = {.st_ino = node_of(node), .st_mode = node->entry->mode}};
	if (filling->plus && entry_fill(filling->tree, node, filling->tid, &entry) != 0) {
		/* It went while it was listed. */
		return true;
	}
	return add(filling, name, &entry, position);
}

static bool add_dots(struct filling *filling, uint64_t ino, int64_t after) {
	static const char *const dots[] = {".", ".."};
	for (int64_t i = after; i < 2; i++) {
		/* ino 0 tells the kernel to look it up itself, if it must. */
		struct fuse_entry_param entry = {.attr = {.st_ino = ino, .st_mode = S_IFDIR}};
		if (!add(filling, dots[i], &entry, i + 1)) {
			return false;
		}
	}
	return true;
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool plus) {
	struct tree *tree = tree_of(req);
	struct node directory;
	int failed = node_resolve(tree, ino, &directory);
	cleanup_free char *bytes = failed == 0 ? malloc(size) : NULL;
	if (failed != 0 || bytes == NULL) {
		fuse_reply_err(req, failed != 0 ? failed : ENOMEM);
		return;
	}
	struct filling filling = {
			.req = req,
			.tree = tree,
			.tid = caller(req),
			.plus = plus,
			.bytes = bytes,
			.size = size,
	};
	if (add_dots(&filling, ino, offset)) {
		node_list(tree, &directory, offset, on_entry, &filling);
	}
	fuse_reply_buf(req, bytes, filling.used);
}

/* Each listing is kept for as long as its directory's mtime stays the same, which node_attributes
 * sees to. So there is nothing to open: told once, the kernel neither opens nor closes directories,
 * which is half of the requests of a walk. */
void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
	struct tree *tree = tree_of(req);
	struct node directory;
	int failed = tree->no_opendir ? ENOSYS : node_resolve(tree, ino, &directory);
	if (failed != 0) {
		fuse_reply_err(req, failed);
		return;
	}
	info->cache_readdir = 1;
	info->keep_cache = 1;
	fuse_reply_open(req, info);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *info) {
	(void)info;
	list(req, ino, size, offset, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *info) {
	(void)info;
	list(req, ino, size, offset, true);
}
