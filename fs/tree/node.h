/* Inode numbers and what stands behind them. A number is kind | id << 8, below 2^53: it is looked
 * up afresh at each request, so that nothing is counted or forgotten and a dead one is ESTALE. */
#ifndef FS_TREE_NODE_H
#define FS_TREE_NODE_H

#include "core/engine/engine.h"
#include "fs/tree/table.h"

#include <fuse_lowlevel.h>

struct node {
	const struct entry *entry;
	int64_t id;
	struct place *place; /* of a place's entries; for a turn's: its model, NULL when gone */
	struct provider *provider; /* above the place; NULL for the root */
	int setting; /* index, for settings */
	int capability; /* number, below models/ of a route */
};

/* For how long the kernel keeps what doesn't change by itself, in seconds. */
#define NODE_KEEP 60.0

uint64_t node_number(enum kind kind, int64_t id);
uint64_t node_of(const struct node *node);

/* 0, or ESTALE when there is no such node (any more). */
int node_resolve(struct tree *tree, uint64_t number, struct node *ret);
/* 0, or ENOENT. */
int node_child(struct tree *tree, const struct node *parent, const char *name, struct node *ret);
/* The child that is ours (no scratch file), whether it is hidden or not. */
bool node_own_child(
		struct tree *tree, const struct node *parent, const char *name, struct node *ret);
/* Fills the attributes as `tid` sees them; 0 or an errno. Returns for how long (seconds) the kernel
 * may keep them in `ret_keep`. */
int node_attributes(struct tree *tree, const struct node *node, int32_t tid, struct stat *ret,
		double *ret_keep);
/* For how long the kernel may keep the name. */
double node_name_keep(struct tree *tree, const struct node *node);
/* Where new names may be made: a model's directory and config/. */
bool node_takes_scratch(const struct node *node);
/* Whether an entry is listed in this directory: a model's files only in a model's directory. */
bool node_has(struct tree *tree, const struct node *directory, const struct entry *entry);

/* ---- route_node.c ---- */

/* The id of the node below a capability's models/ that stands for a place; the root's is models/
 * itself. */
int64_t route_node_id(const struct place *place, int capability);
/* Fills in what an id below models/ says; 0 or ESTALE. */
int route_node_resolve(struct tree *tree, struct node *ret);
/* A name in capabilities/ or below a route's models/. */
bool route_node_child(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret);
/* The place of the next such name, by ids above `after`; NULL at the end. */
const struct place *route_node_next(struct tree *tree, const struct node *directory, int64_t after);

/* ---- node_list.c ---- */

/* Calls for each entry of a directory after the position `after` (0: from the start), in a fixed
 * order; stops when `visit` returns false. */
typedef bool node_visit(void *data, const char *name, const struct node *node, int64_t position);
void node_list(struct tree *tree, const struct node *directory, int64_t after, node_visit *visit,
		void *data);

#endif
