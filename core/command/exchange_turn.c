/* Reading a turn's directory: see exchange_turn.h. */
#include "core/command/exchange_turn.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/provider/replay/exchange_line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Small files: status, usage, error. */
#define SMALL_MOST ((size_t)64 << 10)
/* Turns that a conversation may consist of; an exchange has 256 lines. */
#define CONVERSATION_MOST 100

void recorded_turn_finish(struct recorded_turn *turn) {
	struct buf *bufs[] = {&turn->prompt, &turn->output, &turn->reasoning, &turn->request,
			&turn->response, &turn->status, &turn->usage, &turn->error,
			&turn->conversation};
	exchange_lines_finish(&turn->lines);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++) {
		buf_finish(bufs[i]);
	}
}

char *flat_value(const struct buf *file, const char *key) {
	const char *at = buf_string(file);
	size_t length = strlen(key);
	while (*at != '\0') {
		size_t size = strcspn(at, "\n");
		if (size > length && strncmp(at, key, length) == 0 && at[length] == ' ') {
			char *value = strndup(at + length + 1, size - length - 1);
			if (value != NULL && (strcmp(value, "-") == 0 ||
							     strcmp(value, "unknown") == 0)) {
				value[0] = '\0';
			}
			return value;
		}
		at += size + (at[size] == '\n' ? 1 : 0);
	}
	return strdup("");
}

static bool read_small(
		const char *directory, const char *name, struct buf *ret, struct fail *fail) {
	cleanup_buf struct buf path = {0};
	buf_add_format(&path, "%s/%s", directory, name);
	return file_read(buf_string(&path), SMALL_MOST, ret, fail);
}

/* As many bytes as there are: beyond them a failed turn's output gives its errno. One that isn't
 * there is empty. */
static bool read_data(const char *directory, const char *name, struct buf *ret, struct fail *fail) {
	cleanup_buf struct buf path = {0};
	struct stat about;
	buf_add_format(&path, "%s/%s", directory, name);
	cleanup_close int fd = open(buf_string(&path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT) {
		return true;
	}
	if (fd < 0 || fstat(fd, &about) != 0) {
		return fail_set(fail, errno, "%s: %s", buf_string(&path), strerror(errno));
	}
	size_t size = (size_t)about.st_size;
	char *bytes = size <= EXCHANGE_FILE_MOST ? buf_reserve(ret, size + 1) : NULL;
	if (bytes == NULL) {
		return fail_set(fail, EFBIG, "%s: %zu bytes; of an exchange at most %zu are kept",
				buf_string(&path), size, EXCHANGE_FILE_MOST);
	}
	while (ret->size < size) {
		ssize_t got = read(fd, bytes + ret->size, size - ret->size);
		if (got <= 0) {
			return fail_set(fail, got < 0 ? errno : EIO, "%s: %s", buf_string(&path),
					got < 0 ? strerror(errno) : "it ended early");
		}
		ret->size += (size_t)got;
	}
	bytes[size] = '\0';
	return true;
}

static void drop_newline(struct buf *text) {
	if (text->size != 0 && text->data[text->size - 1] == '\n') {
		text->data[--text->size] = '\0';
	}
}

/* ---- what came before ---- */

/* turns/000012 → turns/NAME, beside it. */
static bool beside(struct buf *out, const char *directory, const char *name) {
	size_t size = strlen(directory);
	while (size > 1 && directory[size - 1] == '/') {
		size--;
	}
	buf_add(out, directory, size);
	return buf_add_format(out, "/../%s", name);
}

static const struct exchange_line *find_line(
		const struct exchange_lines *lines, const char *key, size_t n) {
	for (size_t i = 0; i < lines->n; i++) {
		if (strcmp(lines->lines[i].key, key) == 0 && --n == 0) {
			return &lines->lines[i];
		}
	}
	return NULL;
}

/* What an answer adds to a conversation: its output, or of one that is sound or a picture the first
 * text beside it. */
static bool read_answer(const char *directory, const struct buf *status, struct buf *ret,
		struct fail *fail) {
	cleanup(exchange_lines_finish) struct exchange_lines lines = {0};
	cleanup_buf struct buf path = {0};
	cleanup_free char *type = flat_value(status, "type");
	if (type == NULL || type[0] == '\0' || starts_with(type, "text/")) {
		return read_data(directory, "output", ret, fail);
	}
	buf_add_format(&path, "%s/exchange", directory);
	if (!exchange_lines_read(&lines, buf_string(&path), fail)) {
		return false;
	}
	const struct exchange_line *line;
	for (size_t n = 1; (line = find_line(&lines, "artifact", n)) != NULL; n++) {
		const char *name = strchr(line->value, ' ');
		if (name != NULL && starts_with(line->value, "text/")) {
			buf_clear(&path);
			buf_add_format(&path, "artifacts/%s", name + 1);
			return read_data(directory, buf_string(&path), ret, fail);
		}
	}
	return true;
}

/* Adds the turn before the others: only answered ones are part of a conversation. Sets `ret_above`
 * to the one that it continues, "" for none. */
static bool add_before(struct recorded_turn *turn, const char *directory, char **ret_above,
		struct fail *fail) {
	cleanup_buf struct buf status = {0}, prompt = {0}, output = {0}, lines = {0};
	if (!read_small(directory, "status", &status, fail)) {
		return false;
	}
	*ret_above = flat_value(&status, "continues");
	cleanup_free char *state = flat_value(&status, "state");
	if (state == NULL || strcmp(state, "done") != 0) {
		return true;
	}
	if (!read_data(directory, "prompt", &prompt, fail) ||
			!read_answer(directory, &status, &output, fail)) {
		return false;
	}
	drop_newline(&prompt);
	exchange_line_write(&lines, "user", buf_string(&prompt), prompt.size);
	if (output.size != 0) {
		drop_newline(&output);
		exchange_line_write(&lines, "assistant", buf_string(&output), output.size);
	}
	buf_add(&lines, buf_string(&turn->conversation), turn->conversation.size);
	buf_finish(&turn->conversation);
	turn->conversation = lines;
	lines = (struct buf){0};
	return true;
}

static bool read_conversation(
		struct recorded_turn *turn, const char *directory, struct fail *fail) {
	char *above = flat_value(&turn->status, "continues");
	for (int n = 0; above != NULL && above[0] != '\0'; n++) {
		cleanup_buf struct buf path = {0};
		cleanup_free char *name = take(above);
		beside(&path, directory, name);
		if (n == CONVERSATION_MOST) {
			return fail_set(fail, EFBIG,
					"%s: it continues more than %d turns; record an earlier "
					"one",
					directory, CONVERSATION_MOST);
		}
		if (!add_before(turn, buf_string(&path), &above, fail)) {
			return false;
		}
	}
	free(above);
	return true;
}

/* ---- the turn itself ---- */

const struct exchange_line *recorded_turn_line(
		const struct recorded_turn *turn, const char *key, size_t n) {
	return find_line(&turn->lines, key, n);
}

bool recorded_turn_file(const struct recorded_turn *turn, const char *path, struct buf *ret,
		struct fail *fail) {
	cleanup_buf struct buf whole = {0};
	buf_add_format(&whole, "%s/%s", turn->directory, path);
	return access(buf_string(&whole), F_OK) == 0
			       ? read_data(turn->directory, path, ret, fail)
			       : fail_set(fail, errno, "%s: %s", buf_string(&whole),
						 strerror(errno));
}

static bool may_be_recorded(
		const struct recorded_turn *turn, const char *directory, struct fail *fail) {
	cleanup_free char *state = flat_value(&turn->status, "state");
	if (state == NULL || (strcmp(state, "done") != 0 && strcmp(state, "failed") != 0)) {
		return fail_set(fail, EINVAL,
				"%s: it is %s; only a turn that was answered, or failed, can be "
				"recorded",
				directory, state != NULL ? state : "unknown");
	}
	if (recorded_turn_line(turn, "files_before", 1) != NULL) {
		return fail_set(fail, EINVAL,
				"%s: it goes on from prompts that had files with them, which no "
				"exchange can hold: record a conversation's first turn",
				directory);
	}
	return recorded_turn_line(turn, "broke", 1) == NULL ||
	       fail_set(fail, EINVAL,
			       "%s: it isn't the provider's word that ended it, so there is "
			       "nothing to replay: %s",
			       directory, buf_string(&turn->error));
}

bool recorded_turn_read(struct recorded_turn *ret, const char *directory, struct fail *fail) {
	cleanup_buf struct buf path = {0};
	ret->directory = directory;
	buf_add_format(&path, "%s/exchange", directory);
	if (access(buf_string(&path), F_OK) != 0) {
		return fail_set(fail, ENOENT,
				"%s isn't the directory of a turn whose provider was asked: give "
				"one as mnt/providers/NAME/models/MODEL/turns/000001",
				directory);
	}
	if (!exchange_lines_read(&ret->lines, buf_string(&path), fail) ||
			!read_small(directory, "status", &ret->status, fail) ||
			!read_small(directory, "usage", &ret->usage, fail) ||
			!read_small(directory, "error", &ret->error, fail)) {
		return false;
	}
	drop_newline(&ret->error);
	if (!may_be_recorded(ret, directory, fail) ||
			!read_data(directory, "prompt", &ret->prompt, fail) ||
			!read_data(directory, "output", &ret->output, fail) ||
			!read_data(directory, "reasoning", &ret->reasoning, fail) ||
			!read_data(directory, "request.json", &ret->request, fail) ||
			!read_data(directory, "response", &ret->response, fail)) {
		return false;
	}
	if (recorded_turn_line(ret, "asked", 1) == NULL) {
		drop_newline(&ret->prompt);
	}
	if (recorded_turn_line(ret, "newline", 1) != NULL) {
		drop_newline(&ret->output);
	}
	return read_conversation(ret, directory, fail);
}
