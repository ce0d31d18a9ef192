/* Lists of strings: see strings.h. */
#include "core/base/strings.h"

#include <string.h>

/* Makes room for one more and puts a copy at `index`. */
static bool put(char ***list, size_t index, const char *text) {
	size_t n = strings_length(*list);
	char *copy = strdup(text);
	char **grown = copy != NULL ? reallocarray(*list, n + 2, sizeof(char *)) : NULL;
	if (grown == NULL) {
		free(copy);
		return false;
	}
	memmove(grown + index + 1, grown + index, (n - index) * sizeof(char *));
	grown[index] = copy;
	grown[n + 1] = NULL;
	*list = grown;
	return true;
}

bool strings_add(char ***list, const char *text) {
	return put(list, strings_length(*list), text);
}

bool strings_insert(char ***list, const char *text) {
	size_t index = 0;
	int order = 1;
	while (*list != NULL && (*list)[index] != NULL &&
			(order = strcmp((*list)[index], text)) < 0) {
		index++;
	}
	return (*list != NULL && (*list)[index] != NULL && order == 0) || put(list, index, text);
}

void strings_remove(char **list, const char *text) {
	char **kept = list;
	for (char **item = list; item != NULL && *item != NULL; item++) {
		if (strcmp(*item, text) == 0) {
			free(*item);
		} else {
			*kept++ = *item;
		}
	}
	if (list != NULL) {
		*kept = NULL;
	}
}

bool strings_contain(char *const *list, const char *text) {
	for (; list != NULL && *list != NULL; list++) {
		if (strcmp(*list, text) == 0) {
			return true;
		}
	}
	return false;
}

bool strings_same(char *const *a, char *const *b) {
	size_t n = strings_length(a);
	bool same = n == strings_length(b);
	for (size_t i = 0; same && i < n; i++) {
		same = strcmp(a[i], b[i]) == 0;
	}
	return same;
}

size_t strings_length(char *const *list) {
	size_t n = 0;
	while (list != NULL && list[n] != NULL) {
		n++;
	}
	return n;
}

bool strings_copy(char ***ret, char *const *from) {
	char **copy cleanup_strings = NULL;
	for (; from != NULL && *from != NULL; from++) {
		if (!strings_add(&copy, *from)) {
			return false;
		}
	}
	*ret = take(copy);
	return true;
}

void strings_free(char **list) {
	for (char **item = list; item != NULL && *item != NULL; item++) {
		free(*item);
	}
	free(list);
}
