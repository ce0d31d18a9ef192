/* Lists of strings ended by NULL; NULL is the empty one. */
#ifndef CORE_BASE_STRINGS_H
#define CORE_BASE_STRINGS_H

#include "core/base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

/* Adds a copy at the end; false without memory, and the list stays as it was. */
bool strings_add(char ***list, const char *text);
/* The same in its place of a sorted list that holds each string once. */
bool strings_insert(char ***list, const char *text);
/* Takes each that equals `text` away. */
void strings_remove(char **list, const char *text);
bool strings_contain(char *const *list, const char *text);
bool strings_same(char *const *a, char *const *b);
size_t strings_length(char *const *list);
bool strings_copy(char ***ret, char *const *from);
void strings_free(char **list);

static inline void cleanup_strings_list(char ***list) {
	strings_free(*list);
}

#define cleanup_strings cleanup(cleanup_strings_list)

#endif
