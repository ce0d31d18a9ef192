/* A YAML tree written as JSON: see yaml_tree_json in yaml_tree.h. */
#include "core/config/yaml/yaml_tree.h"

#include "core/base/text.h"
#include "core/config/yaml/json_lexeme.h"

#include <string.h>

static bool add_string(struct buf *out, const char *text) {
	return buf_add_byte(out, '"') && json_escape(out, text, strlen(text)) &&
	       buf_add_byte(out, '"');
}

static bool add_scalar(struct buf *out, const struct yaml_node *node) {
	if (yaml_node_is_null(node)) {
		return buf_add_string(out, "null");
	}
	if (node->plain && strcasecmp(node->text, "true") == 0) {
		return buf_add_string(out, "true");
	}
	if (node->plain && strcasecmp(node->text, "false") == 0) {
		return buf_add_string(out, "false");
	}
	if (node->plain && is_json_number(node->text, strlen(node->text))) {
		return buf_add_string(out, node->text);
	}
	return add_string(out, node->text);
}

bool yaml_tree_json(const struct yaml_node *node, struct buf *out) {
	if (node->kind == YAML_KIND_SCALAR) {
		return add_scalar(out, node);
	}
	bool map = node->kind == YAML_KIND_MAP;
	if (!buf_add_byte(out, map ? '{' : '[')) {
		return false;
	}
	for (const struct yaml_node *member = node->first; member != NULL; member = member->next) {
		if ((member != node->first && !buf_add_byte(out, ',')) ||
				(map && (!add_string(out, member->name) ||
							!buf_add_byte(out, ':'))) ||
				!yaml_tree_json(member, out)) {
			return false;
		}
	}
	return buf_add_byte(out, map ? '}' : ']');
}
