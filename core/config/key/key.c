/* A provider's key and its sources: see key.h. */
#include "core/config/key/key.h"

#include "core/config/key/key_command.h"
#include "core/config/key/key_env.h"
#include "core/config/key/key_file.h"
#include "core/config/key/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define COMMAND_SECONDS 10.0

struct key {
	uv_loop_t *loop;
	char *provider;
	void (*changed)(void *data);
	void *data;
	struct key_file tree, file;
	char *literal; /* this and the next two in secret memory, NULL while there is none */
	char *env_value;
	char *printed; /* by the command */
	char *env; /* the variable's name */
	char *env_trouble;
	char *command_text;
	struct key_command *command; /* while it runs */
	bool command_ended;
	char *command_trouble;
};

/* Copies, and says whether there is memory for it; nothing makes nothing. */
static bool copied(const char *text, char **ret) {
	*ret = text != NULL ? strdup(text) : NULL;
	return text == NULL || *ret != NULL;
}

/* Fills in a value from text that may be unfit; why goes to `ret_trouble`, begun with `what`. */
static void take_key(
		const char *what, const char *text, size_t size, char **ret, char **ret_trouble) {
	cleanup_fail struct fail fail = {0};
	*ret = secret_key(text, size, &fail);
	if (*ret == NULL && fail.code != 0 &&
			asprintf(ret_trouble, "%s: %s", what, fail_words(&fail)) < 0) {
		*ret_trouble = NULL;
	}
}

struct key *key_create(uv_loop_t *loop, const struct key_sources *sources,
		void (*changed)(void *data), void *data) {
	struct key *key = calloc(1, sizeof(*key));
	if (key == NULL) {
		return NULL;
	}
	key->loop = loop;
	key->changed = changed;
	key->data = data;
	bool whole = key_file_init(&key->tree, sources->tree_file, true);
	whole = key_file_init(&key->file, sources->file, false) && whole;
	whole = copied(sources->provider, &key->provider) && whole;
	whole = copied(sources->env, &key->env) && whole;
	whole = copied(sources->command, &key->command_text) && whole;
	if (!whole) {
		key_destroy(key);
		return NULL;
	}
	if (sources->literal != NULL) {
		key->literal = secret_key(sources->literal, strlen(sources->literal), NULL);
	}
	const char *value = sources->env != NULL ? key_env_value(sources->env) : NULL;
	if (value != NULL) {
		take_key(key->env, value, strlen(value), &key->env_value, &key->env_trouble);
	}
	key_value(key);
	return key;
}

void key_destroy(struct key *key) {
	if (key == NULL) {
		return;
	}
	key_command_cancel(key->command);
	key_file_finish(&key->tree);
	key_file_finish(&key->file);
	secret_key_free(key->literal);
	secret_key_free(key->env_value);
	secret_key_free(key->printed);
	secret_free_string(key->command_text);
	free(key->command_trouble);
	free(key->env_trouble);
	free(key->provider);
	free(key->env);
	free(key);
}

static void command_done(void *data, const char *output, size_t size, const char *failure) {
	struct key *key = data;
	key->command = NULL;
	key->command_ended = true;
	if (failure != NULL) {
		copied(failure, &key->command_trouble);
	} else {
		const char *newline = memchr(output, '\n', size);
		size_t length = newline != NULL ? (size_t)(newline - output) : size;
		take_key("key_command's first line", output, length, &key->printed,
				&key->command_trouble);
	}
	if (key->printed == NULL && key->command_trouble == NULL) {
		copied("key_command printed no key", &key->command_trouble);
	}
	if (key->changed != NULL) {
		key->changed(key->data);
	}
}

/* Once, and only where nothing else gives a key. */
static void run_command(struct key *key) {
	if (key->command_text == NULL || key->command != NULL || key->command_ended) {
		return;
	}
	key->command = key_command_start(
			key->loop, key->command_text, COMMAND_SECONDS, command_done, key);
	if (key->command == NULL) {
		key->command_ended = true;
		copied("no memory to run key_command", &key->command_trouble);
	}
}

const char *key_value(struct key *key) {
	key_file_refresh(&key->tree);
	if (key->tree.value != NULL) {
		return key->tree.value;
	}
	if (key->literal != NULL) {
		return key->literal;
	}
	key_file_refresh(&key->file);
	if (key->file.value != NULL) {
		return key->file.value;
	}
	if (key->env_value != NULL) {
		return key->env_value;
	}
	if (key->printed == NULL) {
		run_command(key);
	}
	return key->printed;
}

bool key_pending(const struct key *key) {
	return key->command != NULL;
}

/* Where the key that is in force comes from. */
static const char *origin(const struct key *key, const char *value) {
	if (value == key->tree.value) {
		return key->tree.path;
	}
	if (value == key->literal) {
		return "config.yml";
	}
	if (value == key->file.value) {
		return key->file.path;
	}
	return value == key->env_value ? key->env : "key_command";
}

/* What stands in the way of a key, the source first that would have won. */
static const char *trouble(const struct key *key) {
	const char *const troubles[] = {key->tree.trouble, key->file.trouble, key->env_trouble,
			key->command_trouble};
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		if (troubles[i] != NULL) {
			return troubles[i];
		}
	}
	return NULL;
}

char *key_words(struct key *key) {
	const char *value = key_value(key);
	cleanup_buf struct buf words = {0};
	if (value != NULL) {
		const struct key_file *file = value == key->tree.value ? &key->tree : &key->file;
		buf_add_format(&words, "set (from %s)", origin(key, value));
		if (value == file->value && file->exposed) {
			buf_add_format(&words, "; others can read or write it: chmod 600 %s",
					file->path);
		} else if (key->file.trouble != NULL) {
			buf_add_format(&words, "; %s", key->file.trouble);
		}
	} else if (key_pending(key)) {
		buf_add_string(&words, "pending: key_command runs");
	} else if (trouble(key) != NULL) {
		buf_add_format(&words, "failed: %s", trouble(key));
	} else {
		buf_add_string(&words, "none: ");
		if (key->env != NULL) {
			buf_add_format(&words, "set %s, or ", key->env);
		}
		buf_add_format(&words, "echo … > providers/%s/key", key->provider);
	}
	return buf_take(&words);
}

bool key_write(struct key *key, const char *text, size_t size, struct fail *fail) {
	return key_file_write(&key->tree, text, size, fail);
}

void key_protect_process(void) {
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}
