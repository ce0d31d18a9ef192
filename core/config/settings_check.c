/* Checking a setting's value: see setting_check in settings.h. Each check gets the text without
 * blanks at its ends (TEXT and LINES: as it is written) and gives the value to keep, or NULL with
 * words. */
#include "core/config/settings.h"

#include "core/base/text.h"
#include "core/config/config.h"
#include "core/config/json_schema.h"
#include "core/config/settings_private.h"
#include "core/config/yaml/json_lexeme.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/* How much of a wrong value is repeated in words. */
#define SHOWN_MOST 60

/* Longer whole numbers than any seed. */
#define DIGITS_MOST 40

struct shown {
	char text[SHOWN_MOST + 8];
};

/* The value for words: one line, cut. */
static struct shown shown(const char *text) {
	struct shown ret = {0};
	size_t length = strlen(text), kept = utf8_cut(text, length, SHOWN_MOST);
	memcpy(ret.text, text, kept);
	for (size_t i = 0; i < kept; i++) {
		if ((unsigned char)ret.text[i] < 0x20 || ret.text[i] == 0x7f) {
			ret.text[i] = ' ';
		}
	}
	if (kept < length) {
		memcpy(ret.text + kept, "…", sizeof("…"));
	}
	return ret;
}

char *setting_refuse(struct fail *fail, int code, const struct setting_spec *spec, const char *text,
		const char *what) {
	fail_set(fail, code, "%s: '%s' %s", spec->name, shown(text).text, what);
	return NULL;
}

static char *refuse_range(struct fail *fail, const struct setting_spec *spec, const char *text) {
	const struct shown cut = shown(text);
	const char *value = cut.text;
	if (isinf(spec->most)) {
		fail_set(fail, ERANGE, "%s: %s is below %.10g", spec->name, value, spec->least);
	} else if (isinf(spec->least)) {
		fail_set(fail, ERANGE, "%s: %s is above %.10g", spec->name, value, spec->most);
	} else {
		fail_set(fail, ERANGE, "%s: %s is outside %.10g to %.10g", spec->name, value,
				spec->least, spec->most);
	}
	return NULL;
}

/* The shortest decimal that reads back as the same double; valid as a JSON number too. */
static char *number_text(double value) {
	char text[32];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value == 0 ? 0.0 : value);
		if (strtod(text, NULL) == value) {
			break;
		}
	}
	return strdup(text);
}

static char *check_number(const struct setting_spec *spec, const char *text, struct fail *fail) {
	double value = 0;
	/* Decimal only: strtod takes hexadecimal as well. */
	if (text[strspn(text, "0123456789+-.eE")] != '\0' || !parse_double(text, &value)) {
		return setting_refuse(fail, EINVAL, spec, text, "is not a number");
	}
	if (value < spec->least || value > spec->most) {
		return refuse_range(fail, spec, text);
	}
	return number_text(value);
}

static char *check_integer(const struct setting_spec *spec, const char *text, struct fail *fail) {
	bool negative = text[0] == '-';
	const char *digits = text + (negative || text[0] == '+');
	size_t length = strlen(digits);
	if (length == 0 || strspn(digits, "0123456789") != length) {
		return setting_refuse(fail, EINVAL, spec, text, "is not a whole number");
	}
	while (digits[0] == '0' && digits[1] != '\0') {
		digits++;
	}
	if (strlen(digits) > DIGITS_MOST) {
		return setting_refuse(fail, ERANGE, spec, text, "has too many digits");
	}
	double value = strtod(text, NULL);
	if (value < spec->least || value > spec->most) {
		return refuse_range(fail, spec, text);
	}
	char *ret = NULL;
	return asprintf(&ret, "%s%s", negative && digits[0] != '0' ? "-" : "", digits) >= 0 ? ret
											    : NULL;
}

static char *check_seconds(const struct setting_spec *spec, const char *text, struct fail *fail) {
	double value = 0;
	if (!parse_duration(text, &value)) {
		return setting_refuse(fail, EINVAL, spec, text,
				"is not a time: write seconds, or 30s, 10m, 1h, 1d");
	}
	if (value < spec->least || value > spec->most) {
		return refuse_range(fail, spec, text);
	}
	return number_text(value);
}

static char *check_choice(const struct setting_spec *spec, const char *text, struct fail *fail) {
	cleanup_buf struct buf known = {0};
	for (const char *const *choice = spec->choices; *choice != NULL; choice++) {
		if (strcasecmp(*choice, text) == 0) {
			return strdup(*choice);
		}
		buf_add_format(&known, "%s%s", known.size > 0 ? ", " : "is none of ", *choice);
	}
	return setting_refuse(fail, EINVAL, spec, text, buf_string(&known));
}

static char *check_bool(const struct setting_spec *spec, const char *text, struct fail *fail) {
	static const char *const words[] = {"yes", "no", "true", "false", "on", "off", "1", "0"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			return strdup(i % 2 == 0 ? "yes" : "no");
		}
	}
	return setting_refuse(fail, EINVAL, spec, text, "is neither yes nor no");
}

/* Lines without those that are empty; each ends with a newline, the last one excepted. */
static char *check_lines(const char *text) {
	cleanup_buf struct buf kept = {0};
	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		size_t size = length - (length > 0 && line[length - 1] == '\r');
		if (size > 0) {
			buf_add(&kept, "\n", kept.size > 0 ? 1 : 0);
			buf_add(&kept, line, size);
		}
		line += length + (line[length] == '\n');
	}
	return buf_take(&kept);
}

static char *check_word(const struct setting_spec *spec, const char *text, struct fail *fail) {
	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			return setting_refuse(
					fail, EINVAL, spec, text, "is not a single line of text");
		}
	}
	return strdup(text);
}

static bool is_choice(const struct setting_spec *spec, const char *text) {
	for (const char *const *choice = spec->choices; choice != NULL && *choice != NULL;
			choice++) {
		if (strcmp(*choice, text) == 0) {
			return true;
		}
	}
	return false;
}

static char *check_json(const struct setting_spec *spec, const char *text, struct fail *fail) {
	if (is_choice(spec, text)) {
		char *word = NULL;
		return asprintf(&word, "\"%s\"", text) >= 0 ? word : NULL;
	}
	const char *wrong = text;
	cJSON *json = cJSON_ParseWithOpts(text, &wrong, true);
	const char *lax = json != NULL ? json_lax_part(text) : NULL;
	if (json == NULL || lax != NULL) {
		wrong = lax != NULL ? lax : wrong;
		fail_set(fail, EINVAL, "%s: not JSON from byte %zu on: '%s'", spec->name,
				(size_t)(wrong - text) + 1, shown(wrong).text);
		cJSON_Delete(json);
		return NULL;
	}
	bool object = cJSON_IsObject(json), array = cJSON_IsArray(json);
	cJSON_Delete(json);
	if (spec->type == SETTING_OBJECT && !object) {
		return setting_refuse(fail, EINVAL, spec, text,
				"is not a JSON object: {\"name\": value}");
	}
	if (spec->type == SETTING_ARRAY && !array) {
		return setting_refuse(
				fail, EINVAL, spec, text, "is not a JSON array: [value, value]");
	}
	if (strcmp(spec->name, "schema") == 0 && !json_schema_valid(text, fail)) {
		return NULL;
	}
	return strdup(text);
}

static bool keeps_blanks(const struct setting_spec *spec) {
	return spec->type == SETTING_TEXT || spec->type == SETTING_LINES;
}

/* A copy without what doesn't count at the ends. */
static char *reduced(const struct setting_spec *spec, const char *text, size_t size) {
	if (keeps_blanks(spec)) {
		return strndup(text, size - (size > 0 && text[size - 1] == '\n'));
	}
	return trimmed(text, size);
}

bool setting_is_empty(int index, const char *text, size_t size) {
	const struct setting_spec *spec = &setting_specs[index];
	if (spec->type == SETTING_TEXT) {
		return size == 0 || (size == 1 && text[0] == '\n');
	}
	for (size_t i = 0; i < size; i++) {
		if (strchr(spec->type == SETTING_LINES ? "\r\n" : " \t\r\n\f\v", text[i]) == NULL ||
				text[i] == '\0') {
			return false;
		}
	}
	return true;
}

char *setting_check_type(const struct setting_spec *spec, const char *text, struct fail *fail) {
	switch (spec->type) {
	case SETTING_TEXT:
		return strdup(text);
	case SETTING_NUMBER:
		return check_number(spec, text, fail);
	case SETTING_INTEGER:
		return check_integer(spec, text, fail);
	case SETTING_SECONDS:
		return check_seconds(spec, text, fail);
	case SETTING_CHOICE:
		return check_choice(spec, text, fail);
	case SETTING_WORD:
		return check_word(spec, text, fail);
	case SETTING_BOOL:
		return check_bool(spec, text, fail);
	case SETTING_LINES:
		return check_lines(text);
	case SETTING_JSON:
	case SETTING_OBJECT:
	case SETTING_ARRAY:
		return check_json(spec, text, fail);
	}
	return NULL;
}

char *setting_check_within(int index, const struct limit *limit, const char *text, size_t size,
		struct fail *fail) {
	const struct setting_spec *spec = &setting_specs[index];
	if (size > SETTING_MOST) {
		fail_set(fail, EFBIG, "%s: %zu bytes, at most %zu are accepted", spec->name, size,
				SETTING_MOST);
		return NULL;
	}
	if (setting_is_empty(index, text, size)) {
		fail_set(fail, EINVAL, "%s: nothing but blanks was written", spec->name);
		return NULL;
	}
	if (memchr(text, '\0', size) != NULL || !utf8_valid(text, size)) {
		fail_set(fail, EINVAL, "%s: holds a NUL byte or bytes that aren't UTF-8",
				spec->name);
		return NULL;
	}
	cleanup_fail struct fail found = {0};
	cleanup_free char *copy = reduced(spec, text, size);
	char *value = copy == NULL    ? NULL
		      : limit != NULL ? setting_check_limit(spec, limit, copy, &found)
				      : setting_check_type(spec, copy, &found);
	if (value == NULL && found.code == 0) {
		fail_set(fail, ENOMEM, "%s: no memory to check it", spec->name);
	} else if (value == NULL) {
		fail_set(fail, found.code, "%s", fail_words(&found));
	}
	return value;
}

char *setting_check(int index, const char *text, size_t size, struct fail *fail) {
	return setting_check_within(index, NULL, text, size, fail);
}
