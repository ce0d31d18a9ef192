/* Reading JSON, on cJSON: see conduit/kit/json.h. A conduit_json is a cJSON under another name, so
 * that a provider is compiled without cJSON's header. */
#include <conduit/kit/json.h>

#include "core/base/buf.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

static const cJSON *inside(const struct conduit_json *json) {
	return (const cJSON *)json;
}

static const struct conduit_json *outside(const cJSON *json) {
	return (const struct conduit_json *)json;
}

/* The code unit of an escape "\\uXXXX" at `at`, or -1. */
static int escaped_unit(const char *at, const char *end) {
	int unit = 0;
	if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
		return -1;
	}
	for (int i = 2; i < 6; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = strchr(digits, tolower((unsigned char)at[i]));
		if (digit == NULL || *digit == '\0') {
			return -1;
		}
		unit = unit * 16 + (int)(digit - digits);
	}
	return unit;
}

/* Two escapes that cJSON can't read are replaced: U+0000, at which it would end the string, so that
 * two names became one, by `nul`; and half a surrogate pair, at which it would refuse the document
 * (services cut an emoji between two chunks), by U+FFFD. */
static void replace_escapes(char *text, size_t size, const char *nul) {
	char *end = text + size;
	for (char *at = memchr(text, '\\', size); at != NULL && end - at >= 2;
			at = memchr(at, '\\', (size_t)(end - at))) {
		int unit = escaped_unit(at, end);
		int next = unit >= 0xd800 && unit <= 0xdbff ? escaped_unit(at + 6, end) : -1;
		if (next >= 0xdc00 && next <= 0xdfff) {
			at += 12;
			continue;
		}
		if (unit == 0) {
			memcpy(at, nul, 6);
		} else if (unit >= 0xd800 && unit <= 0xdfff) {
			memcpy(at, "\\ufffd", 6);
		}
		at += 2;
	}
}

static bool only_blanks(const char *text, const char *end) {
	while (text < end) {
		if (strchr(" \t\r\n", *text) == NULL) {
			return false;
		}
		text++;
	}
	return true;
}

static struct conduit_json *parse(const char *text, size_t size, const char *nul) {
	if (size == 0 || size > CONDUIT_JSON_LIMIT || memchr(text, '\0', size) != NULL) {
		return NULL;
	}
	/* A copy: for the replacement, and because cJSON 1.7.15 reads one byte past its end. */
	cleanup_free char *copy = malloc(size + 1);
	if (copy == NULL) {
		return NULL;
	}
	memcpy(copy, text, size);
	copy[size] = '\0';
	replace_escapes(copy, size, nul);
	const char *end = NULL;
	cJSON *json = cJSON_ParseWithLengthOpts(copy, size, &end, false);
	if (json != NULL && !only_blanks(end, copy + size)) {
		cJSON_Delete(json);
		json = NULL;
	}
	return (struct conduit_json *)json;
}

struct conduit_json *conduit_json_parse(const char *text, size_t size) {
	return parse(text, size, "\\ufffd");
}

struct conduit_json *conduit_json_parse_exact(const char *text, size_t size) {
	return parse(text, size, "\\ufdd0");
}

void conduit_json_free(struct conduit_json *json) {
	cJSON_Delete((cJSON *)json);
}

/* The member of an object, or element of an array, that `name` of `size` bytes names. */
static const cJSON *child(const cJSON *json, const char *name, size_t size) {
	if (cJSON_IsArray(json)) {
		long index = 0;
		for (size_t i = 0; i < size; i++) {
			if (name[i] < '0' || name[i] > '9' || index > 100000000) {
				return NULL;
			}
			index = index * 10 + (name[i] - '0');
		}
		return size != 0 ? cJSON_GetArrayItem(json, (int)index) : NULL;
	}
	if (!cJSON_IsObject(json)) {
		return NULL;
	}
	for (const cJSON *member = json->child; member != NULL; member = member->next) {
		if (strncmp(member->string, name, size) == 0 && member->string[size] == '\0') {
			return member;
		}
	}
	return NULL;
}

const struct conduit_json *conduit_json_get(const struct conduit_json *json, const char *path) {
	const cJSON *at = inside(json);
	while (at != NULL && path != NULL && path[0] != '\0') {
		size_t size = strcspn(path, ".");
		at = child(at, path, size);
		path += size;
		if (path[0] == '.') {
			path++;
		}
	}
	return outside(at);
}

enum conduit_json_type conduit_json_type(const struct conduit_json *json, const char *path) {
	const cJSON *at = inside(conduit_json_get(json, path));
	if (at == NULL) {
		return CONDUIT_JSON_NONE;
	}
	switch (at->type & 0xff) {
	case cJSON_True:
	case cJSON_False:
		return CONDUIT_JSON_BOOL;
	case cJSON_Number:
		return CONDUIT_JSON_NUMBER;
	case cJSON_String:
		return CONDUIT_JSON_STRING;
	case cJSON_Array:
		return CONDUIT_JSON_ARRAY;
	case cJSON_Object:
		return CONDUIT_JSON_OBJECT;
	default:
		return CONDUIT_JSON_NULL;
	}
}

const char *conduit_json_string(const struct conduit_json *json, const char *path) {
	return cJSON_GetStringValue((cJSON *)inside(conduit_json_get(json, path)));
}

bool conduit_json_number(const struct conduit_json *json, const char *path, double *ret) {
	const cJSON *at = inside(conduit_json_get(json, path));
	if (!cJSON_IsNumber(at) || !isfinite(at->valuedouble)) {
		return false;
	}
	*ret = at->valuedouble;
	return true;
}

bool conduit_json_int64(const struct conduit_json *json, const char *path, int64_t *ret) {
	double value;
	if (!conduit_json_number(json, path, &value) || value != trunc(value) ||
			fabs(value) >= 0x1p63) {
		return false;
	}
	*ret = (int64_t)value;
	return true;
}

bool conduit_json_bool(const struct conduit_json *json, const char *path, bool *ret) {
	const cJSON *at = inside(conduit_json_get(json, path));
	if (!cJSON_IsBool(at)) {
		return false;
	}
	*ret = cJSON_IsTrue(at);
	return true;
}

const struct conduit_json *conduit_json_first(const struct conduit_json *json) {
	return json != NULL ? outside(inside(json)->child) : NULL;
}

const struct conduit_json *conduit_json_next(const struct conduit_json *json) {
	return json != NULL ? outside(inside(json)->next) : NULL;
}

const char *conduit_json_name(const struct conduit_json *json) {
	return json != NULL ? inside(json)->string : NULL;
}

char *conduit_json_print(const struct conduit_json *json) {
	return json != NULL ? cJSON_PrintUnformatted(inside(json)) : NULL;
}
