/* A turn's settings as members of a chat request, each with its JSON type. */
#include "core/provider/kit/openai_request.h"

#include "core/base/text.h"

#include <conduit/kit/json_items.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

enum form {
	FORM_NUMBER,
	FORM_BOOL,
	FORM_STRING,
	FORM_LINES, /* an array of strings, one a line */
	FORM_JSON,
	FORM_JSON_OR_WORD, /* JSON, or a bare word that becomes a string */
};

static const struct member {
	const char *name; /* of the setting and of the request's member */
	enum form form;
} members[] = {
		{"temperature", FORM_NUMBER},
		{"top_p", FORM_NUMBER},
		{"top_k", FORM_NUMBER},
		{"min_p", FORM_NUMBER},
		{"top_a", FORM_NUMBER},
		{"frequency_penalty", FORM_NUMBER},
		{"presence_penalty", FORM_NUMBER},
		{"repetition_penalty", FORM_NUMBER},
		{"seed", FORM_NUMBER},
		{"max_tokens", FORM_NUMBER},
		{"stop", FORM_LINES},
		{"logit_bias", FORM_JSON},
		{"logprobs", FORM_BOOL},
		{"top_logprobs", FORM_NUMBER},
		{"reasoning_effort", FORM_STRING},
		{"verbosity", FORM_STRING},
		{"tools", FORM_JSON},
		{"tool_choice", FORM_JSON_OR_WORD},
		{"parallel_tool_calls", FORM_BOOL},
};

static size_t digits(const char *text) {
	size_t count = 0;
	while (isdigit((unsigned char)text[count])) {
		count++;
	}
	return count;
}

/* Whether it can stand in JSON as it is: "-0.5e3" yes, ".5", "+1" and "0x1" no (RFC 8259, 6). */
static bool is_json_number(const char *text) {
	text += text[0] == '-' ? 1 : 0;
	size_t whole = digits(text);
	if (whole == 0 || (whole > 1 && text[0] == '0')) {
		return false;
	}
	text += whole;
	if (text[0] == '.') {
		size_t fraction = digits(text + 1);
		if (fraction == 0) {
			return false;
		}
		text += 1 + fraction;
	}
	if (text[0] == 'e' || text[0] == 'E') {
		text += text[1] == '+' || text[1] == '-' ? 2 : 1;
		size_t exponent = digits(text);
		if (exponent == 0) {
			return false;
		}
		text += exponent;
	}
	return text[0] == '\0';
}

static bool refuse(struct fail *fail, const char *name, const char *value, const char *what) {
	return fail_set(fail, EINVAL,
			"the setting %s is \"%.200s\", which is no %s: correct config/%s", name,
			value, what, name);
}

static bool put_number(
		struct conduit_body *body, const char *name, const char *value, struct fail *fail) {
	double number;
	if (is_json_number(value)) {
		conduit_body_text(body, value);
		return true;
	}
	if (!parse_double(value, &number)) {
		return refuse(fail, name, value, "number");
	}
	cleanup_buf struct buf text = {0};
	buf_add_format(&text, "%.17g", number);
	conduit_body_bytes(body, buf_string(&text), text.size);
	return true;
}

static bool put_bool(
		struct conduit_body *body, const char *name, const char *value, struct fail *fail) {
	static const char *const yes[] = {"true", "on", "yes", "1"};
	static const char *const no[] = {"false", "off", "no", "0"};
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
			conduit_body_text(body, strcasecmp(value, yes[i]) == 0 ? "true" : "false");
			return true;
		}
	}
	return refuse(fail, name, value, "boolean (true or false)");
}

static void put_lines(struct conduit_body *body, const char *value) {
	const char *comma = "";
	conduit_body_text(body, "[");
	while (*value != '\0') {
		size_t length = strcspn(value, "\n");
		if (length != 0) {
			conduit_body_text(body, comma);
			conduit_body_string(body, value, length);
			comma = ",";
		}
		value += length + (value[length] == '\n' ? 1 : 0);
	}
	conduit_body_text(body, "]");
}

static bool put_json(struct conduit_body *body, const char *name, const char *value, bool word_too,
		struct fail *fail) {
	struct conduit_json *json = conduit_json_parse(value, strlen(value));
	bool is_json = json != NULL;
	conduit_json_free(json);
	if (is_json) {
		conduit_body_text(body, value);
	} else if (word_too && value[strspn(value, "abcdefghijklmnopqrstuvwxyz_")] == '\0') {
		conduit_body_string(body, value, strlen(value));
	} else {
		return refuse(fail, name, value, "JSON");
	}
	return true;
}

static bool put_value(struct conduit_body *body, const struct member *member, const char *value,
		struct fail *fail) {
	switch (member->form) {
	case FORM_NUMBER:
		return put_number(body, member->name, value, fail);
	case FORM_BOOL:
		return put_bool(body, member->name, value, fail);
	case FORM_STRING:
		conduit_body_string(body, value, strlen(value));
		return true;
	case FORM_LINES:
		put_lines(body, value);
		return true;
	case FORM_JSON:
	case FORM_JSON_OR_WORD:
		break;
	}
	return put_json(body, member->name, value, member->form == FORM_JSON_OR_WORD, fail);
}

/* Structured outputs: the answer keeps to the schema. */
static bool put_schema(struct object *object, const char *value, struct fail *fail) {
	if (!object_member(object, "response_format")) {
		return true;
	}
	struct conduit_json *schema = conduit_json_parse(value, strlen(value));
	bool is_object = conduit_json_type(schema, NULL) == CONDUIT_JSON_OBJECT;
	conduit_json_free(schema);
	if (!is_object) {
		return refuse(fail, "schema", value, "JSON schema (an object)");
	}
	conduit_body_text(object->body, "{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
					"\"output\",\"strict\":true,\"schema\":");
	conduit_body_text(object->body, value);
	conduit_body_text(object->body, "}}");
	return true;
}

static const char *member_name(const struct conduit_openai *dialect, const char *setting) {
	if (strcmp(setting, "max_tokens") == 0 && dialect->max_tokens != NULL) {
		return dialect->max_tokens;
	}
	if (strcmp(setting, "seed") == 0 && dialect->seed != NULL) {
		return dialect->seed;
	}
	return setting;
}

bool openai_settings(struct object *object, const struct conduit_turn *turn,
		const struct conduit_openai *dialect, struct fail *fail) {
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *setting = conduit_setting(turn, members[i].name);
		/* Lines and strings keep the blanks that the user wrote. */
		bool keeps = members[i].form == FORM_LINES;
		cleanup_free char *value = setting == NULL ? NULL
					   : keeps	   ? strdup(setting)
							   : trimmed(setting, strlen(setting));
		if (setting != NULL && value == NULL) {
			return fail_set(fail, ENOMEM, "memory is short");
		}
		if (value == NULL || value[0] == '\0' ||
				!object_member(object, member_name(dialect, members[i].name))) {
			continue;
		}
		if (!put_value(object->body, &members[i], value, fail)) {
			return false;
		}
	}
	const char *schema = conduit_setting(turn, "schema");
	return schema == NULL || schema[strspn(schema, " \t\r\n")] == '\0' ||
	       put_schema(object, schema, fail);
}

static void take_extra(void *data, const char *name, const char *json, size_t size) {
	struct extra *extra = data;
	struct extra_member *grown = reallocarray(
			extra->members, extra->n + 1, sizeof(*extra->members));
	if (grown == NULL) {
		extra->failed = true;
		return;
	}
	extra->members = grown;
	struct extra_member *member = &grown[extra->n++];
	member->name = strdup(name);
	member->json = strndup(json, size);
	extra->failed = extra->failed || member->name == NULL || member->json == NULL;
}

static void no_item(void *data, const char *json, size_t size) {
	(void)data;
	(void)json;
	(void)size;
}

bool openai_extra_read(struct extra *extra, const char *value, struct fail *fail) {
	if (value == NULL || value[strspn(value, " \t\r\n")] == '\0') {
		return true;
	}
	struct conduit_json *json = conduit_json_parse(value, strlen(value));
	bool is_object = conduit_json_type(json, NULL) == CONDUIT_JSON_OBJECT;
	conduit_json_free(json);
	if (!is_object) {
		return refuse(fail, "extra", value, "JSON object");
	}
	/* Taken apart as text, not as a tree, so that a number is sent digit for digit. */
	struct conduit_json_items_calls calls = {
			.item = no_item, .member = take_extra, .data = extra};
	struct conduit_json_items *items = conduit_json_items_create(&calls);
	if (items == NULL || !conduit_json_items_feed(items, value, strlen(value))) {
		extra->failed = true;
	}
	conduit_json_items_destroy(items);
	return !extra->failed || fail_set(fail, ENOMEM, "memory is short");
}

void openai_extra_finish(struct extra *extra) {
	for (size_t i = 0; i < extra->n; i++) {
		free(extra->members[i].name);
		free(extra->members[i].json);
	}
	free(extra->members);
	*extra = (struct extra){0};
}
