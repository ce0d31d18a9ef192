/* Shell patterns: see glob.h. */
#include "core/base/glob.h"

#include <stddef.h>
#include <string.h>

/* The end of a set that begins at `set` ("[…]"): behind its ']', or NULL when nothing closes it. A
 * ']' that comes first is a member. */
static const char *set_end(const char *set) {
	const char *at = set + 1;
	at += *at == '!';
	at += *at == ']';
	at = strchr(at, ']');
	return at != NULL ? at + 1 : NULL;
}

static bool set_has(const char *set, const char *end, char byte) {
	const char *at = set + 1;
	bool negated = *at == '!', found = false;
	for (at += negated; at < end - 1; at++) {
		bool range = at[1] == '-' && at + 2 < end - 1;
		unsigned char low = (unsigned char)*at, high = (unsigned char)at[range ? 2 : 0];
		found = found || ((unsigned char)byte >= low && (unsigned char)byte <= high);
		at += range ? 2 : 0;
	}
	return found != negated;
}

/* Bytes of one UTF-8 character, or 1. */
static size_t character(const char *text) {
	size_t size = 1;
	while (((unsigned char)text[0] & 0xc0) == 0xc0 &&
			((unsigned char)text[size] & 0xc0) == 0x80) {
		size++;
	}
	return size;
}

/* Matches what stands at `*pattern`, no star, against the front of a text that isn't at its end,
 * and moves both on. */
static bool match_one(const char **pattern, const char **text) {
	const char *at = *pattern;
	size_t step = 1;
	bool matches;
	if (*at == '[') {
		const char *end = set_end(at);
		matches = end != NULL && set_has(at, end, **text);
		at = end;
	} else if (*at == '?') {
		matches = true;
		step = character(*text);
		at++;
	} else {
		at += *at == '\\' && at[1] != '\0';
		matches = *at != '\0' && *at == **text;
		at++;
	}
	*pattern = at;
	*text += step;
	return matches;
}

/* Only the last star is ever gone back to: what an earlier one took can stay as it is. */
bool glob_match(const char *pattern, const char *text) {
	const char *star = NULL, *taken = NULL;
	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			taken = text;
			continue;
		}
		if (*pattern != '\0' && match_one(&pattern, &text)) {
			continue;
		}
		if (star == NULL) {
			return false;
		}
		text = ++taken;
		pattern = star;
	}
	while (*pattern == '*') {
		pattern++;
	}
	return *pattern == '\0';
}
