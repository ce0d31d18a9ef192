/* Taking keys out of our environment: see key_hide_environment in key.h, and key_env.h.
 *
 * What was hidden lasts as long as the process, as the environment itself would, and so it is kept
 * for the process as a whole. */
#include "core/config/key/key_env.h"

#include "core/base/list.h"
#include "core/config/key/key.h"
#include "core/config/key/key_file.h"

#include <stdlib.h>
#include <string.h>

struct hidden {
	struct list link;
	char *name;
	char *value; /* in secret memory */
};

static struct list all_hidden = {&all_hidden, &all_hidden};

static struct hidden *find(const char *name) {
	struct hidden *hidden;
	list_for_each(hidden, &all_hidden, link) {
		if (strcmp(hidden->name, name) == 0) {
			return hidden;
		}
	}
	return NULL;
}

const char *key_env_value(const char *name) {
	const char *value = getenv(name);
	const struct hidden *hidden = find(name);
	return value == NULL && hidden != NULL ? hidden->value : value;
}

/* What can't be a key isn't kept: it would be refused later all the same. */
static void keep(const char *name, const char *value) {
	struct hidden *hidden = find(name);
	char *kept = secret_key(value, strlen(value), NULL);
	if (kept == NULL) {
		return;
	}
	if (hidden != NULL) {
		secret_key_free(hidden->value);
		hidden->value = kept;
		return;
	}
	hidden = calloc(1, sizeof(*hidden));
	char *copy = strdup(name);
	if (hidden == NULL || copy == NULL) {
		free(hidden);
		free(copy);
		secret_key_free(kept);
		return;
	}
	hidden->name = copy;
	hidden->value = kept;
	list_append(&all_hidden, &hidden->link);
}

void key_hide_environment(const char *const *names) {
	for (const char *const *name = names; *name != NULL; name++) {
		char *value = getenv(*name);
		if (value != NULL) {
			keep(*name, value);
		}
		for (; value != NULL; value = getenv(*name)) {
			/* What the kernel shows in /proc/PID/environ is this memory. */
			explicit_bzero(value, strlen(value));
			unsetenv(*name);
		}
	}
}
