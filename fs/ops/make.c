/* Making names. Making one of ours anew is a write of it. */
#include "fs/ops/name.h"

#include "core/engine/session/session.h"
#include "fs/content/accept.h"
#include "fs/file/attach.h"
#include "fs/file/group.h"
#include "fs/file/scratch.h"
#include "fs/tree/links.h"
#include "fs/tree/made.h"

#include <errno.h>
#include <string.h>

/* Most bytes of a link's target. */
#define TARGET_MOST 4095

static int make_scratch(struct tree *tree, const struct node *directory, const char *name,
		mode_t mode, pid_t tid, struct node *ret) {
	cleanup_fail struct fail fail = {0};
	if (setting_is_missing(directory, name, &fail)) {
		return name_refused(tree, directory->place, tid, &fail);
	}
	ino_t parent = node_of(directory);
	if (scratch_find(tree->scratch, parent, name) == NULL &&
			scratch_create(tree->scratch, parent, name, mode, NULL) == NULL) {
		return errno;
	}
	return node_child(tree, directory, name, ret);
}

static int make_attachment(struct tree *tree, const struct node *directory, const char *name,
		pid_t tid, struct node *ret) {
	int failed = attach_make(tree, directory, name, NULL, tid);
	return failed != 0 ? failed : node_child(tree, directory, name, ret);
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		struct fuse_file_info *info) {
	struct tree *tree = tree_of(req);
	struct node directory, node;
	struct fuse_entry_param entry;
	int failed = name_directory(tree, parent, name, &directory);
	if (failed == 0 && name_own(tree, &directory, name, &node)) {
		hidden_remove(tree->hidden, node_of(&node));
	} else if (failed == 0 && node_takes_scratch(&directory)) {
		failed = make_scratch(tree, &directory, name, mode, caller(req), &node);
	} else if (failed == 0 && directory.entry->kind == KIND_ATTACH) {
		failed = make_attachment(tree, &directory, name, caller(req), &node);
	} else if (failed == 0) {
		failed = EPERM;
	}
	if (failed == 0) {
		handle_open(tree, &node, info->flags, caller(req), info, &failed);
	}
	if (failed == 0) {
		failed = entry_fill(tree, &node, caller(req), &entry);
	}
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		fuse_reply_create(req, &entry, info);
	}
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device) {
	struct tree *tree = tree_of(req);
	struct node directory, node;
	(void)device;
	int failed = name_directory(tree, parent, name, &directory);
	if (failed == 0 && name_own(tree, &directory, name, &node)) {
		hidden_remove(tree->hidden, node_of(&node));
	} else if (failed == 0 && S_ISREG(mode) && node_takes_scratch(&directory)) {
		failed = make_scratch(tree, &directory, name, mode, caller(req), &node);
	} else if (failed == 0 && S_ISREG(mode) && directory.entry->kind == KIND_ATTACH) {
		failed = make_attachment(tree, &directory, name, caller(req), &node);
	} else if (failed == 0) {
		failed = EPERM;
	}
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		reply_entry(req, &node);
	}
}

/* The answer to making what bears this name now, unless it failed. */
static void reply_made(fuse_req_t req, const struct node *directory, const char *name, int failed) {
	struct node node;
	if (failed == 0) {
		failed = node_child(tree_of(req), directory, name, &node);
	}
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		reply_entry(req, &node);
	}
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode) {
	struct tree *tree = tree_of(req);
	struct node directory;
	cleanup_fail struct fail fail = {0};
	(void)mode;
	int failed = name_directory(tree, parent, name, &directory);
	if (failed == 0 && directory.entry->kind == KIND_GROUPS) {
		failed = group_make(tree, name, &fail)
					 ? 0
					 : name_refused(tree, directory.place, caller(req), &fail);
	} else if (failed == 0 && made_holds(&directory)) {
		failed = made_add(tree, &directory, name, caller(req), &fail)
					 ? 0
					 : name_refused(tree, directory.place, caller(req), &fail);
	} else if (failed == 0 && directory.entry->kind != KIND_SESSIONS) {
		failed = EPERM;
	} else if (failed == 0 &&
			session_make(tree->engine, directory.place, name, &fail) == NULL) {
		failed = name_refused(tree, directory.place, caller(req), &fail);
	}
	reply_made(req, &directory, name, failed);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name) {
	(void)ino, (void)parent, (void)name;
	fuse_reply_err(req, EPERM);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name) {
	struct tree *tree = tree_of(req);
	struct node directory, node;
	int failed = name_directory(tree, parent, name, &directory);
	if (failed == 0 && strlen(target) > TARGET_MOST) {
		failed = ENAMETOOLONG;
	} else if (failed == 0 && node_child(tree, &directory, name, &node) == 0) {
		failed = EEXIST;
	} else if (failed == 0 && name_takes_links(&directory)) {
		failed = name_make_link(tree, &directory, name, target);
	} else if (failed == 0 && directory.entry->kind == KIND_ATTACH) {
		failed = attach_make(tree, &directory, name, target, caller(req));
	} else if (failed == 0 && node_takes_scratch(&directory)) {
		/* An editor's lock file is a link that leads nowhere. */
		failed = scratch_create(tree->scratch, parent, name, 0777, target) == NULL ? errno
											   : 0;
	} else if (failed == 0) {
		failed = EPERM;
	}
	reply_made(req, &directory, name, failed);
}
