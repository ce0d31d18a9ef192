/* A prompt as lines: see prompt_lines.h. */
#include "core/provider/kit/prompt_lines.h"

#include "core/base/text.h"

#include <string.h>

static void fail(struct conduit_job *job, enum conduit_kind kind, const char *words) {
	conduit_fail(job, &(struct conduit_failure){.kind = kind, .words = words});
}

const struct conduit_part *prompt_part(
		struct conduit_job *job, const struct conduit_turn *turn, const char *purpose) {
	const struct conduit_message *last = turn->n_messages != 0
							     ? &turn->messages[turn->n_messages - 1]
							     : NULL;
	if (last != NULL && last->n_parts == 1 && starts_with(last->parts[0].type, "text/")) {
		return &last->parts[0];
	}
	cleanup_buf struct buf words = {0};
	buf_add_format(&words, "%s are made of a text alone: send one, without attachments",
			purpose);
	fail(job, CONDUIT_FAIL_INVALID, buf_string(&words));
	return NULL;
}

static bool take_line(void *data, const char *line, size_t size) {
	struct prompt_lines *prompt = data;
	if (prompt->n == prompt->capacity) {
		size_t capacity = prompt->capacity != 0 ? prompt->capacity * 2 : 64;
		struct prompt_line *lines = reallocarray(prompt->lines, capacity, sizeof(*lines));
		if (lines == NULL) {
			return false;
		}
		prompt->lines = lines;
		prompt->capacity = capacity;
	}
	if (size != 0 && line[size - 1] == '\r') {
		size--;
	}
	prompt->lines[prompt->n++] = (struct prompt_line){prompt->text.size, size};
	return buf_add(&prompt->text, line, size);
}

/* What a request needs of the turn, which ends with its callback. */
static bool keep_turn(struct prompt_lines *prompt, const struct conduit_turn *turn) {
	const char *extra = conduit_setting(turn, "extra");
	prompt->turn.model = strdup(turn->model);
	if (extra != NULL) {
		prompt->extra = (struct conduit_setting){
				.name = "extra", .value = strdup(extra), .size = strlen(extra)};
		prompt->turn.settings = &prompt->extra;
		prompt->turn.n_settings = 1;
	}
	return prompt->turn.model != NULL && (extra == NULL || prompt->extra.value != NULL);
}

bool prompt_lines_begin(struct prompt_lines *prompt, struct conduit_job *job,
		const struct conduit_turn *turn, const char *purpose, size_t most) {
	const struct conduit_part *part = prompt_part(job, turn, purpose);
	if (part == NULL) {
		return false;
	}
	if (part->bytes > most) {
		cleanup_buf struct buf words = {0};
		buf_add_format(&words,
				"the prompt has %llu bytes, and %s are made of at most %zu: split "
				"it",
				(unsigned long long)part->bytes, purpose, most);
		fail(job, CONDUIT_FAIL_TOO_LONG, buf_string(&words));
		return false;
	}
	prompt->text.limit = prompt->cutter.pending.limit = most + 1;
	prompt->cutter.line = take_line;
	prompt->cutter.data = prompt;
	if (!keep_turn(prompt, turn)) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return false;
	}
	conduit_read(job, part->file);
	return true;
}

void prompt_lines_feed(struct prompt_lines *prompt, const char *bytes, size_t size) {
	prompt->failed = prompt->failed || !lines_feed(&prompt->cutter, bytes, size);
}

bool prompt_lines_end(struct prompt_lines *prompt, struct conduit_job *job) {
	if (prompt->failed || !lines_end(&prompt->cutter)) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return false;
	}
	return true;
}

const char *prompt_line_text(const struct prompt_lines *prompt, size_t line) {
	return buf_string(&prompt->text) + prompt->lines[line].start;
}

void prompt_lines_finish(struct prompt_lines *prompt) {
	free((char *)prompt->turn.model);
	free((char *)prompt->extra.value);
	free(prompt->lines);
	lines_finish(&prompt->cutter);
	buf_finish(&prompt->text);
}
