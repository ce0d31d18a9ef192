/* Members of an object: see json_members.h. */
#include "core/command/json_members.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(char byte) {
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void give(const char *text, size_t from, size_t to,
		void (*member)(void *data, const char *member, size_t size), void *data) {
	while (from < to && is_blank(text[from])) {
		from++;
	}
	while (from < to && is_blank(text[to - 1])) {
		to--;
	}
	if (from < to) {
		member(data, text + from, to - from);
	}
}

void json_members(const char *text, size_t size,
		void (*member)(void *data, const char *member, size_t size), void *data) {
	size_t at = 0;
	while (at < size && is_blank(text[at])) {
		at++;
	}
	if (at == size || text[at] != '{') {
		return;
	}
	size_t from = at + 1, depth = 0;
	bool in_string = false;
	for (; at < size; at++) {
		char byte = text[at];
		if (in_string) {
			at += byte == '\\' ? 1 : 0;
			in_string = byte != '"';
		} else if (byte == '"') {
			in_string = true;
		} else if (byte == '{' || byte == '[') {
			depth++;
		} else if (byte == '}' || byte == ']') {
			depth--;
		}
		bool ends = !in_string && (depth == 0 || (depth == 1 && byte == ','));
		if (ends) {
			give(text, from, at, member, data);
			from = at + 1;
		}
		if (!in_string && depth == 0) {
			return;
		}
	}
}
