/* Reading config.yml: see config.h. What stands under `providers:` is read by provider_entry.c. */
#include "core/config/config.h"

#include "core/config/key/secret.h"
#include "core/config/money_fields.h"
#include "core/config/paths.h"
#include "core/config/provider_entry.h"
#include "core/config/routes.h"
#include "core/config/yaml/fields.h"

#include <errno.h>
#include <string.h>

#define DAY 86400.0

static void read_history(const struct place *place, const struct yaml_node *node, void *into) {
	struct config *config = into;
	node_bool(place, node, &config->history);
}

static void read_sandbox(const struct place *place, const struct yaml_node *node, void *into) {
	struct config *config = into;
	const char *text = node_text(place, node);
	if (text == NULL) {
		return;
	}
	config->sandbox_seccomp = strcmp(text, "seccomp") == 0;
	if (!config->sandbox_seccomp && strcmp(text, "landlock") != 0) {
		place_fault(place, node,
				"'%s' is neither landlock (the default: Landlock and seccomp) nor "
				"seccomp (where the kernel has no Landlock)",
				text);
	}
}

struct limits {
	int concurrent, queue;
	uint64_t prompt, media, attach;
};

static void read_limits(const struct place *place, const struct yaml_node *node, void *into) {
	static const struct field fields[] = {
			{"concurrent", FIELD_INT, offsetof(struct limits, concurrent), 1,
					CONFIG_CONCURRENT_MOST},
			{"queue", FIELD_INT, offsetof(struct limits, queue), 0, CONFIG_QUEUE_MOST},
			{"prompt", FIELD_SIZE, offsetof(struct limits, prompt), 1, 1ULL << 40},
			{"media", FIELD_SIZE, offsetof(struct limits, media), 1, 1ULL << 50},
			{"attach", FIELD_SIZE, offsetof(struct limits, attach), 1, 1ULL << 50},
	};
	struct config *config = into;
	struct limits limits = {.concurrent = config->concurrent,
			.queue = config->queue,
			.prompt = config->prompt_most,
			.media = config->media_most,
			.attach = config->attach_most};
	const struct place inside = {place->faults, "limits"};
	fields_read(&inside, node, FIELDS(fields), UNKNOWN_REFUSED, "setting", &limits);
	config->concurrent = limits.concurrent;
	config->queue = limits.queue;
	config->prompt_most = limits.prompt;
	config->media_most = limits.media;
	config->attach_most = limits.attach;
}

static void read_retention(const struct place *place, const struct yaml_node *node, void *into) {
	static const struct field fields[] = {
			{"age", FIELD_SECONDS, offsetof(struct config_retention, age), 1,
					36525 * DAY},
			{"count", FIELD_INT, offsetof(struct config_retention, count), 1,
					1000000000},
			{"bytes", FIELD_SIZE, offsetof(struct config_retention, bytes), 1,
					1ULL << 50},
	};
	struct config *config = into;
	const struct place inside = {place->faults, "retention"};
	(void)place;
	fields_read(&inside, node, FIELDS(fields), UNKNOWN_REFUSED, "setting", &config->retention);
}

static void read_budget(const struct place *place, const struct yaml_node *node, void *into) {
	struct config *config = into;
	budget_read(place, node, &config->budget);
}

static void read_providers(const struct place *place, const struct yaml_node *node, void *into) {
	struct config *config = into;
	size_t n = 0;
	if (yaml_node_is_null(node)) {
		return;
	}
	if (node->kind != YAML_KIND_MAP) {
		place_fault(place, node, "must be a map: a line `NAME: {…}` each");
		return;
	}
	for (const struct yaml_node *entry = node->first; entry != NULL; entry = entry->next) {
		n++;
	}
	config->providers = calloc(n != 0 ? n : 1, sizeof(struct config_provider));
	if (config->providers == NULL) {
		faults_add_no_memory(place->faults);
		return;
	}
	for (const struct yaml_node *entry = node->first; entry != NULL; entry = entry->next) {
		provider_entry_read(
				place->faults, entry, &config->providers[config->n_providers++]);
	}
}

static void read_tree(struct faults *faults, const struct yaml_node *root, struct config *config) {
	static const struct field fields[] = {
			{"state", FIELD_PATH, offsetof(struct config, state)},
			{"history", FIELD_SPECIAL, .read = read_history},
			{"limits", FIELD_SPECIAL, .read = read_limits},
			{"refresh", FIELD_SECONDS, offsetof(struct config, refresh), 1, 366 * DAY},
			{"budget", FIELD_SPECIAL, .read = read_budget},
			{"retention", FIELD_SPECIAL, .read = read_retention},
			{"ca_file", FIELD_PATH, offsetof(struct config, ca_file)},
			{"sandbox", FIELD_SPECIAL, .read = read_sandbox},
			{"providers", FIELD_SPECIAL, .read = read_providers},
			{"routes", FIELD_SPECIAL, .read = config_routes_read},
			{"aliases", FIELD_SPECIAL, .read = config_aliases_read},
	};
	const struct place top = {faults, ""};
	fields_read(&top, root, FIELDS(fields), UNKNOWN_REFUSED, "setting", config);
}

/* Fills in `config` from the file; config->file stays NULL when none is there and none was asked
 * for. */
static bool read_file(struct config *config, const char *file, struct fail *fail) {
	cleanup_free char *path = NULL;
	if ((file != NULL ? asprintf(&path, "%s", file)
			  : asprintf(&path, "%s/config.yml", config->config_dir)) < 0) {
		path = NULL;
		return fail_set(fail, ENOMEM, "no memory for config.yml's path");
	}
	cleanup_faults struct faults faults = {.file = path};
	cleanup_yaml_tree struct yaml_node *root = NULL;
	cleanup_fail struct fail unread = {0};
	if (!yaml_tree_read(path, &faults, &root, &unread)) {
		bool absent = unread.code == ENOENT || unread.code == ENOTDIR;
		return (absent && file == NULL) ||
		       fail_set(fail, unread.code, "%s", fail_words(&unread));
	}
	if (faults.n == 0) {
		read_tree(&faults, root, config);
	}
	config->file = take(path);
	faults.file = config->file;
	return faults_report(&faults, fail);
}

bool config_read(struct config *ret, const char *file, struct fail *fail) {
	cleanup(config_finish) struct config config = {
			.history = true,
			.concurrent = 8,
			.queue = 64,
			.prompt_most = 256ULL << 20,
			.media_most = 16ULL << 30,
			.attach_most = 2ULL << 30,
			.refresh = 3600,
			.budget = BUDGETS_NONE,
	};
	config.config_dir = path_xdg("XDG_CONFIG_HOME", ".config", fail);
	if (config.config_dir == NULL || !read_file(&config, file, fail)) {
		return false;
	}
	if (config.state == NULL) {
		config.state = path_xdg("XDG_STATE_HOME", ".local/state", fail);
		if (config.state == NULL) {
			return false;
		}
	}
	*ret = config;
	config = (struct config){0};
	return true;
}

void config_finish(struct config *config) {
	for (size_t i = 0; i < config->n_providers; i++) {
		provider_entry_finish(&config->providers[i]);
	}
	free(config->providers);
	config_routes_finish(config);
	free(config->file);
	free(config->state);
	free(config->ca_file);
	free(config->config_dir);
	*config = (struct config){0};
}

const struct config_provider *config_provider(const struct config *config, const char *name) {
	for (size_t i = 0; i < config->n_providers; i++) {
		if (strcmp(config->providers[i].name, name) == 0) {
			return &config->providers[i];
		}
	}
	return NULL;
}
