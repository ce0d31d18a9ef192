/* The FUSE operations: what the kernel asks, in terms of nodes and handles. */
#ifndef FS_OPS_OPS_H
#define FS_OPS_OPS_H

#include "fs/file/handle.h"

extern const struct fuse_lowlevel_ops tree_ops;

static inline struct tree *tree_of(fuse_req_t req) {
	struct tree *tree = fuse_req_userdata(req);
	tree->asker = fuse_req_ctx(req)->pid;
	return tree;
}

static inline pid_t caller(fuse_req_t req) {
	return fuse_req_ctx(req)->pid;
}

/* Answers with the node's entry; with ENOENT (kept for a moment) when it is NULL. */
void reply_entry(fuse_req_t req, const struct node *node);
/* Fills what a lookup and a listing tell of a node; 0 or an errno. */
int entry_fill(struct tree *tree, const struct node *node, pid_t tid, struct fuse_entry_param *ret);

/* directory.c */
void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info);
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *info);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *info);

/* file.c */
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info);
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *info);
void op_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset,
		struct fuse_file_info *info);
void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info);
void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *info);
void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info);
void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info,
		struct fuse_pollhandle *poll);
void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attributes, int valid,
		struct fuse_file_info *info);

/* make.c */
void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		struct fuse_file_info *info);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);

/* remove.c */
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);

/* rename.c */
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		const char *new_name, unsigned int flags);

#endif
