/* Settings as JSON: see object_forms.h. */
#include "core/provider/kit/json/object_forms.h"

#include "core/base/text.h"

#include <conduit/kit/json.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

static size_t digits(const char *text) {
	size_t count = 0;
	while (isdigit((unsigned char)text[count])) {
		count++;
	}
	return count;
}

bool form_is_number(const char *text) {
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

bool form_refuse(struct fail *fail, const char *name, const char *value, const char *what) {
	return fail_set(fail, EINVAL,
			"the setting %s is \"%.200s\", which is no %s: correct config/%s", name,
			value, what, name);
}

static bool put_number(
		struct conduit_body *body, const char *name, const char *value, struct fail *fail) {
	double number;
	if (form_is_number(value)) {
		conduit_body_text(body, value);
		return true;
	}
	if (!parse_double(value, &number)) {
		return form_refuse(fail, name, value, "number");
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
	return form_refuse(fail, name, value, "boolean (true or false)");
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
		return form_refuse(fail, name, value, "JSON");
	}
	return true;
}

bool form_put(struct conduit_body *body, enum conduit_form form, const char *name,
		const char *value, struct fail *fail) {
	switch (form) {
	case CONDUIT_FORM_NUMBER:
		return put_number(body, name, value, fail);
	case CONDUIT_FORM_BOOL:
		return put_bool(body, name, value, fail);
	case CONDUIT_FORM_STRING:
		conduit_body_string(body, value, strlen(value));
		return true;
	case CONDUIT_FORM_LINES:
		put_lines(body, value);
		return true;
	case CONDUIT_FORM_JSON:
	case CONDUIT_FORM_JSON_OR_WORD:
		break;
	}
	return put_json(body, name, value, form == CONDUIT_FORM_JSON_OR_WORD, fail);
}
