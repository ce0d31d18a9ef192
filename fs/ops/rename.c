/* Renaming. Onto a file of ours it is a write of it. */
#include "fs/ops/name.h"

#include "core/engine/session/session.h"
#include "core/store/annex.h"
#include "fs/content/accept.h"
#include "fs/file/attach.h"
#include "fs/file/scratch.h"
#include "fs/tree/links.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>

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
	if (to->entry->kind != KIND_ATTACH && name_own(tree, to, name, &onto)) {
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
		return name_refused(tree, to->place, tid, &fail);
	}
	return scratch_rename(tree->scratch, scratch, node_of(to), name);
}

static int rename_link(struct tree *tree, const struct node *node, const struct node *from,
		const struct node *to, const char *name, unsigned flags) {
	const struct user_link *link = user_link_get(tree->links, node->id);
	struct node onto;
	if (!name_takes_links(to)) {
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
	int failed = name_make_link(tree, to, name, target);
	return failed != 0 ? failed : name_remove_link(tree, from, old);
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
			       : name_refused(tree, node->place, tid, &fail);
}

static int rename_group(struct tree *tree, const struct node *node, const struct node *to,
		const char *name, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	if (to->entry->kind != KIND_GROUPS) {
		return EPERM;
	}
	return annex_rename(tree->engine->catalogue, node->place, to->place, name, &fail) != NULL
			       ? 0
			       : name_refused(tree, to->place, tid, &fail);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		const char *new_name, unsigned int flags) {
	struct tree *tree = tree_of(req);
	struct node from, to, node, onto;
	int failed = name_directory(tree, parent, name, &from);
	if (failed == 0) {
		failed = name_directory(tree, new_parent, new_name, &to);
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
