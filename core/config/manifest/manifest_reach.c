/* What a provider reaches: its service's address, its key and where that goes, further hosts,
 * programs. From outside each of them is a request: see consent.h. */
#include "core/config/manifest/manifest_fields.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/base_url.h"
#include "core/config/config.h"

#include <ctype.h>
#include <string.h>

/* More of either is no manifest. */
#define ENDPOINTS_MOST 64
#define PROGRAMS_MOST 16
#define PACKAGE_MOST 256
#define BASE_URLS_MOST 8

void manifest_read_base_url(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest *manifest = into;
	const char *text = node_text(place, node);
	cleanup_fail struct fail fail = {0};
	if (text == NULL) {
		return;
	}
	manifest->base_url = base_url_check(text, false, &fail);
	if (manifest->base_url == NULL) {
		place_fault(place, node, "%s", fail_words(&fail));
	} else if (!base_url_is_plain(manifest->base_url)) {
		/* It could not be granted: a grant names hosts as `endpoints` does. */
		place_fault(place, node, "'%s' has no host of a-z, 0-9, '.', '_' and '-'", text);
	}
}

static void add_base_url(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	struct manifest *manifest = into;
	cleanup_fail struct fail fail = {0};
	cleanup_free char *url = base_url_check(text, false, &fail);
	if (url == NULL) {
		faults_add(place->faults, item->line, "base_urls: %s", fail_words(&fail));
	} else if (!base_url_is_plain(url)) {
		faults_add(place->faults, item->line,
				"base_urls: '%s' has no host of a-z, 0-9, '.', '_' and '-'", text);
	} else if (strings_length(manifest->base_urls) == BASE_URLS_MOST) {
		faults_add(place->faults, item->line,
				"base_urls: '%s' is one above the %d accepted", text,
				BASE_URLS_MOST);
	} else {
		manifest_add(place, &manifest->base_urls, url);
	}
}

void manifest_read_base_urls(const struct place *place, const struct yaml_node *node, void *into) {
	node_each_text(place, node, add_base_url, into);
}

/* Its value is tried as an address, and repeated in words when it is none: a variable that isn't
 * meant for one may hold a secret. */
void manifest_read_base_url_env(
		const struct place *place, const struct yaml_node *node, void *into) {
	const char *text = node_text(place, node);
	if (text != NULL &&
			(!is_variable_name(text) ||
					!(ends_with(text, "_URL") || ends_with(text, "_HOST")))) {
		place_fault(place, node,
				"must be the name of an environment variable that ends in _URL or "
				"_HOST, such as EXAMPLE_BASE_URL");
	} else if (text != NULL) {
		node_copy(place, text, &((struct manifest *)into)->base_url_env);
	}
}

/* Shown to a person, never opened from here. */
void manifest_read_key_url(const struct place *place, const struct yaml_node *node, void *into) {
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

const struct field manifest_auth_fields[] = {
		{"header", FIELD_SPECIAL, .read = read_auth_header},
		{"scheme", FIELD_SPECIAL, .read = read_auth_scheme},
};

void manifest_read_auth(const struct place *place, const struct yaml_node *node, void *into) {
	const struct place inside = {place->faults, "auth", place->notes};
	fields_read(&inside, node, FIELDS(manifest_auth_fields), UNKNOWN_REFUSED, "field", into);
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

const struct field manifest_endpoint_fields[] = {
		{"host", FIELD_SPECIAL, .read = read_host},
		{"port", FIELD_INT, offsetof(struct manifest_endpoint, port), 1, 65535},
		{"key", FIELD_BOOL, offsetof(struct manifest_endpoint, keyed)},
};

static void read_endpoint(const struct place *place, const struct yaml_node *node,
		struct manifest_endpoint *endpoint) {
	const struct place inside = {place->faults, "endpoints", place->notes};
	fields_read(&inside, node, FIELDS(manifest_endpoint_fields), UNKNOWN_REFUSED, "field",
			endpoint);
	if (yaml_tree_get(node, "host") == NULL) {
		faults_add(place->faults, node->line,
				"endpoints: an entry needs a host: {host: api.example.com}");
	}
}

void manifest_read_endpoints(const struct place *place, const struct yaml_node *node, void *into) {
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
	size_t length = strlen(name);
	return length <= 64 && isalnum((unsigned char)name[0]) &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+._-") ==
			       length;
}

static void add_program(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	struct manifest *manifest = into;
	if (!program_name_valid(text)) {
		faults_add(place->faults, item->line,
				"programs: '%s' is not accepted: write a program's name without a "
				"path, and none that runs what it is handed, as a shell does",
				text);
	} else if (strings_length(manifest->programs) == PROGRAMS_MOST) {
		faults_add(place->faults, item->line, "programs: '%s' is one above the %d accepted",
				text, PROGRAMS_MOST);
	} else {
		manifest_add(place, &manifest->programs, text);
	}
}

void manifest_read_programs(const struct place *place, const struct yaml_node *node, void *into) {
	node_each_text(place, node, add_program, into);
}

/* A person is shown it as what to type: nothing else than names of packages may stand there. */
void manifest_read_package(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest *manifest = into;
	const char *text = node_text(place, node);
	if (text == NULL) {
		return;
	}
	bool fine = isalnum((unsigned char)text[0]) && strlen(text) <= PACKAGE_MOST &&
		    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.- ") == strlen(text) &&
		    strstr(text, " -") == NULL;
	if (!fine) {
		place_fault(place, node,
				"'%s' is not accepted: write names of Debian packages, of a-z, "
				"0-9, '+', '.' and '-', with a blank between them",
				text);
		return;
	}
	node_copy(place, text, &manifest->package);
}

const struct field manifest_limits_fields[] = {
		{"concurrent", FIELD_INT, offsetof(struct manifest, concurrent), 1,
				CONFIG_CONCURRENT_MOST},
		{"fallback_models", FIELD_INT, offsetof(struct manifest, fallback_models), 1,
				MANIFEST_FALLBACK_MOST},
};

void manifest_read_limits(const struct place *place, const struct yaml_node *node, void *into) {
	const struct place inside = {place->faults, "limits", place->notes};
	fields_read(&inside, node, FIELDS(manifest_limits_fields), UNKNOWN_NOTED, "field", into);
}

/* What a local service is asked costs nothing, so that only what is local may call itself so. */
void manifest_check_local(const struct place *place, const struct yaml_node *root,
		const struct manifest *manifest) {
	if (!manifest->local) {
		return;
	}
	if (manifest->base_url != NULL && !base_url_is_local(manifest->base_url)) {
		place_fault(place, yaml_tree_get(root, "base_url"),
				"'%s' is no address of this machine or its network, as `type: "
				"local` says: write `type: remote`",
				manifest->base_url);
	}
	for (char **url = manifest->base_urls; url != NULL && *url != NULL; url++) {
		if (!base_url_is_local(*url)) {
			place_fault(place, yaml_tree_get(root, "base_urls"),
					"'%s' is no address of this machine or its network, as "
					"`type: local` says: write `type: remote`",
					*url);
		}
	}
	for (size_t i = 0; i < manifest->n_endpoints; i++) {
		const char *host = manifest->endpoints[i].host;
		if (host != NULL && !host_is_local(host)) {
			place_fault(place, yaml_tree_get(root, "endpoints"),
					"'%s' is no host of this machine or its network, as "
					"`type: local` says: write `type: remote`",
					host);
		}
	}
}
