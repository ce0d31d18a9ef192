/* The texts that an attempt sends, the prompt and what is attached: whether they are. Private: see
 * run.h. */
#include "core/engine/attach/attach.h"
#include "core/engine/engine.h"
#include "core/engine/run/run.h"
#include "core/engine/run/text_check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* Prompts above this are checked on the pool. */
#define CHECK_INLINE_MOST ((uint64_t)1 << 20)

static void on_checked(void *data, const struct fail *fail) {
	struct run *run = data;
	run->check = NULL;
	run->n_checked++;
	if (fail->code != 0) {
		run_end(run, TURN_FAILED, fail->code, fail_words(fail), NULL);
	} else {
		attempt_begin(run);
	}
}

/* One of the texts that go out: the prompt is the first, then what is attached. -1 when this one
 * isn't a text, -2 when it can't be read. */
static int open_text(struct run *run, const struct attached *attached, size_t i, char *what,
		size_t size) {
	struct store *store = run->provider->engine->store;
	char path[PATH_MAX];
	const struct attached_file *file = i > 0 ? &attached->files[i - 1] : NULL;
	snprintf(what, size, "%s%s", file != NULL ? "attach/" : "the prompt",
			file != NULL ? file->name : "");
	const char *type = file != NULL ? file->type : attached_prompt_type(attached);
	if (strcmp(type, "text/plain") != 0 || (file != NULL && file->name[0] == '\0')) {
		return -1;
	}
	bool there = file != NULL ? store_attached_path(store, run->turn->row.id, file->name, path,
						    sizeof(path))
				  : turn_file_path(run->turn, TURN_PROMPT, path, sizeof(path));
	int fd = there ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	return fd >= 0 ? fd : -2;
}

/* What is sent as text must be UTF-8 as a whole. 1: it is, 0: the check goes on on the pool, -1
 * with words. */
static int check_text(struct run *run, int fd, const char *what, struct fail *fail) {
	struct stat status;
	if (fd < 0 || fstat(fd, &status) != 0) {
		fail_set(fail, EIO, "%s can't be read from the state directory: %s", what,
				strerror(errno));
		return -1;
	}
	if ((uint64_t)status.st_size > CHECK_INLINE_MOST) {
		uv_loop_t *loop = run->provider->engine->loop;
		run->check = text_check_start(loop, fd, what, on_checked, run);
		if (run->check != NULL) {
			return 0;
		}
	}
	return text_check_now(fd, what, fail) ? 1 : -1;
}

bool texts_pass(struct run *run) {
	cleanup_fail struct fail fail = {0};
	cleanup(attached_finish) struct attached attached = {0};
	char what[NAME_MAX + 16];
	int passed = attached_of(run->provider->engine->attachments, run->turn->row.id, &attached,
				     &fail)
				     ? 1
				     : -1;
	while (passed > 0 && run->n_checked <= attached.n) {
		cleanup_close int fd = open_text(
				run, &attached, run->n_checked, what, sizeof(what));
		passed = fd != -1 ? check_text(run, fd, what, &fail) : 1;
		run->n_checked += passed > 0;
	}
	if (passed < 0) {
		run_end(run, TURN_FAILED, fail.code, fail_words(&fail), NULL);
	}
	return passed > 0;
}
