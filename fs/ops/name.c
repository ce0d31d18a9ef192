/* Making, renaming and removing names: what a model's directory, its config/ and sessions/ and the
 * root allow, and that a rename or a re-creation onto a file of ours is a write of it. The daemon
 * itself refuses the rest: mode bits don't stop root. */
#include "fs/ops/ops.h"

#include "core/engine/session/session.h"
#include "core/store/annex.h"
#include "fs/content/accept.h"
#include "fs/file/attach.h"
#include "fs/file/group.h"
#include "fs/file/scratch.h"
#include "fs/tree/links.h"
#include "fs/tree/made.h"
#include "fs/tree/notify.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>

/* Most bytes of a name and of a link's target. */
#define NAME_MOST 255
#define TARGET_MOST 4095

/* Resolves a directory and refuses names that are too long; 0 or an errno. */
static int directory_of(struct tree *tree, fuse_ino_t parent, const char *name, struct node *ret) {
	return strlen(name) > NAME_MOST ? ENAMETOOLONG : node_resolve(tree, parent, ret);
}

/* The node of ours with this name, shown or hidden; false when a scratch file has taken it. */
static bool own_node(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	return scratch_find(tree->scratch, node_of(directory), name) == NULL &&
	       node_own_child(tree, directory, name, ret);
}

/* Keeps the words of a refusal where `error` shows them; returns its errno. */
static int refused(struct tree *tree, struct place *place, pid_t tid, const struct fail *why) {
	struct chain who;
	chain_capture(tid, &who);
	engine_note(tree->engine, place, &who, why);
	return why->code != 0 ? why->code : EIO;
}

/* ---- making ---- */

static int make_scratch(struct tree *tree, const struct node *directory, const char *name,
		mode_t mode, pid_t tid, struct node *ret) {
	cleanup_fail struct fail fail = {0};
	if (setting_is_missing(directory, name, &fail)) {
		return refused(tree, directory->place, tid, &fail);
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
	int failed = directory_of(tree, parent, name, &directory);
	if (failed == 0 && own_node(tree, &directory, name, &node)) {
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
	int failed = directory_of(tree, parent, name, &directory);
	if (failed == 0 && own_node(tree, &directory, name, &node)) {
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
	int failed = directory_of(tree, parent, name, &directory);
	if (failed == 0 && directory.entry->kind == KIND_GROUPS) {
		failed = group_make(tree, name, &fail)
					 ? 0
					 : refused(tree, directory.place, caller(req), &fail);
	} else if (failed == 0 && made_holds(&directory)) {
		failed = made_add(tree, &directory, name, caller(req), &fail)
					 ? 0
					 : refused(tree, directory.place, caller(req), &fail);
	} else if (failed == 0 && directory.entry->kind != KIND_SESSIONS) {
		failed = EPERM;
	} else if (failed == 0 &&
			session_make(tree->engine, directory.place, name, &fail) == NULL) {
		failed = refused(tree, directory.place, caller(req), &fail);
	}
	reply_made(req, &directory, name, failed);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name) {
	(void)ino, (void)parent, (void)name;
	fuse_reply_err(req, EPERM);
}

/* Where a person's links are kept: the root and groups. */
static bool takes_links(const struct node *directory) {
	return directory->entry->kind == KIND_ROOT || directory->entry->kind == KIND_GROUP;
}

static int make_link(struct tree *tree, const struct node *directory, const char *name,
		const char *target) {
	cleanup_fail struct fail fail = {0};
	bool made = user_link_set(tree->links, directory->place->id, name, target, &fail);
	if (directory->entry->kind == KIND_GROUP) {
		notify_group(tree, directory->place);
	}
	return made ? 0 : fail.code;
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name) {
	struct tree *tree = tree_of(req);
	struct node directory, node;
	int failed = directory_of(tree, parent, name, &directory);
	if (failed == 0 && strlen(target) > TARGET_MOST) {
		failed = ENAMETOOLONG;
	} else if (failed == 0 && node_child(tree, &directory, name, &node) == 0) {
		failed = EEXIST;
	} else if (failed == 0 && takes_links(&directory)) {
		failed = make_link(tree, &directory, name, target);
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

/* ---- removing ---- */

static int remove_link(struct tree *tree, const struct node *directory, const char *name) {
	cleanup_fail struct fail fail = {0};
	bool removed = user_link_remove(tree->links, directory->place->id, name, &fail);
	if (directory->entry->kind == KIND_GROUP) {
		notify_group(tree, directory->place);
	}
	return removed ? 0 : fail.code;
}

/* A session's and a group's own files and directories go when it ends. `rm -r` takes them away one
 * by one before: each is hidden as any name of ours, and none holds what it is in. */
static bool hides(const struct node *directory, const struct node *node) {
	const struct place *place = directory->place;
	bool annex = place != NULL && (place->kind == PLACE_SESSION || place->kind == PLACE_GROUP);
	return annex || (node_takes_scratch(directory) && !S_ISDIR(node->entry->mode));
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name) {
	struct tree *tree = tree_of(req);
	struct node directory, node;
	int failed = directory_of(tree, parent, name, &directory);
	if (failed == 0) {
		failed = node_child(tree, &directory, name, &node);
	}
	if (failed != 0) {
		fuse_reply_err(req, failed);
		return;
	}
	if (node.entry->kind == KIND_SCRATCH) {
		scratch_unlink(tree->scratch, scratch_get(tree->scratch, node.id));
	} else if (node.entry->kind == KIND_USER_LINK) {
		failed = remove_link(tree, &directory, name);
	} else if (directory.entry->kind == KIND_ATTACH) {
		failed = attach_remove(tree, &node, caller(req));
	} else if (!hides(&directory, &node) || S_ISDIR(node.entry->mode)) {
		failed = EPERM;
	} else {
		if (node.entry->kind == KIND_SETTING) {
			setting_reset(tree, &node);
		} else if (node.entry->parent == KIND_BUDGET) {
			budget_reset(tree, &node);
		}
		hidden_add(tree->hidden, node_of(&node));
	}
	fuse_reply_err(req, failed);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name) {
	struct tree *tree = tree_of(req);
	struct node directory, node;
	cleanup_fail struct fail fail = {0};
	int failed = directory_of(tree, parent, name, &directory);
	if (failed == 0) {
		failed = node_child(tree, &directory, name, &node);
	}
	if (failed == 0 && !S_ISDIR(node.entry->mode)) {
		failed = ENOTDIR;
	} else if (failed == 0 && directory.entry->kind == KIND_SESSIONS) {
		if (!session_end(tree->engine, node.place, &fail)) {
			failed = refused(tree, directory.place, caller(req), &fail);
		}
	} else if (failed == 0 && directory.entry->kind == KIND_GROUPS) {
		if (!group_end(tree, node.place, &fail)) {
			failed = refused(tree, directory.place, caller(req), &fail);
		}
	} else if (failed == 0 && hides(&directory, &node)) {
		hidden_add(tree->hidden, node_of(&node));
	} else if (failed == 0 && made_holds(&directory) && made_holds(&node)) {
		if (!made_remove(tree, &node, &fail)) {
			failed = refused(tree, directory.place, caller(req), &fail);
		}
	} else if (failed == 0) {
		failed = EPERM;
	}
	fuse_reply_err(req, failed);
}

/* ---- renaming ---- */

/* A scratch file onto a file of ours is a write of it, with the renamer as the writer. */
static int rename_onto(
		struct tree *tree, struct scratch *scratch, const struct node *onto, pid_t tid) {
	const struct buf *data = &scratch->data;
	if (scratch->target != NULL) {
		return EPERM;
	}
	if (onto->entry->kind != KIND_INPUT && onto->entry->accept == NULL) {
		return EACCES;
	}
	int failed = onto->entry->kind == KIND_INPUT
				     ? input_whole(tree, onto, buf_string(data), data->size, tid)
				     : small_whole(tree, onto, buf_string(data), data->size, tid);
	if (failed == 0) {
		hidden_remove(tree->hidden, node_of(onto));
		scratch_unlink(tree->scratch, scratch);
	}
	return failed;
}

static int rename_scratch(struct tree *tree, const struct node *node, const struct node *to,
		const char *name, unsigned flags, pid_t tid) {
	struct scratch *scratch = scratch_get(tree->scratch, node->id);
	struct node onto;
	bool there = node_child(tree, to, name, &onto) == 0;
	if (there && (flags & RENAME_NOREPLACE) != 0) {
		return EEXIST;
	}
	if (to->entry->kind != KIND_ATTACH && own_node(tree, to, name, &onto)) {
		return rename_onto(tree, scratch, &onto, tid);
	}
	if (to->entry->kind == KIND_ATTACH) {
		int failed = attach_scratch(tree, scratch, to, name, tid);
		if (failed == 0) {
			scratch_unlink(tree->scratch, scratch);
		}
		return failed;
	}
	if (!node_takes_scratch(to)) {
		return EPERM;
	}
	cleanup_fail struct fail fail = {0};
	if (setting_is_missing(to, name, &fail)) {
		return refused(tree, to->place, tid, &fail);
	}
	return scratch_rename(tree->scratch, scratch, node_of(to), name);
}

static int rename_link(struct tree *tree, const struct node *node, const struct node *from,
		const struct node *to, const char *name, unsigned flags) {
	const struct user_link *link = user_link_get(tree->links, node->id);
	struct node onto;
	if (!takes_links(to)) {
		return EPERM;
	}
	bool there = node_child(tree, to, name, &onto) == 0;
	if (there && ((flags & RENAME_NOREPLACE) != 0 || onto.entry->kind != KIND_USER_LINK)) {
		return EEXIST;
	}
	cleanup_free char *old = strdup(link->name);
	cleanup_free char *target = strdup(link->target);
	if (old == NULL || target == NULL) {
		return ENOMEM;
	}
	int failed = make_link(tree, to, name, target);
	return failed != 0 ? failed : remove_link(tree, from, old);
}

static int rename_session(struct tree *tree, const struct node *node, const struct node *to,
		const char *name, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	struct node onto;
	if (to->entry->kind != KIND_SESSIONS) {
		return EPERM;
	}
	if (node_child(tree, to, name, &onto) == 0) {
		return EEXIST;
	}
	return session_move(tree->engine, node->place, to->place, name, &fail) != NULL
			       ? 0
			       : refused(tree, node->place, tid, &fail);
}

static int rename_group(struct tree *tree, const struct node *node, const struct node *to,
		const char *name, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	if (to->entry->kind != KIND_GROUPS) {
		return EPERM;
	}
	return annex_rename(tree->engine->catalogue, node->place, to->place, name, &fail) != NULL
			       ? 0
			       : refused(tree, to->place, tid, &fail);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		const char *new_name, unsigned int flags) {
	struct tree *tree = tree_of(req);
	struct node from, to, node, onto;
	int failed = directory_of(tree, parent, name, &from);
	if (failed == 0) {
		failed = directory_of(tree, new_parent, new_name, &to);
	}
	if (failed == 0 && (flags & ~(unsigned)RENAME_NOREPLACE) != 0) {
		failed = EINVAL;
	}
	if (failed == 0) {
		failed = node_child(tree, &from, name, &node);
	}
	if (failed == 0 && node.entry->kind == KIND_SCRATCH) {
		failed = rename_scratch(tree, &node, &to, new_name, flags, caller(req));
	} else if (failed == 0 && node.entry->kind == KIND_USER_LINK) {
		failed = rename_link(tree, &node, &from, &to, new_name, flags);
	} else if (failed == 0 && from.entry->kind == KIND_ATTACH) {
		failed = (flags & RENAME_NOREPLACE) != 0 &&
							 node_child(tree, &to, new_name, &onto) == 0
					 ? EEXIST
					 : attach_rename(tree, &node, &to, new_name, caller(req));
	} else if (failed == 0 && from.entry->kind == KIND_SESSIONS) {
		failed = rename_session(tree, &node, &to, new_name, caller(req));
	} else if (failed == 0 && from.entry->kind == KIND_GROUPS) {
		failed = rename_group(tree, &node, &to, new_name, caller(req));
	} else if (failed == 0) {
		failed = EPERM;
	}
	fuse_reply_err(req, failed);
}
