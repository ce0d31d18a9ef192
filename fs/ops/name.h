/* What making, renaming and removing names have in common. A model's directory, its config/ and
 * sessions/ and the root allow them, each some; the daemon itself refuses the rest: mode bits don't
 * stop root. */
#ifndef FS_OPS_NAME_H
#define FS_OPS_NAME_H

#include "fs/ops/ops.h"

/* Resolves a directory and refuses names that are too long; 0 or an errno. */
int name_directory(struct tree *tree, fuse_ino_t parent, const char *name, struct node *ret);
/* The node of ours with this name, shown or hidden; false when a scratch file has taken it. */
bool name_own(struct tree *tree, const struct node *directory, const char *name, struct node *ret);
/* Keeps the words of a refusal where `error` shows them; returns its errno. */
int name_refused(struct tree *tree, struct place *place, pid_t tid, const struct fail *why);

/* Whether a person's links are kept in this directory: the root and groups. */
bool name_takes_links(const struct node *directory);
/* 0 or an errno, as what follows. */
int name_make_link(struct tree *tree, const struct node *directory, const char *name,
		const char *target);
int name_remove_link(struct tree *tree, const struct node *directory, const char *name);

#endif
