/* YAML as a tree whose nodes know their line, for files of which a part comes from strangers:
 * bounded in bytes, nodes and depth, without aliases, and with nothing in it that a person doesn't
 * see (a name given twice, a second document). Knows nothing of what the names mean.
 *
 * A tree may hold keys: it is wiped when freed, and so is what libyaml read them through. */
#ifndef CORE_CONFIG_YAML_YAML_TREE_H
#define CORE_CONFIG_YAML_YAML_TREE_H

#include "core/config/yaml/faults.h"

#include <stdbool.h>
#include <stddef.h>

#define YAML_BYTES_MOST ((size_t)1 << 20)
#define YAML_NODES_MOST 10000
#define YAML_DEPTH_MOST 32

enum yaml_kind {
	YAML_KIND_SCALAR,
	YAML_KIND_LIST,
	YAML_KIND_MAP,
};

struct yaml_node {
	enum yaml_kind kind;
	int line; /* from 1; in a map the line of its name */
	char *name; /* in a map; NULL elsewhere */
	char *text; /* of a scalar; valid UTF-8 without a NUL; NULL elsewhere */
	bool plain; /* a scalar without quotes: `null`, `true` and numbers mean what they say */
	struct yaml_node *first, *next; /* members of a list or map, siblings */
};

/* Parses text of at most YAML_BYTES_MOST bytes. NULL when it holds nothing, or with a fault added.
 */
struct yaml_node *yaml_tree_parse(const char *text, size_t size, struct faults *faults);
/* The same from a file; a failure to read it is in `fail`, words and errno. `ret` may become NULL.
 */
bool yaml_tree_read(
		const char *path, struct faults *faults, struct yaml_node **ret, struct fail *fail);
void yaml_tree_destroy(struct yaml_node *node);

/* A map's member, or NULL. */
const struct yaml_node *yaml_tree_get(const struct yaml_node *map, const char *name);
/* Nothing was written: `name:` alone, `~` or `null`; also of no node at all. */
bool yaml_node_is_null(const struct yaml_node *node);

/* Appends the node as JSON. Unquoted true, false, null and JSON numbers (as they are written) stay
 * what they are, all else is a string. False as buf_add. */
bool yaml_tree_json(const struct yaml_node *node, struct buf *out);

static inline void cleanup_yaml_tree_node(struct yaml_node **node) {
	yaml_tree_destroy(*node);
}

#define cleanup_yaml_tree cleanup(cleanup_yaml_tree_node)

#endif
