/* Following a path inside the tree: see walk.h. */
#include "fs/tree/walk.h"

#include "core/base/text.h"
#include "fs/tree/links.h"
#include "fs/tree/tree.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct way {
	struct tree *tree;
	struct walk at;
	int32_t tid;
	int links; /* followed so far */
};

bool walk_begin(struct tree *tree, struct walk *walk) {
	walk->n = 1;
	return node_resolve(tree, FUSE_ROOT_ID, &walk->stack[0]) == 0;
}

int walk_into(struct tree *tree, struct walk *walk, const char *name) {
	if (walk->n == WALK_DEPTH_MOST) {
		return ENAMETOOLONG;
	}
	int failed = node_child(tree, &walk->stack[walk->n - 1], name, &walk->stack[walk->n]);
	walk->n += failed == 0;
	return failed;
}

static int follow(struct way *way, const char *path);

static bool read_link(struct way *way, const struct node *node, struct buf *out) {
	if (node->entry->kind == KIND_USER_LINK) {
		const struct user_link *link = user_link_get(way->tree->links, node->id);
		return link != NULL && buf_add_string(out, link->target);
	}
	return node->entry->show != NULL && node->entry->show(way->tree, node, way->tid, out);
}

/* One component; a link is followed from the directory that it stands in. */
static int step(struct way *way, const char *name) {
	struct walk *at = &way->at;
	if (!S_ISDIR(at->stack[at->n - 1].entry->mode)) {
		return ENOTDIR;
	}
	if (strcmp(name, ".") == 0) {
		return 0;
	}
	if (strcmp(name, "..") == 0) {
		at->n -= at->n > 1;
		return 0;
	}
	int failed = walk_into(way->tree, at, name);
	struct node node = at->stack[at->n - 1];
	if (failed != 0 || !S_ISLNK(node.entry->mode)) {
		return failed;
	}
	cleanup_buf struct buf target = {.limit = PATH_MAX};
	at->n--;
	if (++way->links > WALK_LINKS_MOST) {
		return ELOOP;
	}
	return read_link(way, &node, &target) ? follow(way, buf_string(&target)) : ENOENT;
}

static int follow(struct way *way, const char *path) {
	const char *mountpoint = way->tree->mountpoint;
	if (path[0] == '/') {
		size_t length = strlen(mountpoint);
		if (length == 0 || strncmp(path, mountpoint, length) != 0 ||
				(path[length] != '/' && path[length] != '\0')) {
			return EXDEV;
		}
		path += length;
		way->at.n = 1;
	}
	cleanup_free char *copy = strdup(path);
	char *rest = copy;
	char *name;
	int failed = copy != NULL ? 0 : ENOMEM;
	while (failed == 0 && (name = strsep(&rest, "/")) != NULL) {
		failed = name[0] != '\0' ? step(way, name) : 0;
	}
	return failed;
}

int walk_to(struct tree *tree, const struct walk *from, const char *path, int32_t tid,
		struct node *ret) {
	struct way way = {.tree = tree, .at = *from, .tid = tid};
	int32_t asker = tree->asker;
	tree->asker = tid;
	int failed = follow(&way, path);
	tree->asker = asker;
	*ret = way.at.stack[way.at.n - 1];
	return failed;
}
