/* Loaded providers: see provider.h. */
#include "core/engine/provider.h"

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/engine/engine.h"
#include "core/engine/load/discovery.h"
#include "core/engine/load/load.h"
#include "core/engine/load/look_up.h"
#include "core/engine/models_table.h"
#include "core/engine/money/settle.h"
#include "core/engine/run/exchange.h"
#include "core/engine/run/queue.h"
#include "core/engine/run/recall.h"

#include <errno.h>
#include <string.h>
#include <time.h>

const char *provider_state_name(enum provider_state state) {
	static const char *const names[] = {
			[PROVIDER_DISCOVERING] = "discovering",
			[PROVIDER_READY] = "ready",
			[PROVIDER_FAILED] = "failed",
			[PROVIDER_NEEDS_KEY] = "needs-key",
			[PROVIDER_FETCHING] = "fetching",
			[PROVIDER_BUILDING] = "building",
			[PROVIDER_NEEDS_CONSENT] = "needs-consent",
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

/* Models that weren't told without a key are asked for again. */
void provider_key_came(struct provider *provider) {
	if (provider->state != PROVIDER_READY) {
		discovery_refresh(provider);
	}
	look_ups_again(provider->look_ups);
	queue_pump(provider);
}

bool provider_has_key(struct provider *provider) {
	struct version *version = provider->version;
	return version == NULL || !version->manifest.key_required || version->own_base_url ||
	       key_pending(version->key) || key_value(version->key) != NULL;
}

bool provider_takes(struct provider *provider, struct fail *fail) {
	if (provider->version == NULL) {
		return load_refuse(provider, fail);
	}
	if (version_lacks_programs(provider->version, fail)) {
		return false;
	}
	if (!provider_has_key(provider)) {
		cleanup_free char *words = key_words(provider->version->key);
		const char *remedy = words != NULL ? words : "";
		if (starts_with(remedy, "none: ")) {
			remedy += strlen("none: ");
		}
		return fail_set(fail, ENOKEY, "no key for %s: %s", provider->name, remedy);
	}
	return queue_has_room(provider) ||
	       fail_set(fail, EBUSY,
			       "%d turns wait for %s already; limits.queue in config.yml raises "
			       "that",
			       provider->queue_most, provider->name);
}

const struct manifest *provider_manifest(const struct provider *provider) {
	return provider->version != NULL ? &provider->version->manifest : NULL;
}

/* An entry's own word comes first; else a provider may ask for less than config.yml's limit, never
 * for more. */
static void choose_limits(struct provider *provider) {
	const struct config *config = &provider->engine->config;
	const struct config_provider *own = provider->config;
	const struct manifest *manifest = provider_manifest(provider);
	int asked = manifest != NULL ? manifest->concurrent : 0;
	provider->concurrent = own != NULL && own->concurrent > 0	 ? own->concurrent
			       : asked > 0 && asked < config->concurrent ? asked
									 : config->concurrent;
	provider->queue_most = config->queue;
}

void provider_take_config(struct provider *provider, const struct config_provider *config) {
	provider->config = config;
	choose_limits(provider);
}

void provider_use(struct provider *provider, struct version *version) {
	discovery_stop(provider);
	if (provider->version == NULL && version != NULL) {
		provider->state = provider->place->n_models != 0 ? PROVIDER_READY
								 : PROVIDER_DISCOVERING;
	}
	version_release(provider->version);
	provider->version = version;
	turn_words_set(&provider->why, "");
	choose_limits(provider);
	queue_pump(provider);
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
	load_destroy(provider->load);
	discovery_stop(provider);
	look_ups_destroy(provider->look_ups);
	queue_interrupt(provider);
	settlements_leave(provider->engine->settlements, provider);
	recall_leave(provider);
	exchange_leave_all(provider);
	models_table_destroy(provider->models);
	version_release(provider->version);
	for (size_t i = 0; i < PROVIDER_LOG_LINES; i++) {
		free(provider->log[i]);
	}
	buf_finish(&provider->missed);
	free(provider->why);
	free(provider->last_error);
	free(provider->name);
	uv_close((uv_handle_t *)&provider->discovery_timer, on_timer_closed);
}

struct provider *provider_create(struct engine *engine, const char *name,
		const struct config_provider *config, struct fail *fail) {
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
	choose_limits(provider);
	provider->place = catalogue_provider(engine->catalogue, name, fail);
	provider->models = models_table_create(provider);
	provider->look_ups = look_ups_create(provider);
	if (provider->place == NULL || provider->models == NULL || provider->look_ups == NULL) {
		provider_destroy(provider);
		return NULL;
	}
	list_append(&engine->providers, &provider->link);
	return provider;
}
