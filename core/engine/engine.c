/* The engine: opening, closing, reloading, and the settings in force. See engine.h. */
#include "core/engine/engine.h"
#include "core/engine/attach/attach.h"

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/engine/load/discovery.h"
#include "core/engine/load/load_private.h"
#include "core/engine/models_table.h"
#include "core/engine/money/books.h"
#include "core/engine/money/budget.h"
#include "core/engine/money/settle.h"
#include "core/engine/run/queue.h"
#include "core/engine/run/recall.h"
#include "core/engine/run/resume.h"
#include "core/engine/run/withdraw.h"
#include "core/engine/session/retention.h"
#include "core/turn/chain_map.h"
#include "core/turn/lineage.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static void on_catalogue_changed(void *data, struct place *place) {
	struct engine *engine = data;
	const struct provider *provider = place->kind == PLACE_PROVIDER
							  ? engine_provider(engine, place)
							  : NULL;
	if (provider != NULL) {
		models_table_changed(provider->models);
	}
	if (!engine->closing && (place->kind == PLACE_PROVIDER || place->kind == PLACE_ROOT)) {
		routes_update(engine);
	}
	if (engine->options.listing_changed != NULL && !engine->closing) {
		engine->options.listing_changed(engine->options.data, place);
	}
}

/* ---- providers ---- */

static bool load(struct engine *engine, const char *name, const char *driver, struct fail *fail) {
	const struct config_provider *config = config_provider(&engine->config, name);
	struct provider *provider = provider_create(engine, name, config, fail);
	if (provider == NULL) {
		return false;
	}
	struct version_spec spec = {.driver = driver};
	cleanup_fail struct fail why = {0};
	struct version *version = version_create(provider, &spec, &why);
	if (version == NULL && why.code == ENODEV) {
		/* What is said to other programs too is no reason to mount nothing. */
		provider->state = PROVIDER_FAILED;
		provider_set_why(provider, fail_words(&why));
		provider->place->user = provider;
		return true;
	}
	if (version == NULL) {
		fail_set(fail, why.code, "%s", fail_words(&why));
		catalogue_hide(engine->catalogue, provider->place);
		provider_destroy(provider);
		return false;
	}
	provider_use(provider, version);
	provider->place->user = provider;
	discovery_begin(provider);
	return true;
}

/* Only now: several providers may take theirs from one variable. */
static void hide_keys(struct engine *engine) {
	const struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		if (provider->version != NULL) {
			version_hide_keys(provider->version);
		}
	}
}

/* A bundled provider that config.yml doesn't name is there under its own name. */
static bool load_bundled(struct engine *engine, struct fail *fail) {
	cleanup_closedir DIR *directory = opendir(engine->options.provider_directory);
	if (directory == NULL) {
		return fail_set(fail, errno, "the bundled providers aren't at %s: %s",
				engine->options.provider_directory, strerror(errno));
	}
	bool all = true;
	const struct dirent *entry;
	while ((entry = readdir(directory)) != NULL) {
		cleanup_free char *name = strdup(entry->d_name);
		if (name == NULL || !ends_with(name, ".yml")) {
			continue;
		}
		name[strlen(name) - strlen(".yml")] = '\0';
		if (strcmp(name, REPLAY_DRIVER) != 0 &&
				config_provider(&engine->config, name) == NULL &&
				load_find(engine, name) == NULL && !loads_hidden(engine, name)) {
			all = load(engine, name, name, all ? fail : NULL) && all;
		}
	}
	return all;
}

bool engine_load_missing(struct engine *engine, struct fail *fail) {
	bool all = true;
	for (size_t i = 0; i < engine->config.n_providers; i++) {
		const struct config_provider *config = &engine->config.providers[i];
		const char *driver = config->driver != NULL ? config->driver : config->name;
		/* Settings alone may be for one that the lock names. */
		bool outside = config->source != NULL ||
			       (config->driver == NULL && !load_is_bundled(engine, driver) &&
					       loads_locked(engine, driver));
		if (!config->off && !outside && load_find(engine, config->name) == NULL &&
				!loads_hidden(engine, config->name)) {
			all = load(engine, config->name, driver, all ? fail : NULL) && all;
		}
	}
	all = load_bundled(engine, all ? fail : NULL) && all;
	all = loads_missing(engine, all ? fail : NULL) && all;
	hide_keys(engine);
	return all;
}

bool engine_load_bundled(struct engine *engine, const char *name, struct fail *fail) {
	bool all = load(engine, name, name, fail);
	hide_keys(engine);
	return all;
}

/* The places of providers that are stored but not loaded aren't shown. */
static void hide_unloaded(struct engine *engine) {
	struct place *root = catalogue_root(engine->catalogue);
	for (size_t i = root->n_children; i-- > 0;) {
		if (root->children[i]->user == NULL) {
			catalogue_hide(engine->catalogue, root->children[i]);
		}
	}
}

struct provider *engine_provider(struct engine *engine, struct place *place) {
	(void)engine;
	struct place *own = place != NULL ? place_provider(place) : NULL;
	return own != NULL ? own->user : NULL;
}

bool engine_discovered(const struct engine *engine) {
	const struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		if (provider->state == PROVIDER_DISCOVERING) {
			return false;
		}
	}
	return true;
}

bool engine_busy(const struct engine *engine) {
	const struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		if (provider->n_running + provider->n_queued != 0) {
			return true;
		}
	}
	return false;
}

/* ---- opening and closing ---- */

const char *engine_ca_file(const struct engine *engine) {
	return engine->config.ca_file != NULL ? engine->config.ca_file
					      : getenv("CONDUITFS_CA_FILE");
}

static struct store *open_store(struct engine *engine, struct fail *fail) {
	const struct config *config = &engine->config;
	return config->history ? store_open(engine->loop, config->state, fail)
			       : store_open_off_record(engine->loop, config->state, fail);
}

static bool open_parts(struct engine *engine, struct fail *fail) {
	struct transfer_engine_options transfers = {
			.user_agent = "conduitfs",
			.between = engine->options.between,
			.data = engine->options.data,
	};
	if (!config_read(&engine->config, engine->options.config_file, fail)) {
		return false;
	}
	transfers.ca_file = engine_ca_file(engine);
	return (engine->loads = loads_open(engine, fail)) != NULL &&
	       (engine->store = open_store(engine, fail)) != NULL &&
	       (engine->catalogue = catalogue_open(engine->store, fail)) != NULL &&
	       (engine->values = values_create(engine->store, fail)) != NULL &&
	       (engine->health = health_create(engine->loop, engine->store, fail)) != NULL &&
	       (engine->budgets = budgets_create(engine, fail)) != NULL &&
	       (engine->transfers = transfer_engine_create(engine->loop, &transfers, fail)) !=
			       NULL &&
	       ((engine->turns = turn_table_create(engine->store)) != NULL ||
			       fail_set(fail, ENOMEM, "no memory")) &&
	       (((engine->settlements = settlements_create(engine)) != NULL &&
				(engine->retention = retention_create(engine)) != NULL &&
				(engine->chains = chain_map_create(CHAIN_MAP_MOST)) != NULL &&
				(engine->lineage = lineage_create()) != NULL &&
				(engine->books = books_create(engine)) != NULL) ||
			       fail_set(fail, ENOMEM, "no memory")) &&
	       (engine->attachments = attachments_create(engine, fail)) != NULL;
}

struct engine *engine_open(
		uv_loop_t *loop, const struct engine_options *options, struct fail *fail) {
	struct engine *engine = calloc(1, sizeof(*engine));
	if (engine == NULL) {
		fail_set(fail, ENOMEM, "no memory");
		return NULL;
	}
	engine->loop = loop;
	engine->options = *options;
	engine->started = now_us();
	list_init(&engine->providers);
	list_init(&engine->withdrawals);
	list_init(&engine->recalls);
	engine->last_error = strdup("");
	if (engine->last_error == NULL) {
		fail_set(fail, ENOMEM, "no memory");
		free(engine);
		return NULL;
	}
	if (!open_parts(engine, fail)) {
		engine_close(engine);
		return NULL;
	}
	size_t interrupted = store_turns_interrupt(engine->store);
	if (interrupted != 0) {
		log_warning("%zu turns were running when conduitfs last ended; their status says "
			    "interrupted",
				interrupted);
	}
	size_t adopted = store_turns_adopt(engine->store);
	if (adopted != 0) {
		log_warning("%zu prompts were being written when conduitfs last ended; they "
			    "weren't "
			    "sent and stand among the turns as interrupted",
				adopted);
	}
	if (!engine_load_missing(engine, fail)) {
		engine_close(engine);
		return NULL;
	}
	hide_unloaded(engine);
	engine->routes = routes_create(engine, fail);
	if (engine->routes == NULL) {
		engine_close(engine);
		return NULL;
	}
	catalogue_watch(engine->catalogue, on_catalogue_changed, engine);
	resume_all(engine);
	return engine;
}

void engine_stop(struct engine *engine) {
	struct provider *provider;
	engine->closing = true;
	settlements_destroy(take(engine->settlements));
	recalls_drop(engine);
	withdrawals_drop(engine);
	list_for_each(provider, &engine->providers, link) {
		provider_destroy(provider);
	}
}

void engine_close(struct engine *engine) {
	if (engine == NULL) {
		return;
	}
	engine_stop(engine);
	loads_close(engine->loads);
	transfer_engine_destroy(engine->transfers);
	retention_destroy(engine->retention);
	books_destroy(engine->books);
	budgets_destroy(engine->budgets);
	attachments_destroy(engine->attachments);
	turn_table_destroy(engine->turns);
	chain_map_destroy(engine->chains);
	lineage_destroy(engine->lineage);
	values_destroy(engine->values);
	routes_destroy(engine->routes);
	health_destroy(engine->health);
	catalogue_close(engine->catalogue);
	store_close(engine->store);
	config_finish(&engine->config);
	free(engine->last_error);
	free(engine);
}

/* ---- settings in force ---- */

const char *engine_setting_of(
		struct engine *engine, struct place *place, struct place *model, int index) {
	const struct provider *provider = engine_provider(engine, model);
	return values_effective(engine->values, place, model,
			provider != NULL ? provider->config : NULL, index);
}

const char *engine_setting(struct engine *engine, struct place *place, const char *name) {
	int index = setting_find(name);
	struct place *from = place != NULL ? place : catalogue_root(engine->catalogue);
	return index >= 0 ? engine_setting_of(engine, from, from, index) : "";
}

double engine_number(
		struct engine *engine, struct place *place, const char *name, double otherwise) {
	double value;
	return parse_double(engine_setting(engine, place, name), &value) ? value : otherwise;
}

bool engine_has_setting(struct engine *engine, struct place *place, int index) {
	if (index < 0 || (size_t)index >= n_setting_specs) {
		return false;
	}
	const struct place *model = place_model(place);
	if (setting_specs[index].routing) {
		return place->kind == PLACE_ROOT || place_route(place) != NULL;
	}
	if (setting_specs[index].everywhere || model == NULL) {
		return true;
	}
	const struct model_record *record = catalogue_record(engine->catalogue, model);
	return record != NULL &&
	       (setting_offered(index, record->parameters) ||
			       limits_find(&record->limits, setting_specs[index].name) != NULL);
}
