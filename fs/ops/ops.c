/* The table of FUSE operations, and those that only look: lookup, getattr, readlink, statfs. */
#include "fs/ops/ops.h"

#include "fs/file/scratch.h"
#include "fs/tree/links.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>

/* A name that isn't there is asked for again after this long (design section 2). */
#define NEGATIVE_KEEP 1.0

int entry_fill(struct tree *tree, const struct node *node, pid_t tid,
		struct fuse_entry_param *ret) {
	*ret = (struct fuse_entry_param){
			.ino = node_of(node),
			.entry_timeout = node_name_keep(tree, node),
	};
	return node_attributes(tree, node, tid, &ret->attr, &ret->attr_timeout);
}

void reply_entry(fuse_req_t req, const struct node *node) {
	struct fuse_entry_param entry = {.entry_timeout = NEGATIVE_KEEP};
	int failed = node != NULL ? entry_fill(tree_of(req), node, caller(req), &entry) : 0;
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		fuse_reply_entry(req, &entry);
	}
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
	struct tree *tree = tree_of(req);
	struct node directory, node;
	int failed = node_resolve(tree, parent, &directory);
	if (failed != 0) {
		fuse_reply_err(req, failed);
		return;
	}
	failed = node_child(tree, &directory, name, &node);
	/* Turns, forks and scratch files come at any moment: their absence isn't kept. */
	enum kind kind = directory.entry->kind;
	bool comes = kind == KIND_TURNS || kind == KIND_SESSIONS || node_takes_scratch(&directory);
	if (failed == ENOENT && !comes) {
		reply_entry(req, NULL);
	} else if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		reply_entry(req, &node);
	}
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
	struct tree *tree = tree_of(req);
	struct node node;
	struct stat attributes;
	double keep = 0;
	(void)info;
	int failed = node_resolve(tree, ino, &node);
	if (failed == 0) {
		failed = node_attributes(tree, &node, caller(req), &attributes, &keep);
	}
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		fuse_reply_attr(req, &attributes, keep);
	}
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino) {
	struct tree *tree = tree_of(req);
	struct node node;
	cleanup_buf struct buf target = {0};
	int failed = node_resolve(tree, ino, &node);
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else if (node.entry->kind == KIND_USER_LINK) {
		fuse_reply_readlink(req, user_link_get(tree->links, node.id)->target);
	} else if (node.entry->kind == KIND_SCRATCH) {
		const char *own = scratch_get(tree->scratch, node.id)->target;
		own != NULL ? fuse_reply_readlink(req, own) : fuse_reply_err(req, EINVAL);
	} else if (!S_ISLNK(node.entry->mode) ||
			!node.entry->show(tree, &node, caller(req), &target)) {
		fuse_reply_err(req, EINVAL);
	} else {
		fuse_reply_readlink(req, buf_string(&target));
	}
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino) {
	(void)ino;
	struct statvfs status = {
			.f_bsize = 4096,
			.f_frsize = 4096,
			.f_namemax = NAME_MAX,
	};
	fuse_reply_statfs(req, &status);
}

static void op_init(void *data, struct fuse_conn_info *connection) {
	struct tree *tree = data;
	tree->no_opendir = (connection->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
	/* READLINK is asked each time, so that `output` leads each caller to its own turn. */
	connection->want &= ~(unsigned)(FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_ASYNC_DIO |
					FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
					FUSE_CAP_SPLICE_MOVE);
	/* A RELEASE travels in the background: it must never queue behind others. */
	connection->max_background = 512;
	connection->congestion_threshold = 384;
}

const struct fuse_lowlevel_ops tree_ops = {
		.init = op_init,
		.lookup = op_lookup,
		.getattr = op_getattr,
		.setattr = op_setattr,
		.readlink = op_readlink,
		.mknod = op_mknod,
		.mkdir = op_mkdir,
		.unlink = op_unlink,
		.rmdir = op_rmdir,
		.symlink = op_symlink,
		.rename = op_rename,
		.link = op_link,
		.open = op_open,
		.read = op_read,
		.write = op_write,
		.flush = op_flush,
		.release = op_release,
		.fsync = op_fsync,
		.opendir = op_opendir,
		.readdir = op_readdir,
		.readdirplus = op_readdirplus,
		.statfs = op_statfs,
		.create = op_create,
		.poll = op_poll,
};
