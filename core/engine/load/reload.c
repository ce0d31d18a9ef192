/* Reading config.yml again while the tree is mounted. See engine.h. */
#include "core/base/strings.h"
#include "core/engine/engine.h"
#include "core/engine/load/load.h"
#include "core/engine/run/queue.h"
#include "core/engine/session/retention.h"

#include <errno.h>
#include <string.h>

static bool same_text(const char *a, const char *b) {
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_settings(const struct config_provider *a, const struct config_provider *b) {
	if (a->n_settings != b->n_settings) {
		return false;
	}
	for (size_t i = 0; i < a->n_settings; i++) {
		if (!same_text(a->settings[i].name, b->settings[i].name) ||
				!same_text(a->settings[i].value, b->settings[i].value)) {
			return false;
		}
	}
	return true;
}

static bool same_timeouts(const struct config_timeouts *a, const struct config_timeouts *b) {
	return a->connect == b->connect && a->first_byte == b->first_byte && a->idle == b->idle &&
	       a->total == b->total;
}

/* Whether two entries of config.yml say the same, so that the provider needn't be loaded anew. */
static bool same_entry(const struct config_provider *a, const struct config_provider *b) {
	if (a == NULL || b == NULL) {
		return a == b;
	}
	return a->off == b->off && same_text(a->driver, b->driver) &&
	       same_text(a->source, b->source) && consent_same(&a->allow, &b->allow) &&
	       strings_same(a->hosts, b->hosts) && same_text(a->path, b->path) &&
	       same_text(a->base_url, b->base_url) && same_text(a->key, b->key) &&
	       same_text(a->key_env, b->key_env) && same_text(a->key_file, b->key_file) &&
	       same_text(a->key_command, b->key_command) && a->insecure == b->insecure &&
	       a->retries == b->retries && a->concurrent == b->concurrent &&
	       same_timeouts(&a->timeout, &b->timeout) && same_settings(a, b);
}

/* Drops the providers whose entry changed. */
static void drop_changed(struct engine *engine, const struct config *next) {
	struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		if (!same_entry(provider->config, config_provider(next, provider->name))) {
			catalogue_hide(engine->catalogue, provider->place);
			provider_destroy(provider);
		}
	}
}

/* Those that stay point to their entry in the new file, and its limits take force. */
static void keep_unchanged(struct engine *engine) {
	struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		provider_take_config(provider, config_provider(&engine->config, provider->name));
		queue_pump(provider);
	}
}

bool engine_reload(struct engine *engine, struct fail *fail) {
	struct config next = {0};
	if (!config_read(&next, engine->options.config_file, fail)) {
		return false;
	}
	if (strcmp(next.state, engine->config.state) != 0) {
		fail_set(fail, EINVAL,
				"config.yml: state: '%s' takes force at the next mount only (now "
				"it "
				"is '%s'); nothing was changed",
				next.state, engine->config.state);
		config_finish(&next);
		return false;
	}
	if (next.history != engine->config.history) {
		fail_set(fail, EINVAL,
				"config.yml: history: takes force at the next mount only; nothing "
				"was changed");
		config_finish(&next);
		return false;
	}
	drop_changed(engine, &next);
	struct config old = engine->config;
	engine->config = next;
	keep_unchanged(engine);
	retention_look(engine->retention);
	config_finish(&old);
	/* Loads what is missing as well. */
	bool locked = loads_reload(engine, fail);
	bool loaded = engine_load_missing(engine, locked ? fail : NULL) && locked;
	routes_reload(engine);
	return loaded;
}
