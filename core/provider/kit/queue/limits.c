/* What a JSON schema says of a model's settings: see queue.h. Schemas are written by whoever made
 * the model: a choice or a range is taken only where it is plain what it means. */
#include <conduit/kit/queue.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/provider/kit/json/object_forms.h"
#include "core/provider/kit/queue/settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Schemas that are looked at for one property: they may refer to each other in circles. */
#define VISITS_MOST 64
/* A list of choices with more isn't told, since a part of one would forbid what may be. */
#define CHOICES_MOST 1024
#define CHOICES_BYTES ((size_t)16 << 10)
#define DEFAULT_BYTES 256

/* What the schemas of one property have said so far. */
struct said {
	const struct conduit_json *schemas;
	bool number; /* the setting is one */
	double least, most;
	struct buf choices;
	size_t n_choices;
	bool open; /* there are values beside the choices */
	const struct conduit_json *standard;
	int visits;
};

/* The first element of a member that is an array. */
static const struct conduit_json *first_of(const struct conduit_json *schema, const char *name) {
	const struct conduit_json *list = conduit_json_get(schema, name);
	return conduit_json_type(list, NULL) == CONDUIT_JSON_ARRAY ? conduit_json_first(list)
								   : NULL;
}

/* Whether one more schema may be looked at. */
static bool visit(struct said *said) {
	said->visits += said->visits <= VISITS_MOST;
	return said->visits <= VISITS_MOST;
}

static const struct conduit_json *resolved(struct said *said, const struct conduit_json *schema) {
	static const char prefix[] = "#/components/schemas/";
	while (schema != NULL && visit(said)) {
		const char *to = conduit_json_string(queue_property(schema, "$ref"), NULL);
		if (to == NULL) {
			return schema;
		}
		schema = starts_with(to, prefix)
					 ? queue_property(said->schemas, to + strlen(prefix))
					 : NULL;
	}
	return NULL;
}

/* A string or number as a setting's value: one line, and a number where the setting is one. */
static bool value_of(const struct said *said, const struct conduit_json *json, struct buf *ret) {
	double number;
	if (conduit_json_number(json, NULL, &number)) {
		char text[32];
		snprintf(text, sizeof(text), "%.15g", number);
		return buf_add_format(
				ret, strtod(text, NULL) == number ? "%.15g" : "%.17g", number);
	}
	const char *text = conduit_json_string(json, NULL);
	if (text == NULL || text[0] == '\0' || (said->number && !form_is_number(text))) {
		return false;
	}
	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			return false;
		}
	}
	return strcmp(text, "*") != 0 && buf_add_string(ret, text);
}

/* What a number can't be isn't a choice of it ("auto"); of others a choice that has no place on a
 * line leaves the list open. */
static void add_choices(struct said *said, const struct conduit_json *at) {
	for (; at != NULL; at = conduit_json_next(at)) {
		cleanup_buf struct buf value = {.limit = CHOICES_BYTES};
		const char *text = conduit_json_string(at, NULL);
		if (value_of(said, at, &value)) {
			said->n_choices++;
			buf_add_format(&said->choices, "%s%s", said->choices.size != 0 ? "\n" : "",
					buf_string(&value));
		} else {
			said->open = said->open ||
				     (!said->number && text != NULL && text[0] != '\0');
		}
	}
}

static void add_range(struct said *said, const struct conduit_json *schema) {
	double bound;
	if (conduit_json_number(schema, "minimum", &bound) ||
			conduit_json_number(schema, "exclusiveMinimum", &bound)) {
		said->least = bound;
	}
	if (conduit_json_number(schema, "maximum", &bound) ||
			conduit_json_number(schema, "exclusiveMaximum", &bound)) {
		said->most = bound;
	}
}

/* A setting is neither of these. */
static bool is_value(const struct conduit_json *schema) {
	const char *type = conduit_json_string(schema, "type");
	return schema != NULL &&
	       (type == NULL || (strcmp(type, "null") != 0 && strcmp(type, "object") != 0 &&
						strcmp(type, "array") != 0));
}

static void add_schema(struct said *said, const struct conduit_json *schema);

/* Of several alternatives no range holds, and the choices of all. */
static void add_alternatives(struct said *said, const struct conduit_json *at) {
	const struct conduit_json *values[VISITS_MOST];
	size_t n = 0;
	for (; at != NULL && said->visits < VISITS_MOST; at = conduit_json_next(at)) {
		const struct conduit_json *one = resolved(said, at);
		if (is_value(one)) {
			values[n++] = one;
		}
	}
	if (n == 1) {
		add_schema(said, values[0]);
	}
	for (size_t i = 0; n > 1 && i < n; i++) {
		const struct conduit_json *choices = first_of(values[i], "enum");
		said->open = said->open || choices == NULL;
		add_choices(said, choices);
	}
}

static void add_schema(struct said *said, const struct conduit_json *schema) {
	schema = resolved(said, schema);
	if (!is_value(schema)) {
		return;
	}
	const struct conduit_json *standard = conduit_json_get(schema, "default");
	said->standard = said->standard == NULL ? standard : said->standard;
	add_range(said, schema);
	add_choices(said, first_of(schema, "enum"));
	add_alternatives(said, first_of(schema, "anyOf"));
	add_alternatives(said, first_of(schema, "oneOf"));
	for (const struct conduit_json *at = first_of(schema, "allOf");
			at != NULL && said->visits < VISITS_MOST; at = conduit_json_next(at)) {
		add_schema(said, at);
	}
}

/* ---- as a limit ---- */

static bool is_choice(const char *choices, const char *value) {
	size_t length = strlen(value);
	for (const char *at = choices; *at != '\0'; at += strspn(at, "\n")) {
		size_t line = strcspn(at, "\n");
		if (line == length && memcmp(at, value, length) == 0) {
			return true;
		}
		at += line;
	}
	return false;
}

/* The default, where the setting takes it. */
static char *standard_of(const struct said *said, const char *choices) {
	cleanup_buf struct buf value = {.limit = DEFAULT_BYTES};
	if (!value_of(said, said->standard, &value)) {
		return NULL;
	}
	double number = said->number ? strtod(buf_string(&value), NULL) : 0;
	if (number < said->least || number > said->most ||
			(choices != NULL && !said->open &&
					!is_choice(choices, buf_string(&value)))) {
		return NULL;
	}
	return buf_take(&value);
}

static char *choices_of(struct said *said) {
	if (said->n_choices == 0 || said->n_choices > CHOICES_MOST || said->choices.failed) {
		return NULL;
	}
	buf_add_string(&said->choices, said->open ? "\n*" : "");
	return said->choices.failed ? NULL : buf_take(&said->choices);
}

static bool limit_of(const struct queue_setting *setting, const struct conduit_json *property,
		const struct conduit_json *schemas, struct conduit_limit *ret) {
	struct said said = {.schemas = schemas,
			.number = setting->form == CONDUIT_FORM_NUMBER,
			.least = -INFINITY,
			.most = INFINITY,
			.choices = {.limit = CHOICES_BYTES}};
	add_schema(&said, property);
	said.open = said.open ||
		    (strcmp(setting->setting, "size") == 0 && queue_takes_object(property));
	if (said.visits >= VISITS_MOST) {
		buf_finish(&said.choices);
		return false;
	}
	if (!said.number || said.least > said.most) {
		said.least = -INFINITY;
		said.most = INFINITY;
	}
	char *choices = choices_of(&said);
	/* max_tokens is always sent, so that the service's own never holds. */
	bool sent = strcmp(setting->setting, "max_tokens") == 0;
	*ret = (struct conduit_limit){.name = setting->setting,
			.least = isinf(said.least) ? NAN : said.least,
			.most = isinf(said.most) ? NAN : said.most,
			.choices = choices,
			.standard = sent ? NULL : standard_of(&said, choices)};
	buf_finish(&said.choices);
	return choices != NULL || ret->standard != NULL || !isnan(ret->least) || !isnan(ret->most);
}

struct conduit_limit *conduit_queue_limits(
		const struct conduit_json *schema, const struct conduit_json *schemas, size_t *n) {
	struct conduit_limit *ret = calloc(n_queue_settings, sizeof(*ret));
	*n = 0;
	for (size_t i = 0; ret != NULL && i < n_queue_settings; i++) {
		const struct conduit_json *found = queue_setting_property(
				&queue_settings[i], schema);
		*n += found != NULL && limit_of(&queue_settings[i], found, schemas, &ret[*n]);
	}
	if (*n == 0) {
		free(ret);
		ret = NULL;
	}
	return ret;
}

void conduit_queue_limits_free(struct conduit_limit *limits, size_t n) {
	for (size_t i = 0; i < n; i++) {
		free((char *)limits[i].choices);
		free((char *)limits[i].standard);
	}
	free(limits);
}
