/* A provider's key: where it comes from, and keeping it from everywhere else. Held in memory that
 * isn't dumped and is wiped when freed. */
#ifndef CORE_CONFIG_KEY_KEY_H
#define CORE_CONFIG_KEY_KEY_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct key; /* one provider's key and its sources */

struct key_sources {
	const char *provider; /* name in the tree, for words */
	const char *tree_file; /* $XDG_CONFIG_HOME/conduitfs/keys/NAME: written through the tree */
	const char *literal; /* config.yml `key` */
	const char *env; /* variable's name (config.yml's key_env, or the manifest's) */
	const char *file; /* key_file */
	const char *command; /* key_command */
};

/* In this order, the first that gives a key wins: tree_file, literal, file, env, command. Files and
 * environment are read at once; the command runs behind (bounded: 10 s, 64 KiB, its stderr dropped)
 * and `changed` tells when it ended. The environment variable's value is copied here. NULL without
 * memory. */
struct key *key_create(uv_loop_t *loop, const struct key_sources *sources,
		void (*changed)(void *data), void *data);
void key_destroy(struct key *key);

/* The key, NUL-terminated, or NULL while there is none. Valid until the next call on `key`.
 * Re-reads the files when their mtime changed. */
const char *key_value(struct key *key);
/* True while key_command still runs. */
bool key_pending(const struct key *key);
/* One line for `status`: "set (from OPENROUTER_API_KEY)", "none: set OPENROUTER_API_KEY, or echo …
 * > providers/openrouter/key", "failed: key_command exited with 1". Never the key. The caller
 * frees. */
char *key_words(struct key *key);

/* Keeps a key written through the tree (tree_file, 0600, made and renamed atomically); an empty one
 * removes it. Blanks and a newline at its ends are dropped. EINVAL with words for a control byte,
 * a blank inside, or over 4 KiB. */
bool key_write(struct key *key, const char *text, size_t size, struct fail *fail);

/* Whether this may be a key: 1 to KEY_MOST bytes of visible ASCII. Else EINVAL with words that tell
 * nothing of it. */
#define KEY_MOST 4096
bool key_check(const char *text, size_t size, struct fail *fail);

/* This process never dumps core, and nobody reads its memory but root. */
void key_protect_process(void);
/* Removes every variable named by key_* sources or `names` from our own environment, so that no
 * child inherits it and /proc/PID/environ doesn't show it. Keys created later, when the
 * configuration is read again, still find what was hidden. `names` ends with NULL. */
void key_hide_environment(const char *const *names);

#endif
