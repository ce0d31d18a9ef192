/* Conversations out of turns: see history.h. An imported history is one file, `history`: for each
 * message a line "user SIZE" or "assistant SIZE", then so many bytes of text, then a newline. */
#include "core/turn/history.h"

#include "core/base/text.h"
#include "core/turn/results.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* So many turns are looked at, answered or not. */
#define STEPS_MOST 10000
/* Above the longest line of a history's file. */
#define LINE_MOST 64

static const char user[] = "user ", assistant[] = "assistant ";

void history_finish(struct history *history) {
	free(history->messages);
	*history = (struct history){0};
}

static bool too_long(struct fail *fail) {
	return fail_set(fail, EMSGSIZE,
			"the conversation has more than %d messages: begin another, or shorten a "
			"session's messages.json",
			HISTORY_MOST);
}

/* Grows by half; what is gathered from the newest back is turned round at the end. */
static bool add(struct history *history, const struct history_message *message, size_t *capacity,
		struct fail *fail) {
	if (history->n == HISTORY_MOST) {
		return too_long(fail);
	}
	if (history->n == *capacity) {
		size_t more = *capacity + *capacity / 2 + 16;
		struct history_message *messages = reallocarray(
				history->messages, more, sizeof(*messages));
		if (messages == NULL) {
			return fail_set(fail, ENOMEM, "no memory for a conversation");
		}
		history->messages = messages;
		*capacity = more;
	}
	history->messages[history->n++] = *message;
	history->bytes += message->size;
	return true;
}

/* ---- an imported history ---- */

static bool damaged(const struct turn *turn, struct fail *fail) {
	return fail_set(fail, EIO,
			"the history of turn %06lld can't be read in the state directory",
			(long long)turn->row.number);
}

/* Reads the line at `offset`; the offset of what follows it, or 0. */
static uint64_t read_line(int fd, uint64_t offset, struct history_message *ret) {
	char line[LINE_MOST];
	int64_t size;
	ssize_t got = pread(fd, line, sizeof(line) - 1, (off_t)offset);
	char *end = got > 0 ? memchr(line, '\n', (size_t)got) : NULL;
	if (end == NULL) {
		return 0;
	}
	*end = '\0';
	ret->answer = starts_with(line, assistant);
	size_t label = ret->answer ? sizeof(assistant) - 1 : sizeof(user) - 1;
	if ((!ret->answer && !starts_with(line, user)) || !parse_int64(line + label, &size) ||
			size < 0) {
		return 0;
	}
	ret->skip = offset + (uint64_t)(end - line) + 1;
	ret->size = (uint64_t)size;
	return ret->skip + ret->size + 1;
}

/* Oldest first, as it lies there. */
static bool read_imported(struct turn *turn, struct history *ret, struct fail *fail) {
	struct history found = {0};
	size_t capacity = 0;
	int fd = turn_open_file(turn, TURN_HISTORY, false);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	uint64_t offset = 0;
	bool read = end >= 0 || damaged(turn, fail);
	while (read && offset < (uint64_t)end) {
		struct history_message message = {.turn = turn->row.id, .file = TURN_HISTORY};
		offset = read_line(fd, offset, &message);
		read = (offset != 0 && offset <= (uint64_t)end) || damaged(turn, fail);
		read = read && add(&found, &message, &capacity, fail);
	}
	if (!read) {
		history_finish(&found);
		return false;
	}
	*ret = found;
	return true;
}

bool history_write(
		struct turn *turn, const struct history_text *texts, size_t n, struct fail *fail) {
	bool written = turn_open_file(turn, TURN_HISTORY, true) >= 0;
	for (size_t i = 0; written && i < n; i++) {
		char line[LINE_MOST];
		int length = snprintf(line, sizeof(line), "%s%zu\n",
				texts[i].answer ? assistant : user, texts[i].size);
		written = turn_file_append(turn, TURN_HISTORY, line, (size_t)length) &&
			  turn_file_append(turn, TURN_HISTORY, texts[i].text, texts[i].size) &&
			  turn_file_append(turn, TURN_HISTORY, "\n", 1);
	}
	int code = errno;
	return written ||
	       fail_set(fail, code, "the history can't be kept in the state directory: %s",
			       strerror(code));
}

/* ---- gathering ---- */

/* The path of a result of the turn's; false when there is none by this number. */
static bool result_path(struct turn *turn, size_t result, char *ret, size_t size) {
	cleanup_results struct turn_results results = {0};
	return turn_results_read(turn, &results) && result < results.n &&
	       turn_artifact_path(turn, results.all[result].name, ret, size);
}

/* The text of a result, without its last newline. */
static uint64_t result_text_size(struct turn *turn, size_t result) {
	char path[PATH_MAX], last = 0;
	struct stat status;
	cleanup_close int fd = result_path(turn, result, path, sizeof(path))
					       ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
					       : -1;
	if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) {
		return 0;
	}
	bool newline = pread(fd, &last, 1, status.st_size - 1) == 1 && last == '\n';
	return (uint64_t)status.st_size - newline;
}

/* Which of the turn's results is its text: 0 the output, or where that isn't text, the first of the
 * others that is. False when none is. */
static bool text_result(struct turn *turn, size_t *ret) {
	cleanup_results struct turn_results results = {0};
	*ret = 0;
	if (!turn_results_read(turn, &results) || results.n == 0) {
		return true;
	}
	while (*ret < results.n && !starts_with(results.all[*ret].type, "text/")) {
		++*ret;
	}
	return *ret < results.n;
}

/* An empty answer isn't part of the conversation (it may have no file), nor is one without text. */
static bool add_answer(
		struct history *history, struct turn *turn, size_t *capacity, struct fail *fail) {
	struct history_message message = {
			.turn = turn->row.id, .file = TURN_OUTPUT, .answer = true};
	if (turn_file_size(turn, TURN_OUTPUT) == 0 || !text_result(turn, &message.result)) {
		return true;
	}
	message.size = message.result != 0 ? result_text_size(turn, message.result)
					   : turn_text_size(turn, TURN_OUTPUT);
	return (message.result != 0 && message.size == 0) || add(history, &message, capacity, fail);
}

static bool add_prompt(
		struct history *history, struct turn *turn, size_t *capacity, struct fail *fail) {
	struct history_message message = {.turn = turn->row.id,
			.file = TURN_PROMPT,
			.size = turn_text_size(turn, TURN_PROMPT)};
	return add(history, &message, capacity, fail);
}

uint64_t history_answer_size(struct turn *turn) {
	size_t result;
	if (!text_result(turn, &result)) {
		return 0;
	}
	return result != 0 ? result_text_size(turn, result) : turn->row.output_size;
}

static void turn_round(struct history *history) {
	for (size_t i = 0; i < history->n / 2; i++) {
		struct history_message swapped = history->messages[i];
		history->messages[i] = history->messages[history->n - 1 - i];
		history->messages[history->n - 1 - i] = swapped;
	}
}

/* What was imported comes before what was said since. */
static bool put_before(struct history *history, struct history *imported, struct fail *fail) {
	size_t capacity = imported->n;
	bool put = true;
	for (size_t i = 0; put && i < history->n; i++) {
		put = add(imported, &history->messages[i], &capacity, fail);
	}
	history_finish(history);
	*history = *imported;
	*imported = (struct history){0};
	return put;
}

/* From the newest back; `ret_imported`: the turn that holds what lies before, or 0. */
static bool gather_turns(struct turn_table *table, int64_t last, struct history *ret,
		int64_t *ret_imported, struct fail *fail) {
	size_t capacity = 0, steps = 0;
	for (int64_t id = last; id != 0;) {
		cleanup_turn struct turn *turn = turn_get(table, id);
		if (turn == NULL) {
			break;
		}
		if (turn->row.imported) {
			*ret_imported = id;
			break;
		}
		if (++steps > STEPS_MOST) {
			return too_long(fail);
		}
		if (turn->row.state == TURN_DONE &&
				(!add_answer(ret, turn, &capacity, fail) ||
						!add_prompt(ret, turn, &capacity, fail))) {
			return false;
		}
		id = turn->row.previous;
	}
	turn_round(ret);
	return true;
}

bool history_gather(
		struct turn_table *table, int64_t last, struct history *ret, struct fail *fail) {
	struct history found = {0}, imported = {0};
	int64_t from = 0;
	bool gathered = gather_turns(table, last, &found, &from, fail);
	if (gathered && from != 0) {
		cleanup_turn struct turn *turn = turn_get(table, from);
		gathered = turn != NULL && read_imported(turn, &imported, fail) &&
			   put_before(&found, &imported, fail);
	}
	if (!gathered) {
		history_finish(&found);
		return false;
	}
	*ret = found;
	return true;
}

/* ---- reading ---- */

bool history_path(struct turn_table *table, const struct history_message *message, char *ret,
		size_t size) {
	cleanup_turn struct turn *turn = turn_get(table, message->turn);
	if (turn != NULL && message->result != 0) {
		return result_path(turn, message->result, ret, size);
	}
	return turn != NULL && turn_file_path(turn, message->file, ret, size);
}

/* The result's file, or the turn's; `ret_own`: it is to be closed. */
static int open_message(struct turn *turn, const struct history_message *message, int *ret_own) {
	char path[PATH_MAX];
	if (message->result == 0) {
		return turn_open_file(turn, message->file, false);
	}
	if (result_path(turn, message->result, path, sizeof(path))) {
		*ret_own = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	return *ret_own;
}

bool history_read(struct turn_table *table, const struct history_message *message, struct buf *out,
		struct fail *fail) {
	cleanup_turn struct turn *turn = turn_get(table, message->turn);
	if (message->size == 0) {
		return true;
	}
	cleanup_close int own = -1;
	int fd = turn != NULL ? open_message(turn, message, &own) : -1;
	char *to = fd >= 0 ? buf_reserve(out, message->size) : NULL;
	ssize_t got = to != NULL ? pread(fd, to, message->size, (off_t)message->skip) : -1;
	if (got < 0 || (uint64_t)got != message->size) {
		return fail_set(fail, fd >= 0 && to == NULL ? ENOMEM : EIO,
				"a message of the conversation can't be read in the state "
				"directory");
	}
	out->size += message->size;
	out->data[out->size] = '\0';
	return true;
}
