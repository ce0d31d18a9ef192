/* Models that a user makes and takes away: mkdir and rmdir below models/. See look_up.h. */
#ifndef FS_TREE_MADE_H
#define FS_TREE_MADE_H

#include "fs/tree/node.h"

/* Whether a directory is models/, or one below it. */
bool made_holds(const struct node *directory);
/* mkdir and rmdir there; false with words. */
bool made_add(struct tree *tree, const struct node *directory, const char *name, pid_t tid,
		struct fail *fail);
bool made_remove(struct tree *tree, const struct node *node, struct fail *fail);

#endif
