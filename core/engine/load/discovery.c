/* Discovery: see discovery.h. */
#include "core/engine/load/discovery.h"

#include "core/base/log.h"
#include "core/engine/engine.h"
#include "core/engine/load/look_up.h"
#include "core/engine/run/exchange.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

/* A failed discovery is tried again after this many seconds, doubling up to `refresh`. */
#define FAILURE_DELAY 30.0
/* Of a service on this machine at most after these: somebody may just be starting it. */
#define FAILURE_DELAY_LOCAL 60.0

static void on_due(uv_timer_t *timer) {
	discovery_refresh(timer->data);
}

static void schedule(struct provider *provider, double seconds) {
	uv_timer_start(&provider->discovery_timer, on_due, (uint64_t)(seconds * 1000), 0);
}

static void schedule_retry(struct provider *provider) {
	double refresh = provider->engine->config.refresh;
	bool local = provider->version->local;
	double most = local && refresh > FAILURE_DELAY_LOCAL ? FAILURE_DELAY_LOCAL : refresh;
	double delay = FAILURE_DELAY * exp2(provider->discovery_failures++);
	if (provider->discovery_keyless && key_value(provider->version->key) != NULL) {
		/* key_command gave the key meanwhile. */
		delay = 0;
	}
	schedule(provider, delay < most ? delay : most);
}

static void on_model(void *data, const struct job_model *model) {
	struct provider *provider = data;
	provider->discovered++;
	refresh_add(provider->refresh, model);
}

static void settle(struct provider *provider, const char *why) {
	provider->state = provider->place->n_models != 0 ? PROVIDER_READY : PROVIDER_FAILED;
	provider_set_why(provider, why);
}

static bool is_static(const struct provider *provider) {
	return provider->version != NULL && provider->version->manifest.models_static;
}

static void on_committed(void *data, size_t came, size_t went, size_t total) {
	struct provider *provider = data;
	struct catalogue *catalogue = provider->engine->catalogue;
	char line[128];
	int64_t when;
	const char *why;
	provider->refresh = NULL;
	if (provider->elsewhere != NULL) {
		provider_use(provider, take(provider->elsewhere));
	}
	snprintf(line, sizeof(line), "%zu models, %zu new, %zu gone", total, came, went);
	provider_log(provider, line);
	catalogue_refreshed(catalogue, provider->place, &when, &why);
	if (total == 0 && why[0] == '\0') {
		why = "discovery found no model whose id can be a path";
		catalogue_refresh_failed(catalogue, provider->place, why);
	}
	settle(provider, why);
	if (why[0] != '\0') {
		schedule_retry(provider);
		return;
	}
	provider->discovery_failures = 0;
	look_ups_again(provider->look_ups);
	if (!is_static(provider)) {
		health_reached(provider->engine->health, provider->place);
	}
	schedule(provider, provider->engine->config.refresh);
}

static void failed(struct provider *provider, const char *why) {
	if (provider->refresh != NULL) {
		refresh_abort(take(provider->refresh));
	}
	catalogue_refresh_failed(provider->engine->catalogue, provider->place, why);
	settle(provider, why);
	schedule_retry(provider);
}

static const struct exchange_events listing;

/* Asks at the next of its addresses; false when there is none left. */
static bool ask_elsewhere(struct provider *provider) {
	const struct version *version = provider->version;
	version_release(take(provider->elsewhere));
	do {
		provider->elsewhere = version_at_another(version, provider->n_elsewhere++);
	} while (provider->elsewhere != NULL &&
			strcmp(provider->elsewhere->base_url, version->base_url) == 0);
	if (provider->elsewhere == NULL) {
		return false;
	}
	refresh_abort(take(provider->refresh));
	provider->discovered = 0;
	provider->refresh = refresh_begin(provider->engine->catalogue, provider->place);
	provider->discovery = provider->refresh != NULL ? discovery_try(provider->elsewhere,
									  &listing, provider)
							: NULL;
	return provider->discovery != NULL;
}

static void missed(struct provider *provider, const char *why) {
	const struct version *asked = provider->elsewhere != NULL ? provider->elsewhere
								  : provider->version;
	buf_add_format(&provider->missed, "%s%s: %s", provider->missed.size != 0 ? "; " : "",
			asked->base_url, why);
	if (ask_elsewhere(provider)) {
		return;
	}
	cleanup_buf struct buf words = {0};
	/* Of one address `base_url` in `status` tells which. */
	buf_add_format(&words, "discovery failed: %s",
			provider->n_elsewhere > 1 ? buf_string(&provider->missed) : why);
	failed(provider, buf_string(&words));
}

static void on_end(void *data, const struct exchange_result *result) {
	struct provider *provider = data;
	provider->discovery = NULL;
	if (result->code != 0) {
		missed(provider, result->words);
	} else if (provider->discovered == 0) {
		failed(provider, "discovery found no models; what was known stays");
	} else {
		refresh_commit(provider->refresh, on_committed, provider);
	}
}

static const struct exchange_events listing = {.model = on_model, .end = on_end};

/* Nobody is asked who wouldn't answer: a service that lists its models only to its customers isn't
 * told of a mount that has no key for it. */
bool discovery_lacks_key(const struct version *version) {
	const struct manifest *manifest = &version->manifest;
	return manifest->key_required && !manifest->public_models && !version->own_base_url &&
	       key_value(version->key) == NULL;
}

static void wait_for_key(struct provider *provider) {
	bool known = provider->place->n_models != 0;
	provider->state = known					? PROVIDER_READY
			  : key_pending(provider->version->key) ? PROVIDER_DISCOVERING
								: PROVIDER_NEEDS_KEY;
	provider_set_why(provider, "");
}

struct transfer_timeouts discovery_timeouts(struct provider *provider) {
	struct engine *engine = provider->engine;
	struct place *place = provider->place;
	return (struct transfer_timeouts){
			.connect = engine_number(engine, place, "timeout_connect", 15),
			.first_byte = engine_number(engine, place, "timeout_first_byte", 60),
			.idle = engine_number(engine, place, "timeout_idle", 60),
			.total = engine_number(engine, place, "timeout_total", 600),
	};
}

struct exchange *discovery_try(
		struct version *version, const struct exchange_events *events, void *data) {
	struct transfer_timeouts timeouts = discovery_timeouts(version->provider);
	return exchange_discover(version, &timeouts, events, data);
}

/* The models are those of the manifest: nobody is asked, and no key is needed to name them. */
static void list_static(struct provider *provider) {
	const struct manifest *manifest = &provider->version->manifest;
	uv_timer_stop(&provider->discovery_timer);
	provider->discovered = 0;
	provider->refresh = refresh_begin(provider->engine->catalogue, provider->place);
	if (provider->refresh == NULL) {
		failed(provider, "discovery failed: no memory");
		return;
	}
	for (size_t i = 0; i < manifest->n_models; i++) {
		const struct manifest_model *model = &manifest->models[i];
		on_model(provider, &(struct job_model){
						   .id = model->id,
						   .id_size = strlen(model->id),
						   .name = model->name,
						   .description = model->description,
						   .input_modalities = model->input_modalities,
						   .output_modalities = model->output_modalities,
						   .parameters = model->parameters,
						   .raw = "",
						   .limits = model->limits,
				   });
	}
	refresh_commit(provider->refresh, on_committed, provider);
}

void discovery_refresh(struct provider *provider) {
	if (provider->refresh != NULL || provider->version == NULL) {
		return;
	}
	if (is_static(provider)) {
		list_static(provider);
		return;
	}
	if (discovery_lacks_key(provider->version)) {
		wait_for_key(provider);
		return;
	}
	cleanup_fail struct fail lacking = {0};
	if (version_lacks_programs(provider->version, &lacking)) {
		failed(provider, fail_words(&lacking));
		return;
	}
	uv_timer_stop(&provider->discovery_timer);
	buf_clear(&provider->missed);
	provider->n_elsewhere = 0;
	provider->discovered = 0;
	provider->discovery_keyless = key_value(provider->version->key) == NULL;
	provider->refresh = refresh_begin(provider->engine->catalogue, provider->place);
	if (provider->place->n_models == 0) {
		provider->state = PROVIDER_DISCOVERING;
	}
	if (provider->refresh != NULL) {
		provider->discovery = discovery_try(provider->version, &listing, provider);
	}
	if (provider->discovery == NULL) {
		failed(provider, "discovery failed: no memory");
	}
}

void discovery_begin(struct provider *provider) {
	int64_t when = 0;
	const char *why = "";
	double interval = provider->engine->config.refresh;
	catalogue_refreshed(provider->engine->catalogue, provider->place, &when, &why);
	double age = difftime(time(NULL), (time_t)when);
	if (provider->place->n_models != 0) {
		provider->state = PROVIDER_READY;
		turn_words_set(&provider->why, why);
	}
	/* A static list is of the manifest as it is now. */
	if (provider->place->n_models == 0 || age < 0 || age >= interval || why[0] != '\0' ||
			is_static(provider)) {
		discovery_refresh(provider);
	} else {
		schedule(provider, interval - age);
		look_ups_again(provider->look_ups);
	}
}

void discovery_stop(struct provider *provider) {
	uv_timer_stop(&provider->discovery_timer);
	exchange_cancel(take(provider->discovery));
	version_release(take(provider->elsewhere));
	if (provider->refresh != NULL) {
		refresh_abort(take(provider->refresh));
	}
}
