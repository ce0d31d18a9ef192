/* What is asked for and granted: see consent.h. */
#include "core/config/consent.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/base_url.h"
#include "core/config/yaml/fields.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>

/* A scheme, the longest host, brackets and a port. */
#define HOST_TEXT_MOST 280
/* More of anything is no grant that a person reads. */
#define ENTRIES_MOST 64

static void free_url(CURLU **url) {
	curl_url_cleanup(*url);
}

static void free_part(char **part) {
	curl_free(*part);
}

void consent_finish(struct consent *consent) {
	free(consent->key);
	strings_free(consent->key_hosts);
	strings_free(consent->hosts);
	strings_free(consent->programs);
	*consent = (struct consent){0};
}

bool consent_copy(struct consent *ret, const struct consent *from) {
	cleanup_consent struct consent copy = {0};
	copy.key = from->key != NULL ? strdup(from->key) : NULL;
	if ((from->key != NULL && copy.key == NULL) ||
			!strings_copy(&copy.key_hosts, from->key_hosts) ||
			!strings_copy(&copy.hosts, from->hosts) ||
			!strings_copy(&copy.programs, from->programs)) {
		return false;
	}
	*ret = copy;
	copy = (struct consent){0};
	return true;
}

bool consent_same(const struct consent *a, const struct consent *b) {
	bool same_key = a->key == b->key ||
			(a->key != NULL && b->key != NULL && strcmp(a->key, b->key) == 0);
	return same_key && strings_same(a->key_hosts, b->key_hosts) &&
	       strings_same(a->hosts, b->hosts) && strings_same(a->programs, b->programs);
}

bool consent_is_empty(const struct consent *consent) {
	return consent->key == NULL && strings_length(consent->key_hosts) == 0 &&
	       strings_length(consent->hosts) == 0 && strings_length(consent->programs) == 0;
}

/* ---- hosts ---- */

/* The one spelling of a host: what is usual is left out. */
static bool add_host(char ***list, bool https, const char *host, int port) {
	char text[HOST_TEXT_MOST];
	bool bracket = strchr(host, ':') != NULL && host[0] != '[';
	int size = snprintf(text, sizeof(text), "%s%s%s%s", https ? "" : "http://",
			bracket ? "[" : "", host, bracket ? "]" : "");
	if (port != 0 && port != (https ? 443 : 80) && size > 0 && (size_t)size < sizeof(text)) {
		size += snprintf(text + size, sizeof(text) - (size_t)size, ":%d", port);
	}
	for (char *at = text; *at != '\0'; at++) {
		*at = (char)tolower((unsigned char)*at);
	}
	return size > 0 && (size_t)size < sizeof(text) && strings_insert(list, text);
}

/* It was checked when the manifest was read, so that only memory can be short. */
static bool add_base_url(char ***list, const char *base_url) {
	cleanup(free_url) CURLU *url = curl_url();
	cleanup(free_part) char *scheme = NULL;
	cleanup(free_part) char *host = NULL;
	cleanup(free_part) char *port = NULL;
	return url != NULL && curl_url_set(url, CURLUPART_URL, base_url, 0) == CURLUE_OK &&
	       curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	       curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	       curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	       add_host(list, strcasecmp(scheme, "https") == 0, host, (int)strtol(port, NULL, 10));
}

/* "http://[::1]:8080" → "::1" in `host`. False for what add_host would write otherwise. */
static bool take_apart(const char *text, bool *ret_https, char host[static HOST_TEXT_MOST],
		int *ret_port) {
	bool https = !starts_with(text, "http://");
	const char *from = https ? text : text + strlen("http://");
	bool bracket = from[0] == '[';
	from += bracket;
	size_t length = strcspn(from, bracket ? "]" : ":");
	const char *rest = from + length + (bracket && from[length] == ']');
	int64_t port = 0;
	if (length >= HOST_TEXT_MOST || strlen(text) >= HOST_TEXT_MOST ||
			(bracket && from[length] != ']') ||
			(rest[0] == ':' && (!isdigit((unsigned char)rest[1]) ||
							   !parse_int64(rest + 1, &port) ||
							   port < 1 || port > 65535)) ||
			(rest[0] != ':' && rest[0] != '\0')) {
		return false;
	}
	memcpy(host, from, length);
	host[length] = '\0';
	*ret_https = https;
	*ret_port = (int)port;
	char **canonical cleanup_strings = NULL;
	return add_host(&canonical, https, host, (int)port) && strcmp(canonical[0], text) == 0;
}

bool consent_host_valid(const char *text) {
	char host[HOST_TEXT_MOST];
	bool https;
	int port;
	return take_apart(text, &https, host, &port) && host_valid(host);
}

bool consent_host_is_local(const char *text) {
	char host[HOST_TEXT_MOST];
	bool https;
	int port;
	return take_apart(text, &https, host, &port) && host_is_local(host);
}

char *consent_host_parts(const char *text, bool *ret_https, int *ret_port) {
	char host[HOST_TEXT_MOST];
	return take_apart(text, ret_https, host, ret_port) ? strdup(host) : NULL;
}

/* ---- what a manifest asks for ---- */

bool consent_of_manifest(struct consent *ret, const struct manifest *manifest) {
	cleanup_consent struct consent asked = {0};
	asked.key = manifest->key_env != NULL ? strdup(manifest->key_env) : NULL;
	if ((manifest->key_env != NULL && asked.key == NULL) ||
			(manifest->base_url != NULL &&
					!add_base_url(&asked.key_hosts, manifest->base_url))) {
		return false;
	}
	for (size_t i = 0; i < manifest->n_endpoints; i++) {
		const struct manifest_endpoint *endpoint = &manifest->endpoints[i];
		if (!add_host(endpoint->keyed ? &asked.key_hosts : &asked.hosts, true,
				    endpoint->host, endpoint->port)) {
			return false;
		}
	}
	for (char **name = manifest->programs; name != NULL && *name != NULL; name++) {
		if (!strings_insert(&asked.programs, *name)) {
			return false;
		}
	}
	*ret = asked;
	asked = (struct consent){0};
	return true;
}

/* ---- words ---- */

static const char *of_local_network(const char *host) {
	return consent_host_is_local(host) ? ", an address of the local network" : "";
}

static bool say_key_host(struct buf *out, const char *key, const char *host) {
	if (key != NULL) {
		return buf_add_format(out, "the key in $%s, sent to %s%s\n", key, host,
				of_local_network(host));
	}
	return buf_add_format(out, "requests to %s%s, with the key that you may set\n", host,
			of_local_network(host));
}

static bool say(struct buf *out, const struct consent *asked, const struct consent *granted) {
	bool same_key = asked->key == NULL ||
			(granted->key != NULL && strcmp(asked->key, granted->key) == 0);
	bool said = true;
	if (!same_key && strings_length(asked->key_hosts) == 0) {
		said = buf_add_format(out, "the key in $%s\n", asked->key);
	}
	for (char **host = asked->key_hosts; host != NULL && *host != NULL; host++) {
		if (!same_key || !strings_contain(granted->key_hosts, *host)) {
			said = say_key_host(out, asked->key, *host) && said;
		}
	}
	for (char **host = asked->hosts; host != NULL && *host != NULL; host++) {
		/* Where the key may go requests may go. */
		if (!strings_contain(granted->hosts, *host) &&
				!strings_contain(granted->key_hosts, *host)) {
			said = buf_add_format(out, "requests to %s%s\n", *host,
					       of_local_network(*host)) &&
			       said;
		}
	}
	for (char **name = asked->programs; name != NULL && *name != NULL; name++) {
		if (!strings_contain(granted->programs, *name)) {
			said = buf_add_format(out, "the program %s\n", *name) && said;
		}
	}
	return said;
}

bool consent_covers(
		const struct consent *granted, const struct consent *asked, struct buf *missing) {
	cleanup_buf struct buf words = {0};
	bool said = say(&words, asked, granted);
	if (said && words.size == 0) {
		return true;
	}
	if (missing != NULL) {
		buf_add(missing, buf_string(&words), words.size);
	}
	return false;
}

bool consent_describe(const struct consent *consent, struct buf *out) {
	return say(out, consent, &(struct consent){0});
}

/* ---- a grant as a file holds it ---- */

/* Where a list is read into, and what may be in it. */
struct entries {
	char ***list;
	bool (*valid)(const char *text);
	const char *what, *example;
};

static void add_entry(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	const struct entries *entries = into;
	if (!entries->valid(text)) {
		faults_add(place->faults, item->line, "%s: '%s' is not a %s as it is granted: %s",
				place->name, text, entries->what, entries->example);
	} else if (strings_length(*entries->list) == ENTRIES_MOST) {
		faults_add(place->faults, item->line, "%s: '%s' is one above the %d accepted",
				place->name, text, ENTRIES_MOST);
	} else if (!strings_insert(entries->list, text)) {
		faults_add_no_memory(place->faults);
	}
}

static void read_list(
		const struct place *place, const struct yaml_node *node, struct entries entries) {
	if (!yaml_node_is_null(node)) {
		char name[256];
		snprintf(name, sizeof(name), "%s.%s", place->name, node->name);
		const struct place inside = {place->faults, name};
		node_each_text(&inside, node, add_entry, &entries);
	}
}

static struct entries host_entries(char ***list) {
	return (struct entries){list, consent_host_valid, "host",
			"api.acme.dev, api.acme.dev:8443, '*.acme.dev', http://127.0.0.1:8080"};
}

void consent_read_hosts(const struct place *place, const struct yaml_node *node, char ***ret) {
	read_list(place, node, host_entries(ret));
}

static void read_key_hosts(const struct place *place, const struct yaml_node *node, void *into) {
	read_list(place, node, host_entries(&((struct consent *)into)->key_hosts));
}

static void read_hosts(const struct place *place, const struct yaml_node *node, void *into) {
	read_list(place, node, host_entries(&((struct consent *)into)->hosts));
}

static void read_programs(const struct place *place, const struct yaml_node *node, void *into) {
	read_list(place, node,
			(struct entries){&((struct consent *)into)->programs, program_name_valid,
					"program", "ffmpeg"});
}

void consent_read(const struct place *place, const struct yaml_node *node, struct consent *ret) {
	static const struct field fields[] = {
			{"key", FIELD_VARIABLE, offsetof(struct consent, key)},
			{"key_hosts", FIELD_SPECIAL, .read = read_key_hosts},
			{"hosts", FIELD_SPECIAL, .read = read_hosts},
			{"programs", FIELD_SPECIAL, .read = read_programs},
	};
	fields_read(place, node, FIELDS(fields), UNKNOWN_REFUSED, "field", ret);
}
