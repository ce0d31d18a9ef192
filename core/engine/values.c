/* Settings in force: see values.h. */
#include "core/engine/values.h"

#include "core/base/idmap.h"

#include <errno.h>
#include <string.h>

struct values {
	struct store *store;
	struct idmap places; /* place id → char *[n_setting_specs] */
	char number[32]; /* what config.yml holds as a number, as text */
};

static bool keep(struct values *values, int64_t place, int index, const char *value) {
	char **own = idmap_get(&values->places, place);
	if (own == NULL) {
		own = calloc(n_setting_specs, sizeof(*own));
		if (own == NULL || !idmap_set(&values->places, place, own)) {
			free(own);
			return false;
		}
	}
	char *copy = value != NULL ? strdup(value) : NULL;
	if (value != NULL && copy == NULL) {
		return false;
	}
	free(own[index]);
	own[index] = copy;
	return true;
}

static void visit(void *data, int64_t place, const char *name, const char *value) {
	int index = setting_find(name);
	if (index >= 0) {
		keep(data, place, index, value);
	}
}

struct values *values_create(struct store *store, struct fail *fail) {
	struct values *values = calloc(1, sizeof(*values));
	if (values == NULL) {
		fail_set(fail, ENOMEM, "no memory for settings");
		return NULL;
	}
	values->store = store;
	if (!store_settings_each(store, visit, values, fail)) {
		values_destroy(values);
		return NULL;
	}
	return values;
}

void values_destroy(struct values *values) {
	if (values == NULL) {
		return;
	}
	for (size_t i = 0; i < values->places.n_slots; i++) {
		char **own = values->places.slots[i].value;
		for (size_t j = 0; own != NULL && j < n_setting_specs; j++) {
			free(own[j]);
		}
		free(own);
	}
	idmap_finish(&values->places);
	free(values);
}

const char *values_own(const struct values *values, int64_t place, int index) {
	char **own = idmap_get(&values->places, place);
	return own != NULL ? own[index] : NULL;
}

bool values_set(struct values *values, int64_t place, int index, const char *value,
		struct fail *fail) {
	if (!store_setting_set(values->store, place, setting_specs[index].name, value, fail)) {
		return false;
	}
	if (!keep(values, place, index, value)) {
		return fail_set(fail, ENOMEM, "no memory for %s", setting_specs[index].name);
	}
	return true;
}

void values_reset(struct values *values, int64_t place) {
	for (size_t i = 0; i < n_setting_specs; i++) {
		if (values_own(values, place, (int)i) != NULL) {
			values_set(values, place, (int)i, NULL, NULL);
		}
	}
}

void values_forget(struct values *values, int64_t place) {
	char **own = idmap_get(&values->places, place);
	for (size_t i = 0; own != NULL && i < n_setting_specs; i++) {
		free(own[i]);
	}
	free(own);
	idmap_remove(&values->places, place);
}

/* The members of an entry of config.yml that are settings, though they stand outside its `config`;
 * -1 for none. */
static double config_number(const struct config_provider *config, const char *name) {
	const struct config_timeouts *timeout = &config->timeout;
	return strcmp(name, "timeout_connect") == 0	 ? timeout->connect
	       : strcmp(name, "timeout_first_byte") == 0 ? timeout->first_byte
	       : strcmp(name, "timeout_idle") == 0	 ? timeout->idle
	       : strcmp(name, "timeout_total") == 0	 ? timeout->total
	       : strcmp(name, "retries") == 0		 ? config->retries
							 : -1;
}

static const char *config_value(
		struct values *values, const struct config_provider *config, const char *name) {
	if (config == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < config->n_settings; i++) {
		if (strcmp(config->settings[i].name, name) == 0) {
			return config->settings[i].value;
		}
	}
	double number = config_number(config, name);
	snprintf(values->number, sizeof(values->number), "%.15g", number);
	return number >= 0 ? values->number : NULL;
}

/* Where the value in force was set; none of these: nowhere. */
struct source {
	struct place *place;
	const char *config; /* config.yml's value */
};

static struct source find_source(struct values *values, struct place *place, struct place *model,
		const struct config_provider *config, int index) {
	struct place *provider = place_provider(model);
	struct place *const levels[] = {place, place->kind == PLACE_SESSION ? place->parent : NULL,
			model, provider};
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (levels[i] != NULL && values_own(values, levels[i]->id, index) != NULL) {
			return (struct source){.place = levels[i]};
		}
	}
	const char *text = provider != NULL
					   ? config_value(values, config, setting_specs[index].name)
					   : NULL;
	return (struct source){.config = text};
}

const char *values_effective(struct values *values, struct place *place, struct place *model,
		const struct config_provider *config, int index) {
	struct source source = find_source(values, place, model, config, index);
	const char *value = source.place != NULL ? values_own(values, source.place->id, index)
						 : source.config;
	if (value == NULL) {
		value = values_own(values, PLACE_ROOT_ID, index);
	}
	return value != NULL ? value : setting_specs[index].standard;
}

char *values_where(struct values *values, struct place *place, struct place *model,
		const struct config_provider *config, int index) {
	struct source source = find_source(values, place, model, config, index);
	const struct place *at = source.place;
	const char *name = setting_specs[index].name;
	char *ret = NULL;
	int length = at == NULL && source.config == NULL
				     ? asprintf(&ret, "config/%s of the root", name)
		     : at == NULL ? asprintf(&ret, "config.yml (providers.%s, %s)",
						    place_provider(model)->name, name)
		     : at->kind == PLACE_PROVIDER
				     ? asprintf(&ret, "config/%s of providers/%s", name, at->name)
		     : at->kind == PLACE_SESSION
				     ? asprintf(&ret, "config/%s of the session %s", name, at->name)
				     : asprintf(&ret, "config/%s of %s", name,
						       at == model ? "the model" : "the route");
	return length >= 0 ? ret : NULL;
}
