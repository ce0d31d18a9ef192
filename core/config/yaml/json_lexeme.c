/* Words of JSON: see json_lexeme.h. */
#include "core/config/yaml/json_lexeme.h"

#include <ctype.h>
#include <string.h>

static const char *skip_digits(const char *at, const char *end) {
	while (at < end && isdigit((unsigned char)*at)) {
		at++;
	}
	return at;
}

/* Digits, at least one; NULL when there is none. */
static const char *need_digits(const char *at, const char *end) {
	const char *after = skip_digits(at, end);
	return after > at ? after : NULL;
}

bool is_json_number(const char *text, size_t size) {
	const char *end = text + size, *at = text;
	at += at < end && *at == '-';
	at = at < end && *at == '0' ? at + 1 : need_digits(at, end);
	if (at != NULL && at < end && *at == '.') {
		at = need_digits(at + 1, end);
	}
	if (at != NULL && at < end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < end && (*at == '+' || *at == '-');
		at = need_digits(at, end);
	}
	return at == end;
}

/* From a string's first quote to its last one, or to a byte that may not be in a string. */
static const char *string_end(const char *at) {
	at++;
	while (*at != '"' && (unsigned char)*at >= 0x20) {
		at += at[0] == '\\' && (unsigned char)at[1] >= 0x20 ? 2 : 1;
	}
	return at;
}

const char *json_lax_part(const char *text) {
	for (const char *at = text; *at != '\0';) {
		if (*at == '"') {
			at = string_end(at);
			if (*at != '"') {
				return at;
			}
			at++;
		} else if (*at == '-' || isdigit((unsigned char)*at)) {
			size_t size = strspn(at, "0123456789+-.eE");
			if (!is_json_number(at, size)) {
				return at;
			}
			at += size;
		} else if (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r' ||
				isgraph((unsigned char)*at)) {
			at++;
		} else {
			return at;
		}
	}
	return NULL;
}
