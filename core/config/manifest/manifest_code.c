/* What a provider is made of: a bundled driver, or C sources and the libraries they use. */
#include "core/config/manifest/manifest_fields.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/config.h"

#include <ctype.h>
#include <string.h>

/* More of either is no provider. */
#define SOURCES_MOST 64
#define LIBRARIES_MOST 16

void manifest_read_driver(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest *manifest = into;
	const char *text = node_text(place, node);
	if (text != NULL && !provider_name_valid(text)) {
		place_fault(place, node, "'%s' can't be the name of a bundled provider", text);
	} else if (text != NULL) {
		node_copy(place, text, &manifest->driver);
	}
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
	} else if (strings_contain(manifest->sources, text)) {
		faults_add(place->faults, item->line, "sources: '%s' stands here twice", text);
	} else if (strings_length(manifest->sources) == SOURCES_MOST) {
		faults_add(place->faults, item->line, "sources: '%s' is one above the %d accepted",
				text, SOURCES_MOST);
	} else {
		manifest_add(place, &manifest->sources, text);
	}
}

void manifest_read_sources(const struct place *place, const struct yaml_node *node, void *into) {
	node_each_text(place, node, add_source, into);
}

/* As pkg-config knows it, and nothing that it could take for an option. */
static bool is_library(const char *text) {
	static const char allowed[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+._-";
	size_t length = strlen(text);
	return length <= 64 && isalnum((unsigned char)text[0]) && strspn(text, allowed) == length;
}

static void add_library(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	struct manifest *manifest = into;
	if (!is_library(text)) {
		faults_add(place->faults, item->line,
				"pkg_config: '%s' is not a library's name, such as libcjson", text);
	} else if (strings_length(manifest->pkg_config) == LIBRARIES_MOST) {
		faults_add(place->faults, item->line,
				"pkg_config: '%s' is one above the %d accepted", text,
				LIBRARIES_MOST);
	} else {
		manifest_add(place, &manifest->pkg_config, text);
	}
}

void manifest_read_pkg_config(const struct place *place, const struct yaml_node *node, void *into) {
	node_each_text(place, node, add_library, into);
}
