/* Removing names. One of ours is hidden for a moment, or ended if it is a person's. */
#include "fs/ops/name.h"

#include "core/engine/session/session.h"
#include "fs/content/accept.h"
#include "fs/file/attach.h"
#include "fs/file/group.h"
#include "fs/file/scratch.h"
#include "fs/tree/links.h"
#include "fs/tree/made.h"

#include <errno.h>

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
	int failed = name_directory(tree, parent, name, &directory);
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
		failed = name_remove_link(tree, &directory, name);
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
	int failed = name_directory(tree, parent, name, &directory);
	if (failed == 0) {
		failed = node_child(tree, &directory, name, &node);
	}
	if (failed == 0 && !S_ISDIR(node.entry->mode)) {
		failed = ENOTDIR;
	} else if (failed == 0 && directory.entry->kind == KIND_SESSIONS) {
		if (!session_end(tree->engine, node.place, &fail)) {
			failed = name_refused(tree, directory.place, caller(req), &fail);
		}
	} else if (failed == 0 && directory.entry->kind == KIND_GROUPS) {
		if (!group_end(tree, node.place, &fail)) {
			failed = name_refused(tree, directory.place, caller(req), &fail);
		}
	} else if (failed == 0 && hides(&directory, &node)) {
		hidden_add(tree->hidden, node_of(&node));
	} else if (failed == 0 && made_holds(&directory) && made_holds(&node)) {
		if (!made_remove(tree, &node, &fail)) {
			failed = name_refused(tree, directory.place, caller(req), &fail);
		}
	} else if (failed == 0) {
		failed = EPERM;
	}
	fuse_reply_err(req, failed);
}
