/* Whether a schema is one that can be checked against: see json_schema.h. */
#include "core/base/text.h"
#include "core/config/json_schema.h"
#include "core/config/json_schema_private.h"

#include <errno.h>
#include <string.h>

static const char *const type_names[] = {
		"null", "boolean", "integer", "number", "string", "array", "object"};

const cJSON *json_schema_resolve(const cJSON *root, const char *reference) {
	if (reference[0] != '#') {
		return NULL;
	}
	const cJSON *at = root;
	cleanup_free char *copy = strdup(reference + 1);
	char *rest = copy;
	char *name = copy != NULL ? strsep(&rest, "/") : NULL;
	while (at != NULL && name != NULL && (name = strsep(&rest, "/")) != NULL) {
		char *to = name;
		for (const char *from = name; *from != '\0'; to++) {
			bool escape = from[0] == '~' && (from[1] == '0' || from[1] == '1');
			*to = escape ? (from[1] == '0' ? '~' : '/') : *from;
			from += escape ? 2 : 1;
		}
		*to = '\0';
		int64_t index;
		at = !cJSON_IsArray(at) ? cJSON_GetObjectItemCaseSensitive(at, name)
		     : parse_int64(name, &index) && index >= 0 && index < INT32_MAX
				     ? cJSON_GetArrayItem(at, (int)index)
				     : NULL;
	}
	return at;
}

static bool known_type(const cJSON *type) {
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
		if (cJSON_IsString(type) && strcmp(type->valuestring, type_names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool valid_types(const cJSON *type, struct fail *fail) {
	const cJSON *one = cJSON_IsArray(type) ? type->child : type;
	for (; one != NULL; one = cJSON_IsArray(type) ? one->next : NULL) {
		if (!known_type(one)) {
			const char *name = cJSON_IsString(one) ? one->valuestring : "";
			const char *near = nearest_name(name, type_names,
					sizeof(type_names) / sizeof(type_names[0]));
			return fail_set(fail, EINVAL,
					"schema: '%.64s' is no type%s%s%s: null, boolean, integer, "
					"number, string, array or object",
					name, near != NULL ? " (did you mean '" : "",
					near != NULL ? near : "", near != NULL ? "'?)" : "");
		}
	}
	return true;
}

static bool valid_below(const cJSON *root, const cJSON *schema, int depth, struct fail *fail);

/* The members of `properties`, `$defs` …, or the entries of `anyOf` …. */
static bool valid_each(const cJSON *root, const cJSON *schemas, int depth, struct fail *fail) {
	for (const cJSON *one = schemas->child; one != NULL; one = one->next) {
		if (!valid_below(root, one, depth, fail)) {
			return false;
		}
	}
	return true;
}

static bool valid_below(const cJSON *root, const cJSON *schema, int depth, struct fail *fail) {
	static const char *const maps[] = {"properties", "$defs", "definitions"};
	static const char *const lists[] = {"anyOf", "oneOf", "allOf", "prefixItems"};
	if (cJSON_IsBool(schema)) {
		return true;
	}
	if (!cJSON_IsObject(schema) || depth > JSON_SCHEMA_DEPTH_MOST) {
		return fail_set(fail, EINVAL, "schema: %s",
				depth > JSON_SCHEMA_DEPTH_MOST
						? "is nested too deep"
						: "a schema is an object, true or false");
	}
	const cJSON *reference = cJSON_GetObjectItemCaseSensitive(schema, "$ref");
	if (cJSON_IsString(reference) &&
			json_schema_resolve(root, reference->valuestring) == NULL) {
		return fail_set(fail, EINVAL,
				"schema: $ref '%.64s' leads nowhere: only '#/…' is read",
				reference->valuestring);
	}
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
	if (type != NULL && !valid_types(type, fail)) {
		return false;
	}
	for (size_t i = 0; i < 3; i++) {
		const cJSON *map = cJSON_GetObjectItemCaseSensitive(schema, maps[i]);
		if (map != NULL &&
				(!cJSON_IsObject(map) || !valid_each(root, map, depth + 1, fail))) {
			return cJSON_IsObject(map) ? false
						   : fail_set(fail, EINVAL,
								     "schema: %s must be an "
								     "object",
								     maps[i]);
		}
	}
	for (size_t i = 0; i < 4; i++) {
		const cJSON *list = cJSON_GetObjectItemCaseSensitive(schema, lists[i]);
		if (list != NULL && (!cJSON_IsArray(list) ||
						    !valid_each(root, list, depth + 1, fail))) {
			return cJSON_IsArray(list) ? false
						   : fail_set(fail, EINVAL,
								     "schema: %s must be an "
								     "array",
								     lists[i]);
		}
	}
	const cJSON *items = cJSON_GetObjectItemCaseSensitive(schema, "items");
	return items == NULL || cJSON_IsArray(items) || valid_below(root, items, depth + 1, fail);
}

bool json_schema_valid(const char *schema_text, struct fail *fail) {
	cJSON *schema = cJSON_Parse(schema_text);
	bool valid = schema != NULL ? valid_below(schema, schema, 0, fail)
				    : fail_set(fail, EINVAL, "schema: isn't JSON");
	cJSON_Delete(schema);
	return valid;
}
