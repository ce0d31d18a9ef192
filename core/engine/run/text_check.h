/* Whether a file is text, UTF-8 throughout. Reading a large one takes a while, so that happens on
 * libuv's pool. Private to texts.c. */
#ifndef CORE_ENGINE_RUN_TEXT_CHECK_H
#define CORE_ENGINE_RUN_TEXT_CHECK_H

#include "core/base/fail.h"

#include <uv.h>

struct text_check;

/* Called once from the loop: `fail` says what is wrong with the text (EINVAL) or with reading it,
 * its code is 0 when all is well. The check is freed after it. */
typedef void text_check_done(void *data, const struct fail *fail);

/* Begins on the pool with a descriptor of its own for the same file; the words call it `what`. NULL
 * when it can't. */
struct text_check *text_check_start(
		uv_loop_t *loop, int fd, const char *what, text_check_done *done, void *data);
/* No event follows; what runs on the pool ends soon by itself. NULL is fine. */
void text_check_cancel(struct text_check *check);

/* The same at once, for a small file. False with words. */
bool text_check_now(int fd, const char *what, struct fail *fail);

#endif
