/* The hosts of a version: see version_hosts.h. */
#include "core/engine/load/version_hosts.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/base_url.h"
#include "core/engine/engine.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

/* Whether its address is one that the environment gave to a service of the internet: with the key
 * of that service something of this machine may well hand on to it what it is sent. */
static bool may_be_relay(const struct version *version) {
	const struct manifest *manifest = &version->manifest;
	return !version->own_base_url && !manifest->local &&
	       (manifest->base_url == NULL || strcmp(manifest->base_url, version->base_url) != 0);
}

/* Whether what states no price costs nothing: a service of this machine or its network. One of the
 * kind that runs locally, at an address of the open internet, is somebody's who may charge. */
static bool costs_nothing(const struct version *version, const char *scheme, const char *host) {
	bool near = strcmp(scheme, "http") == 0 || base_url_is_local(version->base_url);
	return (host_is_loopback(host) && !may_be_relay(version)) ||
	       (version->manifest.local && !version->foreign && near);
}

/* What the user wrote may be local, and a bundled local service's own; one from outside where its
 * name says so, which whoever granted it could see. */
static bool base_url_may_be_local(const struct version *version, const char *host) {
	const struct manifest *manifest = &version->manifest;
	if (version->named_base_url || manifest->base_url == NULL) {
		return true;
	}
	char bare[256];
	bool brackets = host[0] == '[';
	snprintf(bare, sizeof(bare), "%.*s", (int)strlen(host) - 2 * brackets, host + brackets);
	return version->foreign ? host_is_local(bare) : manifest->local;
}

static bool base_url_host(struct version *version, struct transfer_host *ret) {
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;
	bool parsed = url != NULL &&
		      curl_url_set(url, CURLUPART_URL, version->base_url, 0) == CURLUE_OK &&
		      curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		      curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		      curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	if (parsed) {
		version->local = costs_nothing(version, scheme, host);
		*ret = (struct transfer_host){
				.scheme = strdup(scheme),
				.host = strdup(host),
				.port = (int)strtol(port, NULL, 10),
				.keyed = true,
				.local = base_url_may_be_local(version, host),
		};
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return parsed && ret->scheme != NULL && ret->host != NULL;
}

/* One of its manifest's `endpoints`. */
static bool add_endpoint(struct version *version, const struct manifest_endpoint *endpoint) {
	struct transfer_host *host = &version->hosts[version->n_hosts++];
	*host = (struct transfer_host){
			.scheme = strdup("https"),
			.host = strdup(endpoint->host),
			.port = endpoint->port,
			.keyed = endpoint->keyed,
			.local = version->foreign && host_is_local(endpoint->host),
	};
	return host->scheme != NULL && host->host != NULL;
}

/* One that the user named: a host may be local then, a whole domain only by its very name, since
 * anybody of that domain could lead a name to this machine. */
static bool add_own(struct version *version, const char *text) {
	struct transfer_host *host = &version->hosts[version->n_hosts++];
	bool https = true;
	host->host = consent_host_parts(text, &https, &host->port);
	host->scheme = strdup(https ? "https" : "http");
	if (host->scheme == NULL || host->host == NULL) {
		return false;
	}
	host->local = !starts_with(host->host, "*.") || consent_host_is_local(text);
	return true;
}

bool version_choose_hosts(struct version *version, struct fail *fail) {
	const struct manifest *manifest = &version->manifest;
	const struct config_provider *config = version->provider->config;
	char *const *own = config != NULL ? config->hosts : NULL;
	size_t n_own = own != NULL ? strings_length(own) : 0;
	version->hosts = calloc(manifest->n_endpoints + n_own + 1, sizeof(*version->hosts));
	bool complete = version->hosts != NULL;
	if (complete && version->base_url[0] != '\0') {
		complete = base_url_host(version, &version->hosts[version->n_hosts++]);
	}
	for (size_t i = 0; complete && i < manifest->n_endpoints; i++) {
		complete = add_endpoint(version, &manifest->endpoints[i]);
	}
	for (size_t i = 0; complete && i < n_own; i++) {
		complete = add_own(version, own[i]);
	}
	char **programs = manifest->programs;
	if (manifest->local && !version->foreign && programs != NULL && *programs != NULL) {
		version->local = true;
	}
	/* The addresses were checked, so only memory can be short. */
	return complete || fail_set(fail, ENOMEM, "no memory for a provider");
}

void version_free_hosts(struct version *version) {
	for (size_t i = 0; i < version->n_hosts; i++) {
		free(version->hosts[i].scheme);
		free(version->hosts[i].host);
	}
	free(version->hosts);
	version->hosts = NULL;
	version->n_hosts = 0;
}
