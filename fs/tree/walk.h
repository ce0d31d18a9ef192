/* Following a path inside the tree, as the kernel would: for links that a person made and that the
 * daemon itself has to follow. */
#ifndef FS_TREE_WALK_H
#define FS_TREE_WALK_H

#include "fs/tree/node.h"

/* Deeper paths lead nowhere. */
#define WALK_DEPTH_MOST 64
/* As many links as the kernel follows. */
#define WALK_LINKS_MOST 40

/* A directory and those above it, the root first. */
struct walk {
	struct node stack[WALK_DEPTH_MOST];
	size_t n;
};

/* Begins in the root. False when there is none. */
bool walk_begin(struct tree *tree, struct walk *walk);
/* Goes one name down, into a directory. 0 or an errno. */
int walk_into(struct tree *tree, struct walk *walk, const char *name);
/* Where `path` leads from there, links followed, for `tid` who asks; an absolute path must lead
 * into the mount. 0, ENOENT, ENOTDIR, ELOOP, EXDEV for what lies outside … */
int walk_to(struct tree *tree, const struct walk *from, const char *path, int32_t tid,
		struct node *ret);

#endif
