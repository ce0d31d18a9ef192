/* A file that holds a key: read again when it changed, written atomically. */
#ifndef CORE_CONFIG_KEY_KEY_FILE_H
#define CORE_CONFIG_KEY_KEY_FILE_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct key_file {
	char *path; /* NULL: there is none, and nothing happens */
	bool optional; /* its absence is no trouble */
	char *value; /* the key, in secret memory; NULL while there is none */
	char *trouble; /* why there is none, NULL when nobody needs to know */
	bool exposed; /* others than its owner can read it, or its owner isn't us */
	struct stat known; /* the file that was read; st_ino 0: none */
};

/* `path` is copied. False without memory. */
bool key_file_init(struct key_file *file, const char *path, bool optional);
void key_file_finish(struct key_file *file);
/* Reads it if it isn't the one that was read. */
void key_file_refresh(struct key_file *file);
/* Replaces it (0600; missing directories are made with 0700), or removes it when size is 0. */
bool key_file_write(struct key_file *file, const char *text, size_t size, struct fail *fail);

/* A copy in secret memory without the blanks and newlines at its ends, for secret_key_free. NULL
 * with words when it can't be a key, or (code 0, no words) when nothing is left. */
char *secret_key(const char *text, size_t size, struct fail *fail);
void secret_key_free(char *key);

#endif
