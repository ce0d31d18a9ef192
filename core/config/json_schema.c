/* Checking a JSON value against a schema: see json_schema.h. */
#include "core/config/json_schema.h"

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/config/json_schema_private.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Comparisons in all: a schema may refer to itself. */
#define STEPS_MOST 200000

struct check {
	const cJSON *root;
	struct buf path; /* of the value looked at: "/items/0" */
	struct fail *fail; /* NULL: only whether */
	int depth;
	size_t steps;
	bool exceeded;
};

static bool check_value(struct check *check, const cJSON *schema, const cJSON *value);

/* "at /items/0: …" */
static bool wrong(struct check *check, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

static bool wrong(struct check *check, const char *format, ...) {
	if (check->fail == NULL) {
		return false;
	}
	char *words = NULL;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&words, format, args);
	va_end(args);
	fail_set(check->fail, EPROTO, "the output doesn't conform to config/schema: at %s: %s",
			check->path.size > 0 ? buf_string(&check->path) : "its top",
			length >= 0 ? words : "");
	free(length >= 0 ? words : NULL);
	return false;
}

/* Looks at a member of the value; the path is as before afterwards. */
static bool below(struct check *check, const cJSON *schema, const cJSON *value, const char *name) {
	size_t length = check->path.size;
	buf_add_byte(&check->path, '/');
	buf_add(&check->path, name, utf8_cut(name, strlen(name), 64));
	bool right = check_value(check, schema, value);
	check->path.size = length;
	if (check->path.data != NULL) {
		check->path.data[length] = '\0';
	}
	return right;
}

/* Without words. */
static bool allows(struct check *check, const cJSON *schema, const cJSON *value) {
	struct fail *fail = take(check->fail);
	bool right = check_value(check, schema, value);
	check->fail = fail;
	return right;
}

/* ---- types ---- */

static const char *type_of(const cJSON *value) {
	return cJSON_IsNull(value)     ? "null"
	       : cJSON_IsBool(value)   ? "boolean"
	       : cJSON_IsNumber(value) ? "number"
	       : cJSON_IsString(value) ? "string"
	       : cJSON_IsArray(value)  ? "array"
				       : "object";
}

static bool has_type(const cJSON *value, const char *name) {
	if (strcmp(name, "integer") == 0) {
		return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
	}
	return strcmp(type_of(value), name) == 0;
}

static bool check_type(struct check *check, const cJSON *type, const cJSON *value) {
	const cJSON *one = cJSON_IsArray(type) ? type->child : type;
	cleanup_buf struct buf names = {0};
	for (; one != NULL; one = cJSON_IsArray(type) ? one->next : NULL) {
		if (cJSON_IsString(one) && has_type(value, one->valuestring)) {
			return true;
		}
		buf_add_format(&names, "%s%s", names.size > 0 ? " or " : "",
				cJSON_IsString(one) ? one->valuestring : "?");
	}
	return wrong(check, "is of type %s, must be %s", type_of(value), buf_string(&names));
}

/* ---- numbers, strings ---- */

static bool number_of(const cJSON *schema, const char *name, double *ret) {
	const cJSON *limit = cJSON_GetObjectItemCaseSensitive(schema, name);
	*ret = cJSON_IsNumber(limit) ? limit->valuedouble : 0;
	return cJSON_IsNumber(limit);
}

static bool check_number(struct check *check, const cJSON *schema, double value) {
	double limit;
	if (number_of(schema, "minimum", &limit) && value < limit) {
		return wrong(check, "%.15g is below the minimum %.15g", value, limit);
	}
	if (number_of(schema, "maximum", &limit) && value > limit) {
		return wrong(check, "%.15g is above the maximum %.15g", value, limit);
	}
	if (number_of(schema, "exclusiveMinimum", &limit) && value <= limit) {
		return wrong(check, "%.15g isn't above %.15g", value, limit);
	}
	if (number_of(schema, "exclusiveMaximum", &limit) && value >= limit) {
		return wrong(check, "%.15g isn't below %.15g", value, limit);
	}
	if (number_of(schema, "multipleOf", &limit) && limit > 0) {
		double quotient = value / limit;
		if (fabs(quotient - round(quotient)) > 1e-9 * fmax(1, fabs(quotient))) {
			return wrong(check, "%.15g isn't a multiple of %.15g", value, limit);
		}
	}
	return true;
}

static bool check_count(struct check *check, const cJSON *schema, const char *least_name,
		const char *most_name, size_t n, const char *what) {
	double limit;
	if (number_of(schema, least_name, &limit) && (double)n < limit) {
		return wrong(check, "has %zu %s, must have at least %.15g", n, what, limit);
	}
	if (number_of(schema, most_name, &limit) && (double)n > limit) {
		return wrong(check, "has %zu %s, must have at most %.15g", n, what, limit);
	}
	return true;
}

static size_t characters(const char *text) {
	size_t n = 0;
	for (; *text != '\0'; text++) {
		n += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return n;
}

/* ---- arrays, objects ---- */

static bool check_unique(struct check *check, const cJSON *value) {
	for (const cJSON *a = value->child; a != NULL; a = a->next) {
		for (const cJSON *b = a->next; b != NULL; b = b->next) {
			if (++check->steps > STEPS_MOST) {
				check->exceeded = true;
				return false;
			}
			if (cJSON_Compare(a, b, true)) {
				return wrong(check, "holds a value twice");
			}
		}
	}
	return true;
}

static bool check_array(struct check *check, const cJSON *schema, const cJSON *value) {
	const cJSON *items = cJSON_GetObjectItemCaseSensitive(schema, "items");
	const cJSON *prefix = cJSON_GetObjectItemCaseSensitive(schema, "prefixItems");
	if (cJSON_IsArray(items)) {
		/* As drafts before 2020-12 had it. */
		prefix = items;
		items = cJSON_GetObjectItemCaseSensitive(schema, "additionalItems");
	}
	const cJSON *in_prefix = prefix != NULL ? prefix->child : NULL;
	size_t i = 0;
	for (const cJSON *item = value->child; item != NULL; item = item->next, i++) {
		char name[32];
		const cJSON *one = in_prefix != NULL ? in_prefix : items;
		snprintf(name, sizeof(name), "%zu", i);
		if (one != NULL && !below(check, one, item, name)) {
			return false;
		}
		in_prefix = in_prefix != NULL ? in_prefix->next : NULL;
	}
	const cJSON *unique = cJSON_GetObjectItemCaseSensitive(schema, "uniqueItems");
	return check_count(check, schema, "minItems", "maxItems", i, "items") &&
	       (!cJSON_IsTrue(unique) || check_unique(check, value));
}

static bool check_object(struct check *check, const cJSON *schema, const cJSON *value) {
	const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
	const cJSON *required = cJSON_GetObjectItemCaseSensitive(schema, "required");
	const cJSON *others = cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties");
	size_t n = 0;
	for (const cJSON *name = required != NULL ? required->child : NULL; name != NULL;
			name = name->next) {
		if (cJSON_IsString(name) && cJSON_GetObjectItemCaseSensitive(
							    value, name->valuestring) == NULL) {
			return wrong(check, "lacks '%.64s'", name->valuestring);
		}
	}
	for (const cJSON *member = value->child; member != NULL; member = member->next, n++) {
		const cJSON *own = cJSON_GetObjectItemCaseSensitive(properties, member->string);
		if (own == NULL && cJSON_IsFalse(others)) {
			return wrong(check, "has '%.64s', which the schema doesn't know",
					member->string);
		}
		const cJSON *one = own != NULL ? own : others;
		if (one != NULL && !below(check, one, member, member->string)) {
			return false;
		}
	}
	return check_count(check, schema, "minProperties", "maxProperties", n, "members");
}

/* ---- combinations and references ---- */

static size_t count_allowing(struct check *check, const cJSON *schemas, const cJSON *value) {
	size_t n = 0;
	for (const cJSON *one = schemas->child; one != NULL; one = one->next) {
		n += allows(check, one, value);
	}
	return n;
}

static bool check_combined(struct check *check, const cJSON *schema, const cJSON *value) {
	const cJSON *any = cJSON_GetObjectItemCaseSensitive(schema, "anyOf");
	const cJSON *one = cJSON_GetObjectItemCaseSensitive(schema, "oneOf");
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(schema, "allOf");
	const cJSON *not = cJSON_GetObjectItemCaseSensitive(schema, "not");
	if (cJSON_IsArray(any) && count_allowing(check, any, value) == 0) {
		return wrong(check, "fits none of the %d forms of anyOf", cJSON_GetArraySize(any));
	}
	size_t fits = cJSON_IsArray(one) ? count_allowing(check, one, value) : 1;
	if (fits != 1) {
		return wrong(check, "fits %zu of the %d forms of oneOf, must fit one", fits,
				cJSON_GetArraySize(one));
	}
	for (const cJSON *each = all != NULL ? all->child : NULL; each != NULL; each = each->next) {
		if (!check_value(check, each, value)) {
			return false;
		}
	}
	return not == NULL || !allows(check, not, value) ||
	       wrong(check, "fits what `not` excludes");
}

static bool check_reference(struct check *check, const cJSON *schema, const cJSON *value) {
	const cJSON *reference = cJSON_GetObjectItemCaseSensitive(schema, "$ref");
	if (!cJSON_IsString(reference)) {
		return true;
	}
	const cJSON *there = json_schema_resolve(check->root, reference->valuestring);
	return there != NULL ? check_value(check, there, value)
			     : wrong(check, "the schema's $ref '%.64s' leads nowhere",
					       reference->valuestring);
}

static bool check_listed(struct check *check, const cJSON *schema, const cJSON *value) {
	const cJSON *only = cJSON_GetObjectItemCaseSensitive(schema, "const");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(schema, "enum");
	if (only != NULL && !cJSON_Compare(only, value, true)) {
		return wrong(check, "isn't the value of `const`");
	}
	const cJSON *one = cJSON_IsArray(list) ? list->child : NULL;
	while (one != NULL && !cJSON_Compare(one, value, true)) {
		one = one->next;
	}
	return !cJSON_IsArray(list) || one != NULL ||
	       wrong(check, "isn't among the values of enum");
}

static bool check_members(struct check *check, const cJSON *schema, const cJSON *value) {
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
	if ((type != NULL && !check_type(check, type, value)) ||
			!check_listed(check, schema, value) ||
			!check_reference(check, schema, value) ||
			!check_combined(check, schema, value)) {
		return false;
	}
	if (cJSON_IsNumber(value)) {
		return check_number(check, schema, value->valuedouble);
	}
	if (cJSON_IsString(value)) {
		return check_count(check, schema, "minLength", "maxLength",
				characters(value->valuestring), "characters");
	}
	return cJSON_IsArray(value)    ? check_array(check, schema, value)
	       : cJSON_IsObject(value) ? check_object(check, schema, value)
				       : true;
}

static bool check_value(struct check *check, const cJSON *schema, const cJSON *value) {
	if (cJSON_IsBool(schema)) {
		return cJSON_IsTrue(schema) || wrong(check, "nothing is allowed here");
	}
	if (++check->steps > STEPS_MOST || check->depth >= JSON_SCHEMA_DEPTH_MOST) {
		check->exceeded = true;
		return false;
	}
	check->depth++;
	bool right = check_members(check, schema, value);
	check->depth--;
	return right && !check->exceeded;
}

/* ---- the whole ---- */

bool json_schema_check(const char *schema_text, const char *text, size_t size, struct fail *fail) {
	cJSON *schema = cJSON_Parse(schema_text);
	const char *end = NULL;
	bool nul = memchr(text, '\0', size) != NULL;
	cJSON *value = nul ? NULL : cJSON_ParseWithLengthOpts(text, size, &end, false);
	size_t rest = value != NULL ? size - (size_t)(end - text) : 0;
	for (; rest > 0 && strchr(" \t\r\n", text[size - rest]) != NULL; rest--) {
	}
	struct check check = {.root = schema, .fail = fail, .path = {.limit = 4096}};
	bool right = false;
	if (schema == NULL) {
		fail_set(fail, EINVAL, "config/schema isn't JSON");
	} else if (value == NULL || rest > 0) {
		fail_set(fail, EPROTO,
				"the output doesn't conform to config/schema: it isn't one "
				"JSON value");
	} else {
		right = check_value(&check, schema, value);
	}
	if (check.exceeded) {
		fail_set(fail, EPROTO,
				"the output can't be checked against config/schema: it takes "
				"more than %d steps, or %d levels",
				STEPS_MOST, JSON_SCHEMA_DEPTH_MOST);
		right = false;
	}
	buf_finish(&check.path);
	cJSON_Delete(value);
	cJSON_Delete(schema);
	return right;
}
