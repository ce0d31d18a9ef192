/* Loaded providers: see provider.h. */
#include "core/engine/provider.h"

#include "core/base/log.h"
#include "core/config/base_url.h"
#include "core/engine/discovery.h"
#include "core/engine/engine.h"
#include "core/engine/exchange.h"
#include "core/engine/models_table.h"
#include "core/engine/queue.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <time.h>

const char *provider_state_name(enum provider_state state) {
	static const char *const names[] = {
			[PROVIDER_DISCOVERING] = "discovering",
			[PROVIDER_READY] = "ready",
			[PROVIDER_FAILED] = "failed",
			[PROVIDER_NEEDS_KEY] = "needs-key",
	};
	return names[state];
}

void provider_log(struct provider *provider, const char *line) {
	char stamp[32];
	time_t now = time(NULL);
	struct tm parts;
	gmtime_r(&now, &parts);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &parts);
	char *stamped = NULL;
	if (asprintf(&stamped, "%s %s", stamp, line) < 0) {
		return;
	}
	log_info("%s: %s", provider->name, line);
	free(provider->log[provider->log_next]);
	provider->log[provider->log_next] = stamped;
	provider->log_next = (provider->log_next + 1) % PROVIDER_LOG_LINES;
}

void provider_set_why(struct provider *provider, const char *why) {
	turn_words_set(&provider->why, why);
	if (why[0] != '\0') {
		provider_log(provider, why);
	}
}

static void on_process_log(void *data, const char *line) {
	provider_log(data, line);
}

/* key_command has ended: what waited for the key goes on, and models that weren't told without one
 * are asked for again. */
static void on_key_changed(void *data) {
	struct provider *provider = data;
	if (provider->state != PROVIDER_READY) {
		discovery_refresh(provider);
	}
	queue_pump(provider);
}

bool provider_has_key(struct provider *provider) {
	return !provider->manifest.key_required || provider->own_base_url ||
	       key_pending(provider->key) || key_value(provider->key) != NULL;
}

bool provider_key_header(struct provider *provider, struct buf *ret) {
	const char *key = key_value(provider->key);
	if (key == NULL) {
		return false;
	}
	const struct manifest *manifest = &provider->manifest;
	const char *header = manifest->auth_header != NULL ? manifest->auth_header
							   : "Authorization";
	const char *scheme = manifest->auth_scheme != NULL ? manifest->auth_scheme : "Bearer";
	return buf_add_format(ret, "%s: %s%s%s", header, scheme, scheme[0] != '\0' ? " " : "", key);
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

/* What the environment says; NULL when it says nothing. `ret_variable` names who said it. */
static const char *base_url_of_environment(const struct provider *provider, char **ret_variable) {
	const char *variable = provider->manifest.base_url_env;
	cleanup_free char *own = base_url_variable(provider->name);
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
static bool choose_base_url(struct provider *provider, struct fail *fail) {
	cleanup_free char *variable = NULL;
	cleanup_fail struct fail why = {0};
	const struct config_provider *config = provider->config;
	const char *base = config != NULL ? config->base_url : NULL;
	provider->own_base_url = base != NULL;
	if (base == NULL && (base = base_url_of_environment(provider, &variable)) != NULL) {
		provider->base_url = base_url_check(base, config != NULL && config->insecure, &why);
		return provider->base_url != NULL ||
		       fail_set(fail, why.code, "provider %s: %s in the environment: %s",
				       provider->name, variable != NULL ? variable : "",
				       fail_words(&why));
	}
	if (base == NULL) {
		base = provider->manifest.base_url != NULL ? provider->manifest.base_url : "";
	}
	provider->base_url = strdup(base);
	return provider->base_url != NULL || fail_set(fail, ENOMEM, "no memory for a provider");
}

static bool base_url_host(struct provider *provider, struct transfer_host *ret) {
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;
	bool parsed = url != NULL &&
		      curl_url_set(url, CURLUPART_URL, provider->base_url, 0) == CURLUE_OK &&
		      curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		      curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		      curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	if (parsed) {
		const struct manifest *manifest = &provider->manifest;
		provider->local = manifest->local || host_is_loopback(host);
		*ret = (struct transfer_host){
				.scheme = strdup(scheme),
				.host = strdup(host),
				.port = (int)strtol(port, NULL, 10),
				.keyed = true,
				/* What the user wrote may be local; so may a local service's own.
				 */
				.local = manifest->local || manifest->base_url == NULL ||
					 strcmp(manifest->base_url, provider->base_url) != 0,
		};
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return parsed && ret->scheme != NULL && ret->host != NULL;
}

static bool choose_hosts(struct provider *provider, struct fail *fail) {
	const struct manifest *manifest = &provider->manifest;
	provider->hosts = calloc(manifest->n_endpoints + 1, sizeof(*provider->hosts));
	bool complete = provider->hosts != NULL;
	if (complete && provider->base_url[0] != '\0') {
		complete = base_url_host(provider, &provider->hosts[provider->n_hosts++]);
	}
	for (size_t i = 0; complete && i < manifest->n_endpoints; i++) {
		struct transfer_host *host = &provider->hosts[provider->n_hosts++];
		*host = (struct transfer_host){
				.scheme = strdup("https"),
				.host = strdup(manifest->endpoints[i].host),
				.port = manifest->endpoints[i].port,
				.keyed = manifest->endpoints[i].keyed,
		};
		complete = host->scheme != NULL && host->host != NULL;
	}
	/* The addresses were checked, so only memory can be short. */
	return complete || fail_set(fail, ENOMEM, "no memory for a provider");
}

/* ---- loading ---- */

/* A declared provider names the bundled one whose object it uses; a compiled one has its own. */
static bool read_manifest(struct provider *provider, const char *driver, char *object,
		size_t object_size, struct fail *fail) {
	char path[PATH_MAX];
	const char *directory = provider->engine->options.provider_directory;
	const struct config_provider *config = provider->config;
	int path_length = snprintf(path, sizeof(path), "%s/%s.yml", directory, driver);
	if (path_length < 0 || (size_t)path_length >= sizeof(path) || access(path, R_OK) != 0) {
		cleanup_free char *where = NULL;
		if (config == NULL || asprintf(&where, "%s:%d: ", provider->engine->config.file,
						      config->line) < 0) {
			where = NULL;
		}
		return fail_set(fail, ENOENT,
				"%sprovider %s: there is no bundled provider '%s' in %s; say "
				"driver: with "
				"one of those that are",
				where != NULL ? where : "", provider->name, driver, directory);
	}
	if (!manifest_read(&provider->manifest, path, fail)) {
		return false;
	}
	const char *own = provider->manifest.driver != NULL ? provider->manifest.driver : driver;
	int length = snprintf(object, object_size, "%s/%s.so", directory, own);
	return (length > 0 && (size_t)length < object_size) ||
	       fail_set(fail, ENAMETOOLONG, "%s/%s.so: the path is too long", directory, own);
}

static bool open_key(struct provider *provider, struct fail *fail) {
	const struct config_provider *config = provider->config;
	cleanup_free char *tree_file = NULL;
	if (asprintf(&tree_file, "%s/keys/%s", provider->engine->config.config_dir,
			    provider->name) < 0) {
		tree_file = NULL;
		return fail_set(fail, ENOMEM, "no memory for a provider");
	}
	const char *env = config != NULL && config->key_env != NULL ? config->key_env
			  : provider->own_base_url		    ? NULL
								    : provider->manifest.key_env;
	struct key_sources sources = {
			.provider = provider->name,
			.tree_file = tree_file,
			.literal = config != NULL ? config->key : NULL,
			.env = env,
			.file = config != NULL ? config->key_file : NULL,
			.command = config != NULL ? config->key_command : NULL,
	};
	provider->key = key_create(provider->engine->loop, &sources, on_key_changed, provider);
	return provider->key != NULL || fail_set(fail, ENOMEM, "no memory for a provider");
}

static bool open_process(struct provider *provider, const char *object, struct fail *fail) {
	struct process_options options = {
			.name = provider->name,
			.runner = provider->engine->options.runner,
			.object = object,
			.base_url = provider->base_url,
			.trusted = true,
			.allow_without_landlock = provider->engine->config.sandbox_seccomp,
			.log = on_process_log,
			.data = provider,
	};
	provider->process = process_create(provider->engine->loop, &options);
	return provider->process != NULL || fail_set(fail, ENOMEM, "no memory for a provider");
}

/* An entry's own word comes first; else a provider may ask for less than config.yml's limit, never
 * for more. */
static void choose_limits(struct provider *provider) {
	const struct config *config = &provider->engine->config;
	const struct config_provider *own = provider->config;
	int asked = provider->manifest.concurrent;
	provider->concurrent = own != NULL && own->concurrent > 0	 ? own->concurrent
			       : asked > 0 && asked < config->concurrent ? asked
									 : config->concurrent;
	provider->queue_most = config->queue;
}

void provider_take_config(struct provider *provider, const struct config_provider *config) {
	provider->config = config;
	choose_limits(provider);
}

static void on_timer_closed(uv_handle_t *handle) {
	struct provider *provider = handle->data;
	free(provider);
}

void provider_destroy(struct provider *provider) {
	if (provider == NULL) {
		return;
	}
	list_remove(&provider->link);
	/* The catalogue's watcher finds it there. */
	if (provider->place != NULL && provider->place->user == provider) {
		provider->place->user = NULL;
	}
	discovery_stop(provider);
	queue_interrupt(provider);
	exchange_leave_all(provider);
	models_table_destroy(provider->models);
	process_destroy(provider->process);
	key_destroy(provider->key);
	manifest_finish(&provider->manifest);
	for (size_t i = 0; i < provider->n_hosts; i++) {
		free(provider->hosts[i].scheme);
		free(provider->hosts[i].host);
	}
	for (size_t i = 0; i < PROVIDER_LOG_LINES; i++) {
		free(provider->log[i]);
	}
	free(provider->hosts);
	free(provider->base_url);
	free(provider->why);
	free(provider->last_error);
	free(provider->name);
	uv_close((uv_handle_t *)&provider->discovery_timer, on_timer_closed);
}

struct provider *provider_create(struct engine *engine, const char *name, const char *driver,
		const struct config_provider *config, struct fail *fail) {
	char object[PATH_MAX];
	struct provider *provider = calloc(1, sizeof(*provider));
	if (provider == NULL) {
		fail_set(fail, ENOMEM, "no memory for a provider");
		return NULL;
	}
	provider->engine = engine;
	provider->config = config;
	list_init(&provider->queue);
	list_init(&provider->running);
	list_init(&provider->leaving);
	uv_timer_init(engine->loop, &provider->discovery_timer);
	provider->discovery_timer.data = provider;
	provider->name = strdup(name);
	provider->why = strdup("");
	provider->last_error = strdup("");
	if (provider->name == NULL || provider->why == NULL || provider->last_error == NULL) {
		fail_set(fail, ENOMEM, "no memory for a provider");
		provider_destroy(provider);
		return NULL;
	}
	if (!read_manifest(provider, driver, object, sizeof(object), fail) ||
			!choose_base_url(provider, fail) || !choose_hosts(provider, fail) ||
			!open_key(provider, fail) || !open_process(provider, object, fail)) {
		provider_destroy(provider);
		return NULL;
	}
	choose_limits(provider);
	provider->place = catalogue_provider(engine->catalogue, name, fail);
	provider->models = models_table_create(provider);
	if (provider->place == NULL || provider->models == NULL) {
		provider_destroy(provider);
		return NULL;
	}
	list_append(&engine->providers, &provider->link);
	return provider;
}
