/* Reading MediaConduit.provider.yml: see manifest.h. MediaConduit's own manifests differ from file
 * to file, so that fields of theirs, and any that are unknown, are passed over. */
#include "core/config/manifest.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/base_url.h"
#include "core/config/capability.h"
#include "core/config/config.h"
#include "core/config/fields.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* More of either is no manifest. */
#define SOURCES_MOST 64
#define ENDPOINTS_MOST 64
#define NAMES_MOST 16

/* Adds a copy to a list ended by NULL. */
static void list_add(const struct place *place, char ***list, const char *text) {
	if (!strings_add(list, text)) {
		faults_add_no_memory(place->faults);
	}
}

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
	struct manifest *manifest = into;
	const char *name = capability_find(text);
	if (name == NULL) {
		const char *near = capability_nearest(text);
		faults_add_unknown(place->faults, item->line, "capability", text, "", &near,
				near != NULL ? 1 : 0);
		return;
	}
	if (!strings_contain(manifest->capabilities, name)) {
		list_add(place, &manifest->capabilities, name);
	}
}

static void read_capabilities(const struct place *place, const struct yaml_node *node, void *into) {
	node_each_text(place, node, add_capability, into);
}

static void read_driver(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest *manifest = into;
	const char *text = node_text(place, node);
	if (text != NULL && !provider_name_valid(text)) {
		place_fault(place, node, "'%s' can't be the name of a bundled provider", text);
	} else if (text != NULL) {
		node_copy(place, text, &manifest->driver);
	}
}

/* What is nothing but a name, wherever it is put. */
static bool is_plain_name(const char *text) {
	static const char allowed[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+._-";
	size_t length = strlen(text);
	return length <= 64 && isalnum((unsigned char)text[0]) && strspn(text, allowed) == length;
}

/* A C file below the manifest's directory, by a name that is nothing but one. */
static bool is_source(const char *text) {
	static const char allowed[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
	return strlen(text) <= 255 && ends_with(text, ".c") && isalnum((unsigned char)text[0]) &&
	       text[strspn(text, allowed)] == '\0' && strstr(text, "..") == NULL;
}

static void add_source(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	struct manifest *manifest = into;
	if (!is_source(text)) {
		faults_add(place->faults, item->line,
				"sources: '%s' is not the name of a C file below the manifest's "
				"directory",
				text);
	} else if (strings_length(manifest->sources) == SOURCES_MOST) {
		faults_add(place->faults, item->line, "sources: '%s' is one above the %d accepted",
				text, SOURCES_MOST);
	} else {
		list_add(place, &manifest->sources, text);
	}
}

static void read_sources(const struct place *place, const struct yaml_node *node, void *into) {
	node_each_text(place, node, add_source, into);
}

static void read_base_url(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest *manifest = into;
	const char *text = node_text(place, node);
	cleanup_fail struct fail fail = {0};
	if (text == NULL) {
		return;
	}
	manifest->base_url = base_url_check(text, false, &fail);
	if (manifest->base_url == NULL) {
		place_fault(place, node, "%s", fail_words(&fail));
	}
}

/* Shown to a person, never opened from here. */
static void read_key_url(const struct place *place, const struct yaml_node *node, void *into) {
	const char *text = node_text(place, node);
	if (text == NULL) {
		return;
	}
	bool visible = true;
	for (const char *at = text; *at != '\0'; at++) {
		visible = visible && (unsigned char)*at > 0x20 && (unsigned char)*at < 0x7f;
	}
	if (!starts_with(text, "https://") || !visible) {
		place_fault(place, node, "'%s' is not an address that begins with https://", text);
		return;
	}
	node_copy(place, text, &((struct manifest *)into)->key_url);
}

/* A token of RFC 9110: what header names and authentication schemes are made of. */
static bool is_token(const char *text) {
	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL) {
			return false;
		}
	}
	return true;
}

static void read_auth_header(const struct place *place, const struct yaml_node *node, void *into) {
	const char *text = node_text(place, node);
	if (text != NULL && (!is_token(text) || strlen(text) > 64)) {
		place_fault(place, node, "'%s' can't be the name of an HTTP header", text);
	} else if (text != NULL) {
		node_copy(place, text, &((struct manifest *)into)->auth_header);
	}
}

/* Nothing written, or "": the bare key. */
static void read_auth_scheme(const struct place *place, const struct yaml_node *node, void *into) {
	bool scalar = node->kind == YAML_KIND_SCALAR;
	bool bare = scalar && (yaml_node_is_null(node) || node->text[0] == '\0');
	const char *text = bare ? "" : node_text(place, node);
	if (text != NULL && (!is_token(text) || strlen(text) > 64)) {
		place_fault(place, node,
				"'%s' can't be an authentication scheme: write one word, as "
				"Bearer, or \"\"",
				text);
	} else if (text != NULL) {
		node_copy(place, text, &((struct manifest *)into)->auth_scheme);
	}
}

static void read_auth(const struct place *place, const struct yaml_node *node, void *into) {
	static const struct field fields[] = {
			{"header", FIELD_SPECIAL, .read = read_auth_header},
			{"scheme", FIELD_SPECIAL, .read = read_auth_scheme},
	};
	const struct place inside = {place->faults, "auth"};
	fields_read(&inside, node, FIELDS(fields), UNKNOWN_REFUSED, "field", into);
}

static void read_host(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest_endpoint *endpoint = into;
	const char *text = node_text(place, node);
	if (text == NULL) {
		return;
	}
	node_copy(place, text, &endpoint->host);
	for (char *at = endpoint->host; at != NULL && *at != '\0'; at++) {
		*at = (char)tolower((unsigned char)*at);
	}
	if (endpoint->host != NULL && !host_valid(endpoint->host)) {
		place_fault(place, node,
				"'%s' is not a host: write its name, or *.example.com for all "
				"below "
				"example.com",
				text);
	}
}

static void read_endpoint(const struct place *place, const struct yaml_node *node,
		struct manifest_endpoint *endpoint) {
	static const struct field fields[] = {
			{"host", FIELD_SPECIAL, .read = read_host},
			{"port", FIELD_INT, offsetof(struct manifest_endpoint, port), 1, 65535},
			{"key", FIELD_BOOL, offsetof(struct manifest_endpoint, keyed)},
	};
	const struct place inside = {place->faults, "endpoints"};
	fields_read(&inside, node, FIELDS(fields), UNKNOWN_REFUSED, "field", endpoint);
	if (yaml_tree_get(node, "host") == NULL) {
		faults_add(place->faults, node->line,
				"endpoints: an entry needs a host: {host: api.example.com}");
	}
}

static void read_endpoints(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest *manifest = into;
	if (node->kind != YAML_KIND_LIST) {
		place_fault(place, node, "must be a list: [{host: api.example.com, key: true}]");
		return;
	}
	manifest->endpoints = calloc(ENDPOINTS_MOST, sizeof(struct manifest_endpoint));
	if (manifest->endpoints == NULL) {
		faults_add_no_memory(place->faults);
		return;
	}
	for (const struct yaml_node *item = node->first; item != NULL; item = item->next) {
		if (manifest->n_endpoints == ENDPOINTS_MOST) {
			place_fault(place, node, "has more than %d entries", ENDPOINTS_MOST);
			return;
		}
		read_endpoint(place, item, &manifest->endpoints[manifest->n_endpoints++]);
	}
}

bool program_name_valid(const char *name) {
	static const char *const interpreters[] = {"sh", "ash", "bash", "busybox", "csh", "dash",
			"env", "fish", "ksh", "lua", "node", "perl", "php", "python", "python3",
			"ruby", "sudo", "tcsh", "toybox", "zsh"};
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
		if (strcmp(name, interpreters[i]) == 0) {
			return false;
		}
	}
	return is_plain_name(name);
}

static void add_program(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	struct manifest *manifest = into;
	if (!program_name_valid(text)) {
		faults_add(place->faults, item->line,
				"programs: '%s' is not accepted: write a program's name without a "
				"path, and none that runs what it is handed, as a shell does",
				text);
	} else if (strings_length(manifest->programs) == NAMES_MOST) {
		faults_add(place->faults, item->line, "programs: '%s' is one above the %d accepted",
				text, NAMES_MOST);
	} else {
		list_add(place, &manifest->programs, text);
	}
}

static void read_programs(const struct place *place, const struct yaml_node *node, void *into) {
	node_each_text(place, node, add_program, into);
}

static void add_library(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	struct manifest *manifest = into;
	if (!is_plain_name(text)) {
		faults_add(place->faults, item->line,
				"pkg_config: '%s' is not a library's name, such as libcjson", text);
	} else if (strings_length(manifest->pkg_config) == NAMES_MOST) {
		faults_add(place->faults, item->line,
				"pkg_config: '%s' is one above the %d accepted", text, NAMES_MOST);
	} else {
		list_add(place, &manifest->pkg_config, text);
	}
}

static void read_pkg_config(const struct place *place, const struct yaml_node *node, void *into) {
	node_each_text(place, node, add_library, into);
}

static void read_limits(const struct place *place, const struct yaml_node *node, void *into) {
	static const struct field fields[] = {
			{"concurrent", FIELD_INT, offsetof(struct manifest, concurrent), 1,
					CONFIG_CONCURRENT_MOST},
	};
	const struct place inside = {place->faults, "limits"};
	fields_read(&inside, node, FIELDS(fields), UNKNOWN_IGNORED, "field", into);
}

static void read_tree(
		struct faults *faults, const struct yaml_node *root, struct manifest *manifest) {
	static const struct field fields[] = {
			{"id", FIELD_TEXT, offsetof(struct manifest, id)},
			{"name", FIELD_TEXT, offsetof(struct manifest, name)},
			{"description", FIELD_TEXT, offsetof(struct manifest, description)},
			{"version", FIELD_TEXT, offsetof(struct manifest, version)},
			{"type", FIELD_SPECIAL, .read = read_type},
			{"capabilities", FIELD_SPECIAL, .read = read_capabilities},
			{"driver", FIELD_SPECIAL, .read = read_driver},
			{"sources", FIELD_SPECIAL, .read = read_sources},
			{"base_url", FIELD_SPECIAL, .read = read_base_url},
			{"base_url_env", FIELD_VARIABLE, offsetof(struct manifest, base_url_env)},
			{"key_env", FIELD_VARIABLE, offsetof(struct manifest, key_env)},
			{"key_url", FIELD_SPECIAL, .read = read_key_url},
			{"key_required", FIELD_BOOL, offsetof(struct manifest, key_required)},
			{"public_models", FIELD_BOOL, offsetof(struct manifest, public_models)},
			{"auth", FIELD_SPECIAL, .read = read_auth},
			{"endpoints", FIELD_SPECIAL, .read = read_endpoints},
			{"programs", FIELD_SPECIAL, .read = read_programs},
			{"pkg_config", FIELD_SPECIAL, .read = read_pkg_config},
			{"limits", FIELD_SPECIAL, .read = read_limits},
	};
	const struct place top = {faults, ""};
	fields_read(&top, root, FIELDS(fields), UNKNOWN_IGNORED, "field", manifest);
}

static void complete(struct faults *faults, char **member, const char *standard) {
	const struct place top = {faults, ""};
	if (*member == NULL) {
		node_copy(&top, standard, member);
	}
}

/* What must be there, and what the rest is when it is unsaid. */
static void check_whole(
		struct faults *faults, const struct yaml_node *root, struct manifest *manifest) {
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
	bool driver = yaml_tree_get(root, "driver") != NULL;
	bool sources = yaml_tree_get(root, "sources") != NULL;
	if (driver == sources) {
		faults_add(faults, 0,
				driver ? "both driver and sources: a provider has one of them"
				       : "neither driver nor sources: add `driver: openai` for "
					 "a service that a bundled provider can speak to, or "
					 "`sources: [provider.c]`");
	} else if (sources && manifest->sources == NULL && faults->n == 0) {
		faults_add(faults, yaml_tree_get(root, "sources")->line,
				"sources: is empty: name a C file, as [provider.c]");
	}
	if (manifest->capabilities == NULL && faults->n == 0) {
		faults_add(faults, 0, "no capabilities: add a line `capabilities: [text-to-text]`");
	}
	complete(faults, &manifest->name, manifest->id != NULL ? manifest->id : "");
	complete(faults, &manifest->description, "");
	complete(faults, &manifest->version, "");
	complete(faults, &manifest->auth_header, "Authorization");
	complete(faults, &manifest->auth_scheme, "Bearer");
}

bool manifest_read(struct manifest *ret, const char *path, struct fail *fail) {
	cleanup(manifest_finish) struct manifest manifest = {0};
	cleanup_faults struct faults faults = {.file = path};
	cleanup_yaml_tree struct yaml_node *root = NULL;
	if (!yaml_tree_read(path, &faults, &root, fail)) {
		return false;
	}
	if (faults.n == 0) {
		read_tree(&faults, root, &manifest);
		check_whole(&faults, root, &manifest);
	}
	manifest.path = strdup(path);
	if (manifest.path == NULL) {
		faults_add_no_memory(&faults);
	}
	if (!faults_report(&faults, fail)) {
		return false;
	}
	*ret = manifest;
	manifest = (struct manifest){0};
	return true;
}

void manifest_finish(struct manifest *manifest) {
	strings_free(manifest->capabilities);
	strings_free(manifest->sources);
	strings_free(manifest->programs);
	strings_free(manifest->pkg_config);
	for (size_t i = 0; i < manifest->n_endpoints; i++) {
		free(manifest->endpoints[i].host);
	}
	free(manifest->endpoints);
	char *const strings[] = {manifest->path, manifest->id, manifest->name,
			manifest->description, manifest->version, manifest->driver,
			manifest->base_url, manifest->base_url_env, manifest->key_env,
			manifest->key_url, manifest->auth_header, manifest->auth_scheme};
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
