/* Writing to settings, ctl and key: see accept.h. */
#include "fs/content/accept.h"

#include "core/base/text.h"
#include "core/engine/load/discovery.h"
#include "core/engine/load/load.h"
#include "core/engine/model_limits.h"
#include "core/engine/session/conversation.h"
#include "fs/tree/notify.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

/* ---- settings ---- */

bool setting_is_missing(const struct node *directory, const char *name, struct fail *fail) {
	if (directory->entry->kind != KIND_CONFIG || setting_find(name) < 0) {
		return false;
	}
	fail_set(fail, EOPNOTSUPP, "%s isn't a setting here: ls config shows those that are", name);
	return true;
}

void setting_reset(struct tree *tree, const struct node *node) {
	if (values_own(tree->engine->values, node->place->id, node->setting) != NULL) {
		values_set(tree->engine->values, node->place->id, node->setting, NULL, NULL);
		notify_setting(tree, node);
	}
}

static bool blank(const char *text, size_t size) {
	for (size_t i = 0; i < size; i++) {
		if (!isspace((unsigned char)text[i])) {
			return false;
		}
	}
	return true;
}

/* Whether text that isn't right yet may become so: JSON that ends too early, a character cut in its
 * middle. What is wrong already is refused at the write, where a shell reports it. */
static bool may_go_on(enum setting_type type, const char *text, size_t size) {
	const char *end = NULL;
	if (type == SETTING_TEXT || type == SETTING_LINES) {
		size_t whole = 0, length;
		while ((length = utf8_length(text + whole, size - whole)) != 0) {
			whole += length;
		}
		return size - whole < 4 && (unsigned char)text[whole] >= 0xc2 &&
		       (unsigned char)text[whole] <= 0xf4;
	}
	if (type != SETTING_JSON && type != SETTING_OBJECT && type != SETTING_ARRAY) {
		return false;
	}
	cleanup_free char *copy = strndup(text, size);
	cJSON *parsed = copy != NULL ? cJSON_ParseWithOpts(copy, &end, false) : NULL;
	if (parsed != NULL || end == NULL) {
		cJSON_Delete(parsed);
		return false;
	}
	/* cJSON points at the value that it couldn't read; cut short, that runs to the end. */
	return strspn(end, " \t\r\n") == strlen(end) || memchr("\"tfn-", *end, 5) != NULL;
}

ACCEPT(accept_setting) {
	(void)who;
	struct values *values = tree->engine->values;
	enum setting_type type = setting_specs[node->setting].type;
	if (size > SETTING_MOST + 1) {
		fail_set(fail, EFBIG, "%s: a value has at most %zu bytes",
				setting_specs[node->setting].name, SETTING_MOST);
		return -1;
	}
	if (blank(text, size)) {
		if (moment == AT_RELEASE) {
			setting_reset(tree, node);
		}
		return 0;
	}
	struct fail checked = {0};
	struct limit limit;
	bool limited = limits_of(tree->engine, place_model(node->place), node->setting, &limit);
	cleanup_free char *value = setting_check_within(
			node->setting, limited ? &limit : NULL, text, size, &checked);
	if (value == NULL && moment != AT_RELEASE && may_go_on(type, text, size)) {
		fail_finish(&checked);
		return 0;
	}
	if (value == NULL) {
		*fail = checked;
		return -1;
	}
	const char *in_force = limits_shown(tree->engine, node->place, node->setting);
	if (moment != AT_RELEASE || strcmp(value, in_force) == 0) {
		return 0;
	}
	if (!values_set(values, node->place->id, node->setting, value, fail)) {
		return -1;
	}
	notify_setting(tree, node);
	return 0;
}

/* ---- ctl ---- */

typedef bool command_run(struct tree *tree, const struct node *node, const struct chain *who,
		const char *command, struct fail *fail);

/* Runs each whole line; the rest when a descriptor is closed. Lines that begin with # and blank
 * ones are ignored, so that copying back what was read does nothing. */
static ssize_t each_line(struct tree *tree, const struct node *node, const struct chain *who,
		const char *text, size_t size, enum moment moment, struct fail *fail,
		command_run *run) {
	size_t done = 0;
	while (done < size) {
		const char *end = memchr(text + done, '\n', size - done);
		if (end == NULL && moment == AFTER_WRITE) {
			break;
		}
		size_t length = end != NULL ? (size_t)(end - text) - done : size - done;
		cleanup_free char *command = trimmed(text + done, length);
		done += length + (end != NULL);
		if (command == NULL) {
			fail_set(fail, ENOMEM, "no memory");
			return -1;
		}
		if (command[0] != '\0' && command[0] != '#' &&
				!run(tree, node, who, command, fail)) {
			return -1;
		}
	}
	if (size - done > 4096) {
		fail_set(fail, EINVAL, "ctl: a command has at most 4096 bytes");
		return -1;
	}
	return (ssize_t)done;
}

static bool unknown_command(
		const char *command, const char *const *known, size_t n, struct fail *fail) {
	cleanup_buf struct buf list = {0};
	const char *near = nearest_name(command, known, n);
	for (size_t i = 0; i < n; i++) {
		buf_add_format(&list, "%s%s", i > 0 ? ", " : "", known[i]);
	}
	return fail_set(fail, EINVAL, "ctl: unknown command '%.100s'%s%s%s; known: %s", command,
			near != NULL ? " (did you mean '" : "", near != NULL ? near : "",
			near != NULL ? "'?)" : "", buf_string(&list));
}

/* The first word. */
static bool is_command(const char *line, const char *command) {
	size_t length = strlen(command);
	return strncmp(line, command, length) == 0 && strchr(" \t", line[length]) != NULL;
}

/* The rest of the line, which must be one word; the caller frees. */
static char *argument(const char *line, struct fail *fail) {
	const char *rest = line + strcspn(line, " \t");
	char *word = trimmed(rest, strlen(rest));
	if (word == NULL) {
		fail_set(fail, ENOMEM, "no memory");
	} else if (word[0] == '\0' || strpbrk(word, " \t") != NULL) {
		free(word);
		word = NULL;
		fail_set(fail, EINVAL, "ctl: write one name: %.*s NAME", (int)strcspn(line, " \t"),
				line);
	}
	return word;
}

/* load SOURCE [as NAME] */
static bool load_command(struct engine *engine, const char *line, struct fail *fail) {
	static const char blanks[] = " \t";
	cleanup_free char *copy = strdup(line);
	char *rest = NULL;
	if (copy == NULL) {
		return fail_set(fail, ENOMEM, "no memory");
	}
	strtok_r(copy, blanks, &rest);
	const char *source = strtok_r(NULL, blanks, &rest);
	const char *as = strtok_r(NULL, blanks, &rest);
	const char *name = strtok_r(NULL, blanks, &rest);
	bool shaped = source != NULL && (as == NULL || (strcmp(as, "as") == 0 && name != NULL)) &&
		      strtok_r(NULL, blanks, &rest) == NULL;
	return shaped ? load_source(engine, source, name, fail)
		      : fail_set(fail, EINVAL, "ctl: write load SOURCE, or load SOURCE as NAME");
}

static bool run_root(struct tree *tree, const struct node *node, const struct chain *who,
		const char *command, struct fail *fail) {
	static const char *const known[] = {
			"refresh", "reload", "load", "unload", "allow", "revoke"};
	bool (*const named[])(struct engine * engine, const char *name, struct fail *fail) = {
			load_unload, load_allow, load_revoke};
	(void)node, (void)who;
	if (strcmp(command, "refresh") == 0) {
		struct provider *provider;
		list_for_each(provider, &tree->engine->providers, link) {
			discovery_refresh(provider);
		}
		return true;
	}
	if (strcmp(command, "reload") == 0) {
		return tree_reload(tree, fail);
	}
	if (is_command(command, "load")) {
		return load_command(tree->engine, command, fail);
	}
	for (size_t i = 0; i < 3; i++) {
		if (is_command(command, known[3 + i])) {
			cleanup_free char *name = argument(command, fail);
			return name != NULL && named[i](tree->engine, name, fail);
		}
	}
	return unknown_command(command, known, 6, fail);
}

ACCEPT(accept_root_ctl) {
	return each_line(tree, node, who, text, size, moment, fail, run_root);
}

static bool refresh(struct provider *provider, struct fail *fail) {
	if (provider->version == NULL) {
		return load_refuse(provider, fail);
	}
	discovery_refresh(provider);
	return true;
}

static bool run_provider(struct tree *tree, const struct node *node, const struct chain *who,
		const char *command, struct fail *fail) {
	static const char *const known[] = {"refresh", "reload", "update", "rollback"};
	bool (*const run[])(struct provider * provider, struct fail * fail) = {
			refresh, load_reload, load_update, load_rollback};
	(void)tree, (void)who;
	for (size_t i = 0; i < 4; i++) {
		if (strcmp(command, known[i]) == 0) {
			return run[i](node->provider, fail);
		}
	}
	return unknown_command(command, known, 4, fail);
}

ACCEPT(accept_provider_ctl) {
	return each_line(tree, node, who, text, size, moment, fail, run_provider);
}

static bool submit(struct engine *engine, struct turn *turn, struct fail *fail) {
	if (turn->row.state != TURN_OPEN || turn->row.prompt_size == 0) {
		return fail_set(fail, EINVAL, "submit: turn %06lld was sent already",
				(long long)turn->row.number);
	}
	engine_submit(engine, turn);
	return true;
}

static bool run_model(struct tree *tree, const struct node *node, const struct chain *who,
		const char *command, struct fail *fail) {
	static const char *const known[] = {"cancel", "retry", "reset", "fork", "submit"};
	struct engine *engine = tree->engine;
	bool cancel = strcmp(command, "cancel") == 0, retry = strcmp(command, "retry") == 0;
	if (strcmp(command, "reset") == 0) {
		return conversation_reset(engine, node->place, who, fail);
	}
	if (starts_with(command, "fork ")) {
		cleanup_free char *name = trimmed(command + 5, strlen(command + 5));
		return name != NULL ? conversation_fork(engine, node->place, who, name, fail)
				    : fail_set(fail, ENOMEM, "no memory");
	}
	if (strcmp(command, "fork") == 0) {
		return fail_set(fail, EINVAL, "ctl: fork wants the new session's name: fork NAME");
	}
	if (!cancel && !retry && strcmp(command, "submit") != 0) {
		return unknown_command(command, known, 5, fail);
	}
	int64_t id = engine_newest(engine, node->place, who->n > 0 ? who->ids[0].pid : 0, false);
	cleanup_turn struct turn *turn = id != 0 ? turn_get(engine->turns, id) : NULL;
	if (turn == NULL) {
		return fail_set(fail, ESRCH, "%s: there is no turn here yet", command);
	}
	return cancel  ? engine_cancel(engine, turn, fail)
	       : retry ? engine_retry(engine, turn, who, fail)
		       : submit(engine, turn, fail);
}

ACCEPT(accept_model_ctl) {
	return each_line(tree, node, who, text, size, moment, fail, run_model);
}

/* ---- key ---- */

ACCEPT(accept_key) {
	(void)tree, (void)who;
	const char *end = memchr(text, '\n', size);
	size_t length = end != NULL ? (size_t)(end - text) : size;
	if (!blank(text, size) && !key_check(text, length, fail)) {
		return -1;
	}
	if (size == 0 || (end == NULL && moment == AFTER_WRITE)) {
		return 0;
	}
	struct version *version = node->provider->version;
	if (version == NULL) {
		load_refuse(node->provider, fail);
		return -1;
	}
	if (!key_write(version->key, text, size, fail)) {
		return -1;
	}
	health_renewed(tree->engine->health, node->place);
	discovery_refresh(node->provider);
	return (ssize_t)size;
}
