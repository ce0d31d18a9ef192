/* Versions of providers: see version.h. */
#include "core/engine/load/version.h"

#include "core/engine/replay/kept.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/base_url.h"
#include "core/engine/engine.h"
#include "core/process/program.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

/* ---- the manifest and the object ---- */

/* A path below the bundled providers' directory; false with words when it is too long. */
static bool bundled_path(const struct provider *provider, const char *name, const char *ending,
		char ret[PATH_MAX], struct fail *fail) {
	const char *directory = provider->engine->options.provider_directory;
	int length = snprintf(ret, PATH_MAX, "%s/%s%s", directory, name, ending);
	return (length > 0 && length < PATH_MAX) ||
	       fail_set(fail, ENAMETOOLONG, "%s/%s%s: the path is too long", directory, name,
			       ending);
}

static bool unknown_driver(const struct provider *provider, const char *driver, struct fail *fail) {
	const struct config_provider *config = provider->config;
	cleanup_free char *where = NULL;
	if (config == NULL || asprintf(&where, "%s:%d: ", provider->engine->config.file,
					      config->line) < 0) {
		where = NULL;
	}
	return fail_set(fail, ENOENT,
			"%sprovider %s: there is no bundled provider '%s' in %s; say driver: with "
			"one of those that are",
			where != NULL ? where : "", provider->name, driver,
			provider->engine->options.provider_directory);
}

/* A declared provider names the bundled one whose object it uses; a compiled one has its own. */
static bool bundled_object(const struct provider *provider, const char *driver,
		struct manifest *manifest, char object[PATH_MAX], struct fail *fail) {
	char path[PATH_MAX];
	if (!bundled_path(provider, driver, ".yml", path, fail)) {
		return false;
	}
	if (access(path, R_OK) != 0) {
		return unknown_driver(provider, driver, fail);
	}
	return manifest_read(manifest, path, fail) &&
	       bundled_path(provider, manifest->driver != NULL ? manifest->driver : driver, ".so",
			       object, fail);
}

static bool foreign_object(struct version *version, const struct version_spec *spec,
		char object[PATH_MAX], struct fail *fail) {
	char path[PATH_MAX];
	cleanup(manifest_finish) struct manifest driver = {0};
	int length = snprintf(path, sizeof(path), "%s/MediaConduit.provider.yml", spec->files);
	if (length < 0 || (size_t)length >= sizeof(path)) {
		return fail_set(fail, ENAMETOOLONG, "%s: the path is too long", spec->files);
	}
	if (!manifest_read(&version->manifest, path, fail)) {
		return false;
	}
	const char *name = version->manifest.driver;
	if (name != NULL) {
		/* Replaying is the user's own, in config.yml: there is no object of that name. */
		return strcmp(name, REPLAY_DRIVER) == 0
				       ? unknown_driver(version->provider, name, fail)
				       : bundled_object(version->provider, name, &driver, object,
							 fail);
	}
	length = snprintf(object, PATH_MAX, "%s", spec->object);
	return (length > 0 && length < PATH_MAX) ||
	       fail_set(fail, ENOENT, "provider %s: nothing was built of it",
			       version->provider->name);
}

/* ---- where it may speak to ---- */

/* <NAME>_BASE_URL for a provider called NAME. */
static char *base_url_variable(const char *name) {
	char *variable = NULL;
	if (asprintf(&variable, "%s_BASE_URL", name) < 0) {
		return NULL;
	}
	for (char *c = variable; *c != '\0'; c++) {
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	}
	return variable;
}

/* What the environment says; NULL when it says nothing. `ret_variable` names who said it. A
 * manifest from outside may name no variable: it would be told the value. */
static const char *base_url_of_environment(const struct version *version, char **ret_variable) {
	const char *variable = version->foreign ? NULL : version->manifest.base_url_env;
	cleanup_free char *own = base_url_variable(version->provider->name);
	const char *base = own != NULL ? getenv(own) : NULL;
	if (base != NULL && base[0] != '\0') {
		*ret_variable = take(own);
		return base;
	}
	base = variable != NULL ? getenv(variable) : NULL;
	if (base == NULL || base[0] == '\0') {
		return NULL;
	}
	*ret_variable = strdup(variable);
	return base;
}

/* config.yml's and the manifest's were checked where they were read. */
static bool choose_base_url(struct version *version, const char *spec_url, struct fail *fail) {
	cleanup_free char *variable = NULL;
	cleanup_fail struct fail why = {0};
	const struct config_provider *config = version->provider->config;
	const char *base = config != NULL ? config->base_url : NULL;
	version->own_base_url = version->named_base_url = base != NULL;
	if (spec_url != NULL) {
		version->base_url = strdup(spec_url);
		return version->base_url != NULL ||
		       fail_set(fail, ENOMEM, "no memory for a provider");
	}
	if (base == NULL && (base = base_url_of_environment(version, &variable)) != NULL) {
		version->named_base_url = true;
		bool is_host = variable != NULL && ends_with(variable, "_HOST") &&
			       version->manifest.base_url != NULL;
		cleanup_free char *meant = is_host ? base_url_of_host(base,
								     version->manifest.base_url)
						   : strdup(base);
		if (meant == NULL) {
			return fail_set(fail, ENOMEM, "no memory for a provider");
		}
		version->base_url = base_url_check(meant, config != NULL && config->insecure, &why);
		return version->base_url != NULL ||
		       fail_set(fail, is_host ? ENODEV : why.code,
				       "provider %s: %s in the environment: %s",
				       version->provider->name, variable != NULL ? variable : "",
				       fail_words(&why));
	}
	if (base == NULL) {
		base = version->manifest.base_url != NULL ? version->manifest.base_url : "";
	}
	version->base_url = strdup(base);
	return version->base_url != NULL || fail_set(fail, ENOMEM, "no memory for a provider");
}

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

static bool choose_hosts(struct version *version, struct fail *fail) {
	const struct manifest *manifest = &version->manifest;
	version->hosts = calloc(manifest->n_endpoints + 1, sizeof(*version->hosts));
	bool complete = version->hosts != NULL;
	if (complete && version->base_url[0] != '\0') {
		complete = base_url_host(version, &version->hosts[version->n_hosts++]);
	}
	for (size_t i = 0; complete && i < manifest->n_endpoints; i++) {
		const struct manifest_endpoint *endpoint = &manifest->endpoints[i];
		struct transfer_host *host = &version->hosts[version->n_hosts++];
		*host = (struct transfer_host){
				.scheme = strdup("https"),
				.host = strdup(endpoint->host),
				.port = endpoint->port,
				.keyed = endpoint->keyed,
				.local = version->foreign && host_is_local(endpoint->host),
		};
		complete = host->scheme != NULL && host->host != NULL;
	}
	char **programs = manifest->programs;
	if (manifest->local && !version->foreign && programs != NULL && *programs != NULL) {
		version->local = true;
	}
	/* The addresses were checked, so only memory can be short. */
	return complete || fail_set(fail, ENOMEM, "no memory for a provider");
}

/* ---- its key ---- */

/* key_command has ended. */
static void on_key_changed(void *data) {
	struct version *version = data;
	if (version->provider->version == version) {
		provider_key_came(version->provider);
	}
}

static bool open_key(struct version *version, struct fail *fail) {
	struct engine *engine = version->provider->engine;
	const struct config_provider *config = version->provider->config;
	cleanup_free char *tree_file = NULL;
	if (asprintf(&tree_file, "%s/keys/%s", engine->config.config_dir, version->provider->name) <
			0) {
		tree_file = NULL;
		return fail_set(fail, ENOMEM, "no memory for a provider");
	}
	const char *env = config != NULL && config->key_env != NULL ? config->key_env
			  : version->own_base_url		    ? NULL
								    : version->manifest.key_env;
	struct key_sources sources = {
			.provider = version->provider->name,
			.tree_file = tree_file,
			.literal = config != NULL ? config->key : NULL,
			.env = env,
			.file = config != NULL ? config->key_file : NULL,
			.command = config != NULL ? config->key_command : NULL,
	};
	version->key = key_create(engine->loop, &sources, on_key_changed, version);
	return version->key != NULL || fail_set(fail, ENOMEM, "no memory for a provider");
}

bool version_key_header(struct version *version, struct buf *ret) {
	const char *key = key_value(version->key);
	if (key == NULL) {
		return false;
	}
	const struct manifest *manifest = &version->manifest;
	const char *header = manifest->auth_header != NULL ? manifest->auth_header
							   : "Authorization";
	const char *scheme = manifest->auth_scheme != NULL ? manifest->auth_scheme : "Bearer";
	return buf_add_format(ret, "%s: %s%s%s", header, scheme, scheme[0] != '\0' ? " " : "", key);
}

void version_hide_keys(const struct version *version) {
	const struct config_provider *config = version->provider->config;
	const char *const of_manifest[] = {version->manifest.key_env, NULL};
	const char *const of_config[] = {config != NULL ? config->key_env : NULL, NULL};
	key_hide_environment(of_manifest);
	key_hide_environment(of_config);
}

/* ---- its programs ---- */

bool version_lacks_programs(const struct version *version, struct fail *fail) {
	char **programs = version->manifest.programs;
	for (char **name = programs; name != NULL && *name != NULL; name++) {
		cleanup_free char *path = program_find(*name);
		if (path != NULL) {
			return false;
		}
	}
	/* The first is what its package is called, where they go by several names. */
	return programs != NULL && *programs != NULL &&
	       !fail_set(fail, ENODEV, "%s isn't installed: apt-get install %s", *programs,
			       *programs);
}

/* ---- making and ending ---- */

static void on_process_log(void *data, const char *line) {
	struct version *version = data;
	provider_log(version->provider, line);
}

static bool open_process(struct version *version, const char *object, struct fail *fail) {
	const struct engine *engine = version->provider->engine;
	struct process_options options = {
			.name = version->provider->name,
			.runner = engine->options.runner,
			.object = object,
			.base_url = version->base_url,
			/* The bundled objects are ours, whoever's manifest names one. */
			.trusted = !version->foreign || version->manifest.driver != NULL,
			.allow_without_landlock = engine->config.sandbox_seccomp,
			.log = on_process_log,
			.data = version,
	};
	version->process = process_create(engine->loop, &options);
	return version->process != NULL || fail_set(fail, ENOMEM, "no memory for a provider");
}

static bool copy_spec(struct version *version, const struct version_spec *spec) {
	version->driver = spec->driver != NULL ? strdup(spec->driver) : NULL;
	version->files = spec->files != NULL ? strdup(spec->files) : NULL;
	version->object = spec->object != NULL ? strdup(spec->object) : NULL;
	return (version->driver != NULL) == (spec->driver != NULL) &&
	       (version->files != NULL) == (spec->files != NULL) &&
	       (version->object != NULL) == (spec->object != NULL);
}

struct version *version_create(
		struct provider *provider, const struct version_spec *spec, struct fail *fail) {
	char object[PATH_MAX];
	struct version *version = calloc(1, sizeof(*version));
	if (version == NULL) {
		fail_set(fail, ENOMEM, "no memory for a provider");
		return NULL;
	}
	version->holds = 1;
	version->provider = provider;
	version->foreign = spec->driver == NULL;
	if (!copy_spec(version, spec)) {
		version_release(version);
		fail_set(fail, ENOMEM, "no memory for a provider");
		return NULL;
	}
	bool read = version->foreign ? foreign_object(version, spec, object, fail)
				     : bundled_object(provider, spec->driver, &version->manifest,
						       object, fail);
	if (read && version->driver != NULL && strcmp(version->driver, REPLAY_DRIVER) == 0) {
		const struct config_provider *config = provider->config;
		version->kept.path = config != NULL && config->path != NULL ? strdup(config->path)
									    : NULL;
		read = version->kept.path != NULL ||
		       fail_set(fail, EINVAL,
				       "provider %s: driver: replay needs a path in config.yml",
				       provider->name);
	}
	if (!read || !choose_base_url(version, spec->base_url, fail) ||
			!choose_hosts(version, fail) || !open_key(version, fail) ||
			!open_process(version, object, fail)) {
		version_release(version);
		return NULL;
	}
	return version;
}

struct version *version_at_another(const struct version *version, size_t n) {
	char **urls = version->manifest.base_urls;
	struct version_spec spec = {.driver = version->driver};
	if (version->named_base_url || version->foreign || urls == NULL ||
			n >= strings_length(urls)) {
		return NULL;
	}
	spec.base_url = urls[n];
	struct version *another = version_create(version->provider, &spec, NULL);
	if (another != NULL) {
		/* Told once, by the first. */
		free(take(another->manifest.start));
	}
	return another;
}

struct version *version_hold(struct version *version) {
	version->holds++;
	return version;
}

void version_release(struct version *version) {
	if (version == NULL || --version->holds != 0) {
		return;
	}
	process_destroy(version->process);
	kept_release(version->kept.kept);
	free(version->kept.path);
	key_destroy(version->key);
	manifest_finish(&version->manifest);
	for (size_t i = 0; i < version->n_hosts; i++) {
		free(version->hosts[i].scheme);
		free(version->hosts[i].host);
	}
	free(version->hosts);
	free(version->driver);
	free(version->files);
	free(version->object);
	free(version->base_url);
	free(version);
}
