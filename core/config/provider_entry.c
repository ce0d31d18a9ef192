/* An entry of `providers:`: see provider_entry.h. */
#include "core/config/provider_entry.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/base_url.h"
#include "core/config/key/key.h"
#include "core/config/key/secret.h"
#include "core/config/money_fields.h"
#include "core/config/settings.h"
#include "core/config/yaml/fields.h"

#include <string.h>

static void read_driver(const struct place *place, const struct yaml_node *node, void *into) {
	struct config_provider *provider = into;
	const char *text = node_text(place, node);
	if (text == NULL) {
		return;
	}
	if (!provider_name_valid(text)) {
		place_fault(place, node,
				"'%s' can't be the name of a bundled provider: those are of a-z, "
				"0-9, "
				"'.', '_' and '-'",
				text);
		return;
	}
	node_copy(place, text, &provider->driver);
}

static void read_allow(const struct place *place, const struct yaml_node *node, void *into) {
	char name[256];
	snprintf(name, sizeof(name), "%s.allow", place->name);
	const struct place inside = {place->faults, name};
	consent_read(&inside, node, &((struct config_provider *)into)->allow);
}

static void read_hosts(const struct place *place, const struct yaml_node *node, void *into) {
	consent_read_hosts(place, node, &((struct config_provider *)into)->hosts);
}

static void read_key(const struct place *place, const struct yaml_node *node, void *into) {
	struct config_provider *provider = into;
	const char *text = node_text(place, node);
	cleanup_fail struct fail fail = {0};
	if (text == NULL) {
		return;
	}
	if (!key_check(text, strlen(text), &fail)) {
		place_fault(place, node, "%s", fail_words(&fail));
		return;
	}
	node_copy(place, text, &provider->key);
}

static void read_timeout(const struct place *place, const struct yaml_node *node, void *into) {
	struct config_provider *provider = into;
	static const struct field fields[] = {
			{"connect", FIELD_SECONDS, offsetof(struct config_timeouts, connect),
					SETTING_SECONDS_LEAST, SETTING_SECONDS_MOST},
			{"first_byte", FIELD_SECONDS, offsetof(struct config_timeouts, first_byte),
					SETTING_SECONDS_LEAST, SETTING_SECONDS_MOST},
			{"idle", FIELD_SECONDS, offsetof(struct config_timeouts, idle),
					SETTING_SECONDS_LEAST, SETTING_SECONDS_MOST},
			{"total", FIELD_SECONDS, offsetof(struct config_timeouts, total),
					SETTING_SECONDS_LEAST, SETTING_SECONDS_MOST},
	};
	char name[256];
	snprintf(name, sizeof(name), "%s.timeout", place->name);
	const struct place inside = {place->faults, name};
	fields_read(&inside, node, FIELDS(fields), UNKNOWN_REFUSED, "setting", &provider->timeout);
}

static void read_budget(const struct place *place, const struct yaml_node *node, void *into) {
	struct config_provider *provider = into;
	budget_read(place, node, &provider->budget);
}

static void read_price(const struct place *place, const struct yaml_node *node, void *into) {
	struct config_provider *provider = into;
	price_read(place, node, &provider->price);
}

static void add_line(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	struct buf *lines = into;
	if (strchr(text, '\n') != NULL) {
		place_fault(place, item, "holds a newline: it is kept a value a line");
	}
	buf_add_format(lines, "%s\n", text);
}

/* A setting's value as it would be written into its file of config/. */
static bool write_value(const struct place *place, const struct yaml_node *node,
		enum setting_type type, struct buf *ret) {
	bool json = type == SETTING_JSON || type == SETTING_OBJECT || type == SETTING_ARRAY;
	if (json && node->kind != YAML_KIND_SCALAR) {
		return yaml_tree_json(node, ret);
	}
	if (type == SETTING_LINES && node->kind == YAML_KIND_LIST) {
		size_t before = place->faults->n;
		node_each_text(place, node, add_line, ret);
		return place->faults->n == before;
	}
	const char *text = node_text(place, node);
	return text != NULL && buf_add_string(ret, text);
}

static void read_setting(const struct place *place, const struct yaml_node *node,
		struct config_provider *provider) {
	int index = setting_find(node->name);
	if (index < 0) {
		const char *nearest = setting_nearest(node->name);
		faults_add_unknown(place->faults, node->line, "setting", node->name, place->name,
				&nearest, nearest != NULL ? 1 : 0);
		return;
	}
	if (setting_specs[index].routing) {
		faults_add(place->faults, node->line,
				"%s.%s: is of routes: write it to config/%s of the root, or of a "
				"directory in capabilities/",
				place->name, node->name, node->name);
		return;
	}
	cleanup_buf struct buf text = {0};
	if (!write_value(place, node, setting_specs[index].type, &text)) {
		if (text.failed) {
			faults_add_no_memory(place->faults);
		}
		return;
	}
	cleanup_fail struct fail fail = {0};
	struct config_setting setting = {0};
	setting.value = setting_check(index, buf_string(&text), text.size, &fail);
	if (setting.value == NULL) {
		faults_add(place->faults, node->line, "%s.%s", place->name, fail_words(&fail));
		return;
	}
	setting.name = strdup(node->name);
	if (setting.name == NULL) {
		faults_add_no_memory(place->faults);
	}
	provider->settings[provider->n_settings++] = setting;
}

static void read_settings(const struct place *place, const struct yaml_node *node, void *into) {
	struct config_provider *provider = into;
	size_t n = 1;
	if (yaml_node_is_null(node)) {
		return;
	}
	if (node->kind != YAML_KIND_MAP) {
		place_fault(place, node, "must be a map: a line `setting: value` each");
		return;
	}
	for (const struct yaml_node *member = node->first; member != NULL; member = member->next) {
		n++;
	}
	provider->settings = calloc(n, sizeof(struct config_setting));
	if (provider->settings == NULL) {
		faults_add_no_memory(place->faults);
		return;
	}
	char name[256];
	snprintf(name, sizeof(name), "%s.config", place->name);
	const struct place inside = {place->faults, name};
	for (const struct yaml_node *member = node->first; member != NULL; member = member->next) {
		read_setting(&inside, member, provider);
	}
}

/* base_url's place in the table: it is read after the rest, because `insecure` has its say. */
static void read_later(const struct place *place, const struct yaml_node *node, void *into) {
	(void)place;
	(void)node;
	(void)into;
}

static void read_base_url(const struct place *place, const struct yaml_node *map,
		struct config_provider *provider) {
	const struct yaml_node *node = yaml_tree_get(map, "base_url");
	const char *text = node != NULL ? node_text(place, node) : NULL;
	cleanup_fail struct fail fail = {0};
	if (text == NULL) {
		return;
	}
	provider->base_url = base_url_check(text, provider->insecure, &fail);
	if (provider->base_url == NULL) {
		place_fault(place, node, "%s", fail_words(&fail));
	}
}

/* `driver: replay` has nothing to answer from but what lies there, and no other reads it. */
static void check_path(const struct place *place, const struct yaml_node *map,
		const struct config_provider *provider) {
	const char *driver = provider->driver != NULL ? provider->driver : provider->name;
	bool replay = driver != NULL && strcmp(driver, REPLAY_DRIVER) == 0;
	if (replay && provider->path == NULL) {
		place_fault(place, map,
				"driver: replay needs a path: the directory that holds the turns "
				"to "
				"answer from, as cp -r MODEL/turns leaves them");
	} else if (!replay && provider->path != NULL) {
		place_fault(place, yaml_tree_get(map, "path"), "is for driver: replay alone");
	}
}

static void read_map(const struct place *place, const struct yaml_node *map,
		struct config_provider *provider) {
	static const struct field fields[] = {
			{"driver", FIELD_SPECIAL, .read = read_driver},
			{"source", FIELD_TEXT, offsetof(struct config_provider, source)},
			{"allow", FIELD_SPECIAL, .read = read_allow},
			{"hosts", FIELD_SPECIAL, .read = read_hosts},
			{"path", FIELD_PATH, offsetof(struct config_provider, path)},
			{"base_url", FIELD_SPECIAL, .read = read_later},
			{"key", FIELD_SPECIAL, .read = read_key},
			{"key_env", FIELD_VARIABLE, offsetof(struct config_provider, key_env)},
			{"key_file", FIELD_PATH, offsetof(struct config_provider, key_file)},
			{"key_command", FIELD_TEXT, offsetof(struct config_provider, key_command)},
			{"insecure", FIELD_BOOL, offsetof(struct config_provider, insecure)},
			{"retries", FIELD_INT, offsetof(struct config_provider, retries), 0,
					SETTING_RETRIES_MOST},
			{"concurrent", FIELD_INT, offsetof(struct config_provider, concurrent), 1,
					CONFIG_CONCURRENT_MOST},
			{"timeout", FIELD_SPECIAL, .read = read_timeout},
			{"budget", FIELD_SPECIAL, .read = read_budget},
			{"price", FIELD_SPECIAL, .read = read_price},
			{"config", FIELD_SPECIAL, .read = read_settings},
	};
	fields_read(place, map, FIELDS(fields), UNKNOWN_REFUSED, "setting", provider);
	read_base_url(place, map, provider);
	check_path(place, map, provider);
	if (provider->source != NULL && provider->driver != NULL) {
		place_fault(place, yaml_tree_get(map, "source"),
				"stands beside driver: a provider has one of them");
	}
	if (provider->source == NULL && yaml_tree_get(map, "allow") != NULL) {
		place_fault(place, yaml_tree_get(map, "allow"),
				"is for a provider with a source: what is bundled asks for "
				"nothing");
	}
}

/* Names that mean something else in the root of the tree. */
static bool is_root_name(const char *name) {
	static const char *const names[] = {"README.md", "status", "ctl", "usage", "config",
			"budget", "capabilities", "groups", "providers", "default"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static void check_name(const struct place *place, const struct yaml_node *node) {
	if (!provider_name_valid(node->name)) {
		place_fault(place, node,
				"a provider's name has 1 to %d of a-z, 0-9, '.', '_' and '-', and "
				"doesn't begin with '.'",
				PROVIDER_NAME_MOST);
	} else if (is_root_name(node->name)) {
		place_fault(place, node,
				"this name is taken by the tree itself: choose another, and "
				"say `driver:` for the provider that it uses");
	}
}

void provider_entry_read(
		struct faults *faults, const struct yaml_node *node, struct config_provider *ret) {
	const struct place providers = {faults, "providers"};
	*ret = (struct config_provider){.line = node->line,
			.retries = -1,
			.concurrent = -1,
			.timeout = {-1, -1, -1, -1},
			.budget = BUDGETS_NONE};
	check_name(&providers, node);
	node_copy(&providers, node->name, &ret->name);
	char name[256];
	snprintf(name, sizeof(name), "providers.%.64s", node->name);
	const struct place place = {faults, name};
	if (node->kind != YAML_KIND_SCALAR || yaml_node_is_null(node)) {
		read_map(&place, node, ret);
		return;
	}
	bool on = true;
	cleanup_faults struct faults unheard = {.file = ""};
	const struct place quiet = {&unheard, ""};
	if (!node_bool(&quiet, node, &on) || on) {
		place_fault(&providers, node, "must be a map of settings, {} or off");
	}
	ret->off = !on;
}

void provider_entry_finish(struct config_provider *provider) {
	secret_free_string(provider->key);
	for (size_t i = 0; i < provider->n_settings; i++) {
		free(provider->settings[i].name);
		free(provider->settings[i].value);
	}
	free(provider->settings);
	free(provider->name);
	free(provider->driver);
	free(provider->source);
	consent_finish(&provider->allow);
	strings_free(provider->hosts);
	free(provider->path);
	free(provider->base_url);
	free(provider->key_env);
	free(provider->key_file);
	free(provider->key_command);
	*provider = (struct config_provider){0};
}

bool provider_name_valid(const char *name) {
	size_t length = strlen(name);
	return length >= 1 && length <= PROVIDER_NAME_MOST && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}
