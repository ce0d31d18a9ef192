/* Checking that a file is text: see text_check.h. */
#include "core/engine/run/text_check.h"

#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

struct text_check {
	uv_work_t work;
	int fd;
	char *what;
	text_check_done *done;
	void *data;
	struct fail fail; /* the pool's until it is through */
	atomic_bool cancelled;
};

/* The longest character of UTF-8: so many bytes at the end of a piece may be the begin of one. */
#define CHARACTER_MOST 4

static bool check(int fd, const char *what, const atomic_bool *cancelled, struct fail *fail) {
	char piece[65536];
	size_t kept = 0;
	uint64_t offset = 0;
	ssize_t size;
	while ((size = pread(fd, piece + kept, sizeof(piece) - kept, (off_t)(offset + kept))) > 0 &&
			(cancelled == NULL || !atomic_load(cancelled))) {
		size_t have = kept + (size_t)size, at = 0, length;
		while (at < have && (length = utf8_length(piece + at, have - at)) != 0) {
			at += length;
		}
		kept = have - at;
		offset += at;
		if (kept >= CHARACTER_MOST) {
			break;
		}
		memmove(piece, piece + at, kept);
	}
	if (size < 0) {
		return fail_set(fail, EIO, "%s can't be read from the state directory: %s", what,
				strerror(errno));
	}
	return kept == 0 ||
	       fail_set(fail, EINVAL,
			       "%s isn't text: byte %llu isn't UTF-8, and what it is else isn't "
			       "known",
			       what, (unsigned long long)offset);
}

bool text_check_now(int fd, const char *what, struct fail *fail) {
	return check(fd, what, NULL, fail);
}

static void on_pool(uv_work_t *work) {
	struct text_check *text = work->data;
	check(text->fd, text->what, &text->cancelled, &text->fail);
}

static void on_through(uv_work_t *work, int status) {
	struct text_check *text = work->data;
	(void)status;
	if (!atomic_load(&text->cancelled)) {
		text->done(text->data, &text->fail);
	}
	fail_finish(&text->fail);
	close(text->fd);
	free(text->what);
	free(text);
}

struct text_check *text_check_start(
		uv_loop_t *loop, int fd, const char *what, text_check_done *done, void *data) {
	struct text_check *text = calloc(1, sizeof(*text));
	if (text == NULL) {
		return NULL;
	}
	text->work.data = text;
	text->done = done;
	text->data = data;
	text->what = strdup(what);
	text->fd = text->what != NULL ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (text->fd < 0 || uv_queue_work(loop, &text->work, on_pool, on_through) != 0) {
		if (text->fd >= 0) {
			close(text->fd);
		}
		free(text->what);
		free(text);
		return NULL;
	}
	return text;
}

void text_check_cancel(struct text_check *check) {
	if (check != NULL) {
		atomic_store(&check->cancelled, true);
		uv_cancel((uv_req_t *)&check->work);
	}
}
