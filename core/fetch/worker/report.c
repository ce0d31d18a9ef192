/* The working process's side of the channel: see report.h. */
#include "core/fetch/worker/report.h"

#include "core/base/file.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define PROGRESS_MS 100

static uint64_t now_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* When nobody reads any more this process is about to be killed. */
static void send_all(int fd, const struct buf *line) {
	if (!file_write(fd, line->data, line->size)) {
		_exit(EXIT_FAILURE);
	}
}

void report_progress(struct report *report, enum fetch_stage stage, uint64_t objects,
		uint64_t total, uint64_t bytes, const char *format, ...) {
	uint64_t now = now_ms();
	if (report->started && report->stage == stage && now - report->told_ms < PROGRESS_MS) {
		return;
	}
	struct buf words cleanup_buf = {.limit = 1024};
	struct buf line cleanup_buf = {.limit = MESSAGE_MOST};
	va_list args;
	va_start(args, format);
	buf_add_vformat(&words, format, args);
	va_end(args);
	struct fetch_progress progress = {.stage = stage,
			.objects = objects,
			.objects_total = total,
			.bytes = bytes,
			.words = buf_string(&words)};
	report->started = true;
	report->stage = stage;
	report->told_ms = now;
	if (message_write_progress(&line, &progress)) {
		send_all(report->fd, &line);
	}
}

void report_plain(struct report *report, enum message_type type) {
	struct buf line cleanup_buf = {.limit = MESSAGE_MOST};
	if (message_write(&line, type)) {
		send_all(report->fd, &line);
	}
}

void report_end(struct report *report, const struct fetch_result *result) {
	struct buf line cleanup_buf = {.limit = MESSAGE_MOST};
	if (message_write_end(&line, result)) {
		send_all(report->fd, &line);
	}
}

bool report_ask(struct report *report, struct message *ret, struct fail *fail) {
	struct buf line cleanup_buf = {.limit = MESSAGE_MOST};
	report_plain(report, MESSAGE_CREDENTIALS);
	for (char byte = '\0'; byte != '\n';) {
		ssize_t size = read(report->fd, &byte, 1);
		if (size == 0 || (size < 0 && errno != EINTR) ||
				(size == 1 && !buf_add_byte(&line, byte))) {
			return fail_set(fail, EIO, "nobody answers who asks for credentials");
		}
	}
	bool read = message_read(ret, buf_string(&line));
	if (line.data != NULL) {
		explicit_bzero(line.data, line.size);
	}
	if (!read || ret->words == NULL || ret->type != MESSAGE_ANSWER) {
		return fail_set(fail, EIO, "the answer with the credentials isn't one");
	}
	return (ret->words[0] == '\0') || fail_set(fail, EACCES, "%s", ret->words);
}
