/* The parts of a manifest's reading, which manifest.c puts together: a table a map of the file. */
#ifndef CORE_CONFIG_MANIFEST_MANIFEST_FIELDS_H
#define CORE_CONFIG_MANIFEST_MANIFEST_FIELDS_H

#include "core/config/manifest/manifest.h"
#include "core/config/yaml/fields.h"

/* A map of the file and what may stand in it; docs/manifest.md is held against these. */
struct manifest_table {
	const char *place; /* "" for the file itself, "endpoints[]" for each of a list */
	const struct field *fields;
	size_t n_fields;
};

extern const struct manifest_table manifest_tables[];
extern const size_t n_manifest_tables;

typedef void field_reader(const struct place *place, const struct yaml_node *node, void *into);

/* One line of at most 255 bytes, or text of at most 16 KiB; empty counts as unsaid. `into` is the
 * char * itself. */
#define MANIFEST_LINE_MOST 255
#define MANIFEST_TEXT_MOST ((size_t)16 << 10)
void manifest_read_line(const struct place *place, const struct yaml_node *node, char **ret);
void manifest_read_words(const struct place *place, const struct yaml_node *node, char **ret);
/* Adds a copy, or that there is no memory. */
void manifest_add(const struct place *place, char ***list, const char *text);
/* Reads capabilities into a list of canonical names, each once. */
void manifest_read_capabilities(
		const struct place *place, const struct yaml_node *node, char ***list);

/* manifest_code.c: what it is made of. */
field_reader manifest_read_driver, manifest_read_sources, manifest_read_pkg_config;

/* manifest_reach.c: what it reaches. */
extern const struct field manifest_auth_fields[2], manifest_endpoint_fields[3],
		manifest_limits_fields[2];
field_reader manifest_read_base_url, manifest_read_base_urls, manifest_read_base_url_env,
		manifest_read_key_url, manifest_read_auth, manifest_read_endpoints,
		manifest_read_programs, manifest_read_package, manifest_read_limits;
/* After all fields: that a local one reaches nothing else. */
void manifest_check_local(const struct place *place, const struct yaml_node *root,
		const struct manifest *manifest);

/* manifest_models.c: its models. */
extern const struct field manifest_model_fields[7], manifest_models_fields[3];
field_reader manifest_read_models, manifest_read_discovery;
/* After all fields: what a model left to the provider's capabilities. */
void manifest_complete_models(const struct place *place, struct manifest *manifest);
void manifest_models_finish(struct manifest *manifest);

/* manifest_kept.c: fields of MediaConduit's that nothing is made of here; their shape is checked,
 * so that an author is told of a slip. */
extern const struct field manifest_configuration_fields[1], manifest_service_config_fields[4],
		manifest_supported_formats_fields[2];
field_reader manifest_keep_text, manifest_keep_text_or_map, manifest_keep_map, manifest_keep_list,
		manifest_keep_anything, manifest_keep_dependencies, manifest_keep_configuration,
		manifest_keep_service_config, manifest_keep_supported_formats;

#endif
