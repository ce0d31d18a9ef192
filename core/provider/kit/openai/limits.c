/* Limits out of a list's entry: see limits.h. */
#include "core/provider/kit/openai/limits.h"

#include <stdlib.h>
#include <string.h>

static struct conduit_limit *find(struct openai_limits *limits, const char *name) {
	for (size_t i = 0; i < limits->n; i++) {
		if (strcmp(limits->list[i].name, name) == 0) {
			return &limits->list[i];
		}
	}
	return NULL;
}

/* {"temperature":1,"top_p":0.95,"top_k":null} */
static void read_defaults(const struct conduit_json *entry, struct openai_limits *ret) {
	const struct conduit_json *each = conduit_json_first(
			conduit_json_get(entry, "default_parameters"));
	for (; each != NULL && ret->n < OPENAI_LIMITS_MOST; each = conduit_json_next(each)) {
		char *value = conduit_json_type(each, NULL) == CONDUIT_JSON_NUMBER
					      ? conduit_json_print(each)
					      : NULL;
		if (value != NULL && conduit_json_name(each) != NULL &&
				find(ret, conduit_json_name(each)) == NULL) {
			ret->standards[ret->n] = value;
			ret->list[ret->n++] = (struct conduit_limit){
					.name = conduit_json_name(each), .standard = value};
		} else {
			free(value);
		}
	}
}

static void read_voices(const struct conduit_json *entry, struct openai_limits *ret) {
	const struct conduit_json *each = conduit_json_first(
			conduit_json_get(entry, "supported_voices"));
	for (; each != NULL; each = conduit_json_next(each)) {
		const char *voice = conduit_json_string(each, NULL);
		if (voice != NULL && voice[0] != '\0') {
			buf_add_format(&ret->voices, "%s\n", voice);
		}
	}
	if (ret->voices.size != 0 && !ret->voices.failed && ret->n < OPENAI_LIMITS_MOST &&
			find(ret, "voice") == NULL) {
		ret->list[ret->n++] = (struct conduit_limit){
				.name = "voice", .choices = ret->voices.data};
	}
}

void openai_limits_add(const struct conduit_json *entry, struct conduit_model *model,
		struct openai_limits *limits) {
	for (size_t i = 0; i < model->n_limits && limits->n < OPENAI_LIMITS_MOST; i++) {
		limits->list[limits->n++] = model->limits[i];
	}
	limits->voices.limit = (size_t)32 << 10;
	read_voices(entry, limits);
	read_defaults(entry, limits);
	model->limits = limits->list;
	model->n_limits = limits->n;
}

void openai_limits_finish(struct openai_limits *limits) {
	for (size_t i = 0; i < limits->n; i++) {
		free(limits->standards[i]);
	}
	buf_finish(&limits->voices);
}
