/* Telling the kernel that what it keeps has changed. From the loop's thread, and so only by
 * messages that take no lock which a request waiting for this thread may hold: a directory's own
 * pages and attributes, a file's attributes, and all names at once (kernel 6.16 and newer). */
#ifndef FS_TREE_NOTIFY_H
#define FS_TREE_NOTIFY_H

#include "fs/tree/node.h"
#include "fs/tree/tree.h"

/* The mount answers: finds out what its kernel understands. */
void notify_begin(struct tree *tree);
/* A directory of the catalogue lists other names. */
void notify_listing(struct tree *tree, const struct place *place);
/* A turn came to a model's turns/. */
/* The links of a group changed, and so did what its output/ lists. */
void notify_group(struct tree *tree, struct place *group);
void notify_turns(struct tree *tree, int64_t place);
/* A setting has another value here, and below where it is inherited. */
void notify_setting(struct tree *tree, const struct node *node);
/* Anything may be different. */
void notify_all(struct tree *tree);

#endif
