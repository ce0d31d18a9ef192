/* Lines of recorded exchanges: see exchange_lines.h. */
#include "core/provider/replay/exchange_lines.h"

#include "core/base/file.h"
#include "core/base/text.h"

#include <conduit/kit/json.h>
#include <errno.h>
#include <string.h>

/* An exchange is read by people: larger is none. */
#define EXCHANGE_MOST ((size_t)1 << 20)

void exchange_lines_finish(struct exchange_lines *lines) {
	for (size_t i = 0; i < lines->n; i++) {
		free(lines->lines[i].key);
		free(lines->lines[i].value);
		buf_finish(&lines->lines[i].file);
	}
	lines->n = 0;
}

/* A value as it stands, or decoded where it is a JSON string. NULL when it is a broken one. */
static char *decode(const char *value) {
	if (value[0] != '"') {
		return trimmed(value, strlen(value));
	}
	struct conduit_json *json = conduit_json_parse(value, strlen(value));
	const char *string = conduit_json_string(json, NULL);
	char *copy = string != NULL ? strdup(string) : NULL;
	conduit_json_free(json);
	return copy;
}

/* The file's name in a line's value: of a reply the last word. NULL when it names none, or one that
 * isn't beside the exchange. */
static const char *file_of(const struct exchange_line *line) {
	const char *name = NULL;
	if (strcmp(line->key, "reply") == 0) {
		const char *type = strchr(line->value, ' ');
		name = type != NULL ? strchr(type + 1, ' ') : NULL;
		name = name != NULL ? name + 1 : "";
	} else if (strcmp(line->key, "attach") == 0 || strcmp(line->key, "artifact") == 0) {
		name = strchr(line->value, ' ');
		name = name != NULL ? name + 1 : "";
	} else if (strcmp(line->key, "prompt_file") == 0 || strcmp(line->key, "output_file") == 0) {
		name = line->value;
	}
	return name;
}

static bool read_named(struct exchange_line *line, const char *path, struct fail *fail) {
	const char *name = file_of(line);
	if (name == NULL) {
		return true;
	}
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
		const char *before = strcmp(line->key, "reply") == 0  ? "a status, a type and "
				     : strchr(line->key, '_') == NULL ? "a type and "
								      : "";
		return fail_set(fail, EINVAL, "%s:%d: %s %s: takes %sa file beside it", path,
				line->number, line->key, line->value, before);
	}
	const char *slash = strrchr(path, '/');
	cleanup_buf struct buf beside = {0};
	buf_add(&beside, path, slash != NULL ? (size_t)(slash - path) + 1 : 0);
	buf_add_string(&beside, name);
	return file_read(buf_string(&beside), EXCHANGE_FILE_MOST, &line->file, fail);
}

static bool add_line(struct exchange_lines *lines, const char *path, int number, const char *text,
		size_t size, struct fail *fail) {
	if (size == 0 || text[0] == '#') {
		return true;
	}
	if (lines->n == EXCHANGE_LINES_MOST) {
		return fail_set(fail, EFBIG, "%s: more than %d lines", path, EXCHANGE_LINES_MOST);
	}
	const char *blank = memchr(text, ' ', size);
	size_t key_size = blank != NULL ? (size_t)(blank - text) : size;
	const char *value = blank != NULL ? blank + 1 : text + size;
	cleanup_free char *raw = strndup(value, size - (size_t)(value - text));
	struct exchange_line *line = &lines->lines[lines->n];
	*line = (struct exchange_line){.number = number, .key = strndup(text, key_size)};
	/* What a request must hold is JSON itself, and isn't decoded. */
	bool verbatim = line->key != NULL && strcmp(line->key, "body") == 0;
	line->value = raw == NULL ? NULL : verbatim ? strdup(raw) : decode(raw);
	lines->n++;
	if (line->key == NULL || line->value == NULL) {
		return fail_set(fail, EINVAL, "%s:%d: the value isn't a JSON string", path, number);
	}
	return true;
}

bool exchange_lines_read(struct exchange_lines *ret, const char *path, struct fail *fail) {
	cleanup_buf struct buf text = {0};
	if (!file_read(path, EXCHANGE_MOST, &text, fail)) {
		return false;
	}
	const char *at = buf_string(&text);
	for (int number = 1; *at != '\0'; number++) {
		size_t size = strcspn(at, "\n");
		if (!add_line(ret, path, number, at, size, fail)) {
			return false;
		}
		at += size + (at[size] == '\n' ? 1 : 0);
	}
	return true;
}

bool exchange_lines_read_named(struct exchange_lines *lines, const char *path, struct fail *fail) {
	for (size_t i = 0; i < lines->n; i++) {
		if (!read_named(&lines->lines[i], path, fail)) {
			return false;
		}
	}
	return true;
}
