/* Kept turns: directories as `cp -r …/turns` leaves them, anywhere below a directory, from which
 * `driver: replay` answers. A turn is found by its model and by the prompts of its conversation, as
 * `continues` in its status leads from one to the next, and by what went along with them; settings
 * don't count. Reads files and
 * nothing else, so that it may run on the pool. */
#ifndef CORE_ENGINE_REPLAY_KEPT_H
#define CORE_ENGINE_REPLAY_KEPT_H

#include "core/base/fail.h"
#include "core/process/process.h"

#include <stddef.h>
#include <stdint.h>

/* More turns, or deeper ones, aren't looked at. */
#define KEPT_TURNS_MOST 100000
#define KEPT_DEPTH_MOST 40

struct kept_key {
	uint64_t low, high;
};

struct kept_turn {
	char *model; /* the id that was asked for */
	char *directory;
	struct kept_key key;
};

struct kept {
	unsigned holds;
	struct kept_turn *turns; /* in the order of their paths: of two alike the last answers */
	size_t n_turns;
};

/* What is kept below `path`, held once; NULL with words. */
struct kept *kept_read(const char *path, struct fail *fail);
struct kept *kept_hold(struct kept *kept);
/* NULL is fine. */
void kept_release(struct kept *kept);

/* Folds a prompt, the first `size` bytes of a file, into the key of a conversation, which begins as
 * {0}. False when it can't be read. */
bool kept_key_add(struct kept_key *key, const char *path, uint64_t size);
/* Adds an attachment, as the whole file of `size` bytes, to those of a prompt, which begin as {0}:
 * in whatever order, and under whatever name. False when it can't be read. */
bool kept_attached_add(struct kept_key *attached, const char *path, uint64_t size);
/* Folds those of a prompt into the key, after the prompt. */
void kept_key_join(struct kept_key *key, const struct kept_key *attached);
/* NULL when nothing fits. */
const struct kept_turn *kept_find(const struct kept *kept, const char *model, struct kept_key key);

/* How a kept turn ended: 0 and "stop" …, or its errno and words (to be freed). Usage costs nothing.
 */
struct kept_end {
	int code;
	char *words, *finish;
	struct job_usage usage;
};
bool kept_end_read(const struct kept_turn *turn, struct kept_end *ret);
void kept_end_finish(struct kept_end *end);

#endif
