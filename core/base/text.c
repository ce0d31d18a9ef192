/* Text helpers: see text.h. */
#include "core/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>

size_t utf8_length(const char *text, size_t size) {
	const unsigned char *s = (const unsigned char *)text;
	if (size == 0) {
		return 0;
	}
	if (s[0] < 0x80) {
		return 1;
	}
	size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || size < length) {
		return 0;
	}
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
	bool surrogate = s[0] == 0xed && s[1] >= 0xa0;
	bool too_high = s[0] == 0xf4 && s[1] >= 0x90;
	return overlong || surrogate || too_high ? 0 : length;
}

bool utf8_valid(const char *text, size_t size) {
	for (size_t i = 0; i < size;) {
		size_t length = utf8_length(text + i, size - i);
		if (length == 0) {
			return false;
		}
		i += length;
	}
	return true;
}

size_t utf8_cut(const char *text, size_t size, size_t most) {
	if (size <= most) {
		return size;
	}
	while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80) {
		most--;
	}
	return most;
}

static bool escape_byte(struct buf *out, unsigned char byte) {
	switch (byte) {
	case '"':
		return buf_add(out, "\\\"", 2);
	case '\\':
		return buf_add(out, "\\\\", 2);
	case '\n':
		return buf_add(out, "\\n", 2);
	case '\r':
		return buf_add(out, "\\r", 2);
	case '\t':
		return buf_add(out, "\\t", 2);
	default:
		return buf_add_format(out, "\\u%04x", byte);
	}
}

bool json_escape(struct buf *out, const char *text, size_t size) {
	size_t plain = 0;
	for (size_t i = 0; i < size;) {
		unsigned char byte = (unsigned char)text[i];
		size_t length = byte < 0x80 ? 1 : utf8_length(text + i, size - i);
		bool special = byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f;
		if (length != 0 && !special) {
			i += length;
			continue;
		}
		if (!buf_add(out, text + plain, i - plain)) {
			return false;
		}
		bool added = length == 0 ? buf_add(out, "\xef\xbf\xbd", 3) : escape_byte(out, byte);
		if (!added) {
			return false;
		}
		plain = ++i;
	}
	return buf_add(out, text + plain, size - plain);
}

bool add_on_one_line(struct buf *out, const char *words) {
	size_t start = out->size;
	if (!buf_add_string(out, words)) {
		return false;
	}
	for (char *c = out->data + start; c < out->data + out->size; c++) {
		*c = (unsigned char)*c < 0x20 ? ' ' : *c;
	}
	return true;
}

bool parse_double(const char *text, double *ret) {
	char *end = NULL;
	if (text[0] == '\0' || isspace((unsigned char)text[0])) {
		return false;
	}
	double value = strtod(text, &end);
	if (*end != '\0' || !isfinite(value)) {
		return false;
	}
	*ret = value;
	return true;
}

bool parse_int64(const char *text, int64_t *ret) {
	char *end = NULL;
	if (text[0] == '\0' || isspace((unsigned char)text[0])) {
		return false;
	}
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (*end != '\0' || errno != 0) {
		return false;
	}
	*ret = value;
	return true;
}

char *trimmed(const char *text, size_t size) {
	while (size > 0 && isspace((unsigned char)text[size - 1])) {
		size--;
	}
	while (size > 0 && isspace((unsigned char)*text)) {
		text++;
		size--;
	}
	return strndup(text, size);
}

bool starts_with(const char *text, const char *prefix) {
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool ends_with(const char *text, const char *suffix) {
	size_t length = strlen(text), tail = strlen(suffix);
	return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

#define NAME_MOST 64

/* Levenshtein distance with one row; names longer than NAME_MOST are never near. */
static size_t edit_distance(const char *a, const char *b) {
	size_t a_length = strlen(a), b_length = strlen(b);
	size_t row[NAME_MOST + 1];
	if (a_length > NAME_MOST || b_length > NAME_MOST) {
		return SIZE_MAX;
	}
	for (size_t j = 0; j <= b_length; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t above = row[j];
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t step = (above < row[j - 1] ? above : row[j - 1]) + 1;
			row[j] = change < step ? change : step;
			diagonal = above;
		}
	}
	return row[b_length];
}

const char *nearest_name(const char *wrong, const char *const *names, size_t n) {
	const char *nearest = NULL;
	size_t best = strlen(wrong) / 3 + 2;
	for (size_t i = 0; i < n; i++) {
		size_t distance = edit_distance(wrong, names[i]);
		if (distance < best) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}
