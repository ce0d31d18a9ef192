/* Results that aren't plain text, as the tree shows them: output.png and the like beside a turn's
 * output and beside a model's, which lead to the caller's own, and what lies in artifacts/. */
#ifndef FS_TREE_RESULTS_H
#define FS_TREE_RESULTS_H

#include "fs/tree/node.h"
#include "fs/tree/tree.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* 0, or ESTALE when an artifact isn't there (any more). */
int results_resolve(struct tree *tree, struct node *ret);
/* A name in artifacts/, or one like output.png in a turn's or a model's directory. */
bool results_child(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret);
/* The one there after the `after`th; false at the end. `ret_name` has NAME_MAX + 1 bytes. */
bool results_next_child(struct tree *tree, const struct node *directory, int64_t after,
		struct node *ret, char *ret_name);
/* Size and times of an artifact; 0 or ESTALE. */
int artifact_attributes(struct tree *tree, const struct node *node, struct stat *ret);
/* Its path in the state directory. */
bool artifact_path(struct tree *tree, const struct node *node, char *path, size_t size);
/* It, open for reading, or -1 with errno. */
int artifact_open(struct tree *tree, const struct node *node);

#endif
