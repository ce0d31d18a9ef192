/* Routes and aliases of config.yml: see routes.h. */
#include "core/config/routes.h"

#include "core/base/text.h"
#include "core/config/capability.h"
#include "core/config/route_patterns.h"

#include <string.h>

/* Members of a map; -1 with a fault for what isn't one. */
static int count_members(
		const struct place *place, const struct yaml_node *node, const char *each) {
	int n = 0;
	if (yaml_node_is_null(node)) {
		return 0;
	}
	if (node->kind != YAML_KIND_MAP) {
		place_fault(place, node, "must be a map: a line `%s` each", each);
		return -1;
	}
	for (const struct yaml_node *member = node->first; member != NULL; member = member->next) {
		n++;
	}
	return n;
}

static void add_pattern(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	struct buf *lines = into;
	if (strchr(text, '\n') != NULL) {
		place_fault(place, item, "holds a newline: write a list, a pattern each");
		return;
	}
	buf_add_format(lines, "%s\n", text);
}

static void read_route(
		const struct place *place, const struct yaml_node *node, struct config *config) {
	const char *name = capability_find(node->name);
	cleanup_fail struct fail fail = {0};
	cleanup_buf struct buf lines = {0};
	cleanup_route_patterns struct route_patterns patterns = {0};
	if (name == NULL) {
		capability_add_unknown(place->faults, node->line, node->name, place->name);
		return;
	}
	size_t before = place->faults->n;
	node_each_text(place, node, add_pattern, &lines);
	if (place->faults->n != before) {
		return;
	}
	if (!route_patterns_read(&patterns, buf_string(&lines), lines.size, &fail)) {
		place_fault(place, node, "%s", fail_words(&fail));
		return;
	}
	struct config_route *route = &config->routes[config->n_routes];
	route->capability = capability_number(name);
	node_copy(place, buf_string(&lines), &route->patterns);
	config->n_routes += route->patterns != NULL;
}

void config_routes_read(const struct place *place, const struct yaml_node *node, void *into) {
	struct config *config = into;
	int n = count_members(place, node, "text-to-text: [PROVIDER/MODEL, …]");
	if (n <= 0) {
		return;
	}
	config->routes = calloc((size_t)n, sizeof(*config->routes));
	if (config->routes == NULL) {
		faults_add_no_memory(place->faults);
		return;
	}
	const struct place routes = {place->faults, "routes"};
	for (const struct yaml_node *member = node->first; member != NULL; member = member->next) {
		read_route(&routes, member, config);
	}
}

/* What the tree itself has in its root. */
static bool is_taken(const char *name) {
	static const char *const names[] = {"README.md", "status", "ctl", "usage", "error",
			"config", "budget", "capabilities", "groups", "providers"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static bool can_be_name(const char *name) {
	size_t size = strlen(name);
	bool plain = size > 0 && size <= 255 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
	for (size_t i = 0; plain && i < size; i++) {
		plain = (unsigned char)name[i] >= 0x20 && name[i] != 0x7f && name[i] != '/';
	}
	return plain;
}

static void read_alias(
		const struct place *place, const struct yaml_node *node, struct config *config) {
	const char *target = node_text(place, node);
	struct config_alias *alias = &config->aliases[config->n_aliases];
	if (target == NULL) {
		return;
	}
	if (!can_be_name(node->name) || is_taken(node->name)) {
		place_fault(place, node,
				"can't be the name of a link in the root of the tree: choose "
				"another");
		return;
	}
	const char *slash = strchr(target, '/');
	if (slash == NULL || slash == target || slash[1] == '\0' || strlen(target) > 1200) {
		place_fault(place, node, "'%.60s' must be PROVIDER/MODEL, or capabilities/NAME",
				target);
		return;
	}
	node_copy(place, node->name, &alias->name);
	node_copy(place, target, &alias->target);
	config->n_aliases++;
}

void config_aliases_read(const struct place *place, const struct yaml_node *node, void *into) {
	struct config *config = into;
	int n = count_members(place, node, "NAME: PROVIDER/MODEL");
	if (n <= 0) {
		return;
	}
	config->aliases = calloc((size_t)n, sizeof(*config->aliases));
	if (config->aliases == NULL) {
		faults_add_no_memory(place->faults);
		return;
	}
	const struct place aliases = {place->faults, "aliases"};
	for (const struct yaml_node *member = node->first; member != NULL; member = member->next) {
		read_alias(&aliases, member, config);
	}
}

void config_routes_finish(struct config *config) {
	for (size_t i = 0; i < config->n_routes; i++) {
		free(config->routes[i].patterns);
	}
	for (size_t i = 0; i < config->n_aliases; i++) {
		free(config->aliases[i].name);
		free(config->aliases[i].target);
	}
	free(config->routes);
	free(config->aliases);
}
