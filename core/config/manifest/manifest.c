/* Reading MediaConduit.provider.yml: see manifest.h. MediaConduit's own manifests differ from file
 * to file: every shape of theirs is read, and unknown fields are passed over with a note. */
#include "core/config/manifest/manifest.h"

#include "core/base/plain.h"
#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/capability.h"
#include "core/config/config.h"
#include "core/config/manifest/manifest_fields.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

void manifest_add(const struct place *place, char ***list, const char *text) {
	if (!strings_add(list, text)) {
		faults_add_no_memory(place->faults);
	}
}

/* ---- texts, which are shown in the tree and on terminals ---- */

static void read_plain(const struct place *place, const struct yaml_node *node, size_t most,
		bool lines, char **ret) {
	if (yaml_node_is_null(node)) {
		return;
	}
	if (node->kind != YAML_KIND_SCALAR) {
		place_fault(place, node, "must be a single value");
		return;
	}
	size_t length = strlen(node->text);
	if (length > most) {
		place_fault(place, node, "has %zu bytes, at most %zu are accepted", length, most);
		return;
	}
	/* A character of control becomes a blank; none grows. */
	free(*ret);
	*ret = plain_text(node->text, length, most, lines);
	if (*ret == NULL) {
		faults_add_no_memory(place->faults);
	}
}

void manifest_read_line(const struct place *place, const struct yaml_node *node, char **ret) {
	read_plain(place, node, MANIFEST_LINE_MOST, false, ret);
}

void manifest_read_words(const struct place *place, const struct yaml_node *node, char **ret) {
	read_plain(place, node, MANIFEST_TEXT_MOST, true, ret);
}

static void read_name(const struct place *place, const struct yaml_node *node, void *into) {
	manifest_read_line(place, node, &((struct manifest *)into)->name);
}

static void read_start(const struct place *place, const struct yaml_node *node, void *into) {
	manifest_read_line(place, node, &((struct manifest *)into)->start);
}

static void read_version(const struct place *place, const struct yaml_node *node, void *into) {
	manifest_read_line(place, node, &((struct manifest *)into)->version);
}

static void read_description(const struct place *place, const struct yaml_node *node, void *into) {
	manifest_read_words(place, node, &((struct manifest *)into)->description);
}

static void read_service_url(const struct place *place, const struct yaml_node *node, void *into) {
	manifest_read_line(place, node, &((struct manifest *)into)->service_url);
}

/* ---- type and capabilities ---- */

static void read_type(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest *manifest = into;
	const char *text = node_text(place, node);
	if (text == NULL) {
		return;
	}
	manifest->local = strcasecmp(text, "local") == 0;
	if (!manifest->local && strcasecmp(text, "remote") != 0) {
		place_fault(place, node, "'%s' is neither local nor remote", text);
	}
}

static void add_capability(const struct place *place, const struct yaml_node *item,
		const char *text, void *into) {
	char ***list = into;
	const char *name = capability_find(text);
	if (name == NULL) {
		capability_add_unknown(place->faults, item->line, text, "");
	} else if (!strings_contain(*list, name)) {
		manifest_add(place, list, name);
	}
}

void manifest_read_capabilities(
		const struct place *place, const struct yaml_node *node, char ***list) {
	node_each_text(place, node, add_capability, list);
}

static void read_capabilities(const struct place *place, const struct yaml_node *node, void *into) {
	manifest_read_capabilities(place, node, &((struct manifest *)into)->capabilities);
}

/* ---- the file ---- */

static const struct field top_fields[] = {
		{"id", FIELD_TEXT, offsetof(struct manifest, id)},
		{"name", FIELD_SPECIAL, .read = read_name},
		{"description", FIELD_SPECIAL, .read = read_description},
		{"version", FIELD_SPECIAL, .read = read_version},
		{"type", FIELD_SPECIAL, .read = read_type},
		{"capabilities", FIELD_SPECIAL, .read = read_capabilities},
		{"driver", FIELD_SPECIAL, .read = manifest_read_driver},
		{"sources", FIELD_SPECIAL, .read = manifest_read_sources},
		{"pkg_config", FIELD_SPECIAL, .read = manifest_read_pkg_config},
		{"base_url", FIELD_SPECIAL, .read = manifest_read_base_url},
		{"base_urls", FIELD_SPECIAL, .read = manifest_read_base_urls},
		{"start", FIELD_SPECIAL, .read = read_start},
		{"base_url_env", FIELD_SPECIAL, .read = manifest_read_base_url_env},
		{"key_env", FIELD_VARIABLE, offsetof(struct manifest, key_env)},
		{"key_url", FIELD_SPECIAL, .read = manifest_read_key_url},
		{"key_required", FIELD_BOOL, offsetof(struct manifest, key_required)},
		{"public_models", FIELD_BOOL, offsetof(struct manifest, public_models)},
		{"free_models", FIELD_BOOL, offsetof(struct manifest, free_models)},
		{"open", FIELD_BOOL, offsetof(struct manifest, open)},
		{"cost_lookup", FIELD_BOOL, offsetof(struct manifest, cost_lookup)},
		{"auth", FIELD_SPECIAL, .read = manifest_read_auth},
		{"endpoints", FIELD_SPECIAL, .read = manifest_read_endpoints},
		{"programs", FIELD_SPECIAL, .read = manifest_read_programs},
		{"package", FIELD_SPECIAL, .read = manifest_read_package},
		{"models", FIELD_SPECIAL, .read = manifest_read_models},
		{"discovery", FIELD_SPECIAL, .read = manifest_read_discovery},
		{"limits", FIELD_SPECIAL, .read = manifest_read_limits},
		{"author", FIELD_SPECIAL, .read = manifest_keep_text_or_map},
		{"homepage", FIELD_SPECIAL, .read = manifest_keep_text},
		{"repository", FIELD_SPECIAL, .read = manifest_keep_text_or_map},
		{"license", FIELD_SPECIAL, .read = manifest_keep_text},
		{"main", FIELD_SPECIAL, .read = manifest_keep_text},
		{"exportName", FIELD_SPECIAL, .read = manifest_keep_text},
		{"dependencies", FIELD_SPECIAL, .read = manifest_keep_dependencies},
		{"configSchema", FIELD_SPECIAL, .read = manifest_keep_map},
		{"configuration", FIELD_SPECIAL, .read = manifest_keep_configuration},
		{"serviceUrl", FIELD_SPECIAL, .read = read_service_url},
		{"serviceConfig", FIELD_SPECIAL, .read = manifest_keep_service_config},
		{"requirements", FIELD_SPECIAL, .read = manifest_keep_anything},
		{"supportedFormats", FIELD_SPECIAL, .read = manifest_keep_supported_formats},
		{"supportedLanguages", FIELD_SPECIAL, .read = manifest_keep_list},
		{"features", FIELD_SPECIAL, .read = manifest_keep_anything},
		{"specialties", FIELD_SPECIAL, .read = manifest_keep_anything},
};

const struct manifest_table manifest_tables[] = {
		{"", FIELDS(top_fields)},
		{"auth", FIELDS(manifest_auth_fields)},
		{"endpoints[]", FIELDS(manifest_endpoint_fields)},
		{"limits", FIELDS(manifest_limits_fields)},
		{"models[]", FIELDS(manifest_model_fields)},
		{"models", FIELDS(manifest_models_fields)},
		{"configuration", FIELDS(manifest_configuration_fields)},
		{"serviceConfig", FIELDS(manifest_service_config_fields)},
		{"supportedFormats", FIELDS(manifest_supported_formats_fields)},
};
const size_t n_manifest_tables = sizeof(manifest_tables) / sizeof(manifest_tables[0]);

/* ---- the whole ---- */

static void complete(const struct place *top, char **member, const char *standard) {
	if (*member == NULL || (*member)[0] == '\0') {
		node_copy(top, standard, member);
	}
}

static void check_id(struct faults *faults, const struct yaml_node *root,
		const struct manifest *manifest) {
	const struct yaml_node *id = yaml_tree_get(root, "id");
	if (id == NULL) {
		faults_add(faults, 0, "no id: add a line `id: example-provider`");
	} else if (manifest->id != NULL) {
		cleanup_free char *name = manifest_tree_name(manifest);
		if (name == NULL || !provider_name_valid(name)) {
			faults_add(faults, id->line,
					"id: '%s' gives no provider's name: 1 to %d of a-z, 0-9, "
					"'.', "
					"'_' and '-' are accepted",
					manifest->id, PROVIDER_NAME_MOST);
		}
	}
}

/* What it is, and what it must have then. */
static void check_kind(
		struct faults *faults, const struct yaml_node *root, struct manifest *manifest) {
	const struct yaml_node *driver = yaml_tree_get(root, "driver");
	const struct yaml_node *sources = yaml_tree_get(root, "sources");
	manifest->kind = driver != NULL	   ? MANIFEST_DECLARED
			 : sources != NULL ? MANIFEST_COMPILED
					   : MANIFEST_ELSEWHERE;
	if (driver != NULL && sources != NULL) {
		faults_add(faults, sources->line,
				"both driver and sources: a provider has one of them");
	} else if (sources != NULL && manifest->sources == NULL && faults->n == 0) {
		faults_add(faults, sources->line,
				"sources: is empty: name a C file, as [provider.c]");
	}
	const struct yaml_node *discovery = yaml_tree_get(root, "discovery");
	if (manifest->models_static && manifest->n_models == 0 && faults->n == 0) {
		faults_add(faults, discovery->line,
				"discovery: static needs the models: add a list `models:`");
	}
	if (manifest->capabilities == NULL && faults->n == 0) {
		faults_add(faults, 0, "no capabilities: add a line `capabilities: [text-to-text]`");
	}
}

static void read_tree(struct faults *faults, struct faults *notes, const struct yaml_node *root,
		struct manifest *manifest) {
	const struct place top = {faults, "", notes};
	fields_read(&top, root, FIELDS(top_fields), UNKNOWN_NOTED, "field", manifest);
	check_id(faults, root, manifest);
	check_kind(faults, root, manifest);
	manifest_check_local(&top, root, manifest);
	complete(&top, &manifest->name, manifest->id != NULL ? manifest->id : "");
	complete(&top, &manifest->description, "");
	complete(&top, &manifest->version, "");
	complete(&top, &manifest->service_url, "");
	if (manifest->auth_header == NULL) {
		node_copy(&top, "Authorization", &manifest->auth_header);
	}
	if (manifest->auth_scheme == NULL) {
		node_copy(&top, "Bearer", &manifest->auth_scheme);
	}
	manifest_complete_models(&top, manifest);
}

bool manifest_read_noting(
		struct manifest *ret, const char *path, struct buf *notes, struct fail *fail) {
	cleanup(manifest_finish) struct manifest manifest = {.path = strdup(path)};
	cleanup_faults struct faults faults = {.file = path};
	cleanup_faults struct faults noted = {.file = path};
	cleanup_yaml_tree struct yaml_node *root = NULL;
	if (!yaml_tree_read(path, &faults, &root, fail)) {
		return false;
	}
	if (manifest.path == NULL) {
		faults_add_no_memory(&faults);
	}
	if (faults.n == 0) {
		read_tree(&faults, &noted, root, &manifest);
	}
	if (notes != NULL && noted.n > 0) {
		cleanup_fail struct fail words = {0};
		faults_report(&noted, &words);
		buf_add_format(notes, "%s\n", fail_words(&words));
	}
	if (!faults_report(&faults, fail)) {
		return false;
	}
	*ret = manifest;
	manifest = (struct manifest){0};
	return true;
}

bool manifest_read(struct manifest *ret, const char *path, struct fail *fail) {
	return manifest_read_noting(ret, path, NULL, fail);
}

void manifest_finish(struct manifest *manifest) {
	strings_free(manifest->capabilities);
	strings_free(manifest->sources);
	strings_free(manifest->base_urls);
	strings_free(manifest->programs);
	strings_free(manifest->pkg_config);
	for (size_t i = 0; i < manifest->n_endpoints; i++) {
		free(manifest->endpoints[i].host);
	}
	free(manifest->endpoints);
	manifest_models_finish(manifest);
	char *const strings[] = {manifest->path, manifest->id, manifest->name,
			manifest->description, manifest->version, manifest->driver,
			manifest->base_url, manifest->base_url_env, manifest->key_env,
			manifest->key_url, manifest->start, manifest->auth_header,
			manifest->auth_scheme, manifest->service_url, manifest->package};
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		free(strings[i]);
	}
	*manifest = (struct manifest){0};
}

char *manifest_tree_name(const struct manifest *manifest) {
	static const char *const endings[] = {"-docker-provider", "-provider"};
	size_t length = strlen(manifest->id);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (ends_with(manifest->id, endings[i])) {
			length -= strlen(endings[i]);
			break;
		}
	}
	return strndup(manifest->id, length);
}
