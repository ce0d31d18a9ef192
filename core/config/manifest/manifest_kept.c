/* Fields of MediaConduit's that nothing is made of here: see manifest_fields.h. They say how its
 * own host runs a provider, or are prose; who mounts it reads them in the tree's manifest.yml. */
#include "core/config/manifest/manifest_fields.h"

#include <string.h>

static void expect(const struct place *place, const struct yaml_node *node, bool fine,
		const char *what) {
	if (!fine && !yaml_node_is_null(node)) {
		place_fault(place, node, "must be %s", what);
	}
}

void manifest_keep_text(const struct place *place, const struct yaml_node *node, void *into) {
	(void)into;
	expect(place, node, node->kind == YAML_KIND_SCALAR, "a single value");
}

void manifest_keep_text_or_map(
		const struct place *place, const struct yaml_node *node, void *into) {
	(void)into;
	expect(place, node, node->kind != YAML_KIND_LIST, "a single value or a map");
}

void manifest_keep_map(const struct place *place, const struct yaml_node *node, void *into) {
	(void)into;
	expect(place, node, node->kind == YAML_KIND_MAP, "a map: a line `name: value` each");
}

void manifest_keep_list(const struct place *place, const struct yaml_node *node, void *into) {
	(void)into;
	expect(place, node, node->kind == YAML_KIND_LIST, "a list: [one, two]");
}

void manifest_keep_anything(const struct place *place, const struct yaml_node *node, void *into) {
	(void)place;
	(void)node;
	(void)into;
}

/* {axios: ^1.6.0}, or a list of such maps of one, or of names. */
void manifest_keep_dependencies(
		const struct place *place, const struct yaml_node *node, void *into) {
	(void)into;
	expect(place, node, node->kind != YAML_KIND_SCALAR,
			"a map, or a list, of packages and their versions");
	for (const struct yaml_node *item = node->first; item != NULL; item = item->next) {
		bool one = item->kind == YAML_KIND_MAP && item->first != NULL &&
			   item->first->next == NULL && item->first->kind == YAML_KIND_SCALAR;
		if (item->kind != YAML_KIND_SCALAR && (node->kind == YAML_KIND_MAP || !one)) {
			faults_add(place->faults, item->line,
					"dependencies: an entry is a package and its version: "
					"axios: ^1.6.0");
		}
	}
}

/* {NAME: {description, required, example, default}}; the field that counts here is key_env. */
static void keep_environment(const struct place *place, const struct yaml_node *node, void *into) {
	(void)into;
	expect(place, node, node->kind == YAML_KIND_MAP, "a map: a line `VARIABLE: {…}` each");
	for (const struct yaml_node *member = node->first; member != NULL; member = member->next) {
		if (member->name != NULL && !is_variable_name(member->name)) {
			place_fault(place, member, "is not the name of an environment variable");
		}
	}
}

const struct field manifest_configuration_fields[] = {
		{"environment", FIELD_SPECIAL, .read = keep_environment},
};

const struct field manifest_service_config_fields[] = {
		{"dockerCompose", FIELD_SPECIAL, .read = manifest_keep_text},
		{"serviceName", FIELD_SPECIAL, .read = manifest_keep_text},
		{"healthEndpoint", FIELD_SPECIAL, .read = manifest_keep_text},
		{"defaultBaseUrl", FIELD_SPECIAL, .read = manifest_keep_text},
};

const struct field manifest_supported_formats_fields[] = {
		{"input", FIELD_SPECIAL, .read = manifest_keep_anything},
		{"output", FIELD_SPECIAL, .read = manifest_keep_anything},
};

void manifest_keep_configuration(
		const struct place *place, const struct yaml_node *node, void *into) {
	const struct place inside = {place->faults, "configuration", place->notes};
	fields_read(&inside, node, FIELDS(manifest_configuration_fields), UNKNOWN_NOTED, "field",
			into);
}

void manifest_keep_service_config(
		const struct place *place, const struct yaml_node *node, void *into) {
	const struct place inside = {place->faults, "serviceConfig", place->notes};
	fields_read(&inside, node, FIELDS(manifest_service_config_fields), UNKNOWN_NOTED, "field",
			into);
}

void manifest_keep_supported_formats(
		const struct place *place, const struct yaml_node *node, void *into) {
	const struct place inside = {place->faults, "supportedFormats", place->notes};
	fields_read(&inside, node, FIELDS(manifest_supported_formats_fields), UNKNOWN_NOTED,
			"field", into);
}
