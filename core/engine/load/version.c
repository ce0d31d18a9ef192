/* Versions of providers: see version.h. */
#include "core/engine/load/version.h"

#include "core/engine/replay/kept.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/base_url.h"
#include "core/engine/engine.h"
#include "core/engine/load/version_hosts.h"
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
		/* Others are told by OLLAMA_HOST and KOKORO_SERVICE_URL too. */
		bool is_ours = variable == NULL || ends_with(variable, "_BASE_URL");
		return version->base_url != NULL ||
		       fail_set(fail, is_ours ? why.code : ENODEV,
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

const char *version_package(const struct version *version, const char *program) {
	return version->manifest.package != NULL ? version->manifest.package : program;
}

bool version_lacks_programs(const struct version *version, struct fail *fail) {
	char **programs = version->manifest.programs;
	for (char **name = programs; name != NULL && *name != NULL; name++) {
		cleanup_free char *path = program_find(*name);
		if (path != NULL) {
			return false;
		}
	}
	return programs != NULL && *programs != NULL &&
	       !fail_set(fail, ENODEV, "%s isn't installed: apt-get install %s", *programs,
			       version_package(version, *programs));
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
			!version_choose_hosts(version, fail) || !open_key(version, fail) ||
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
		another->manifest.service_url[0] = '\0';
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
	version_free_hosts(version);
	free(version->driver);
	free(version->files);
	free(version->object);
	free(version->base_url);
	free(version);
}
