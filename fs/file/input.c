/* input: gathering a prompt per open handle and submitting it at the last close (design section 3,
 * points 1 to 3 and 5). Nothing here waits. */
#include "fs/file/handle.h"

#include "core/engine/attach/attach.h"
#include "core/engine/attach/media.h"
#include "fs/file/group.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

static int refuse(struct tree *tree, struct place *place, const struct chain *who,
		const struct fail *why) {
	engine_refuse(tree->engine, place, who, why);
	return why->code != 0 ? why->code : EIO;
}

int input_open(struct handle *handle, const struct node *node, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	handle->type = HANDLE_INPUT;
	handle->continues = (handle->flags & O_APPEND) != 0;
	chain_capture(tid, &handle->writer);
	if (handle->writer.n > 0) {
		handle->last_thread = tid;
		handle->last_writer = handle->writer.ids[0].pid;
	}
	if (node->entry->kind == KIND_GROUP_INPUT) {
		return group_open(handle, node, tid);
	}
	if (!engine_may_submit(handle->tree->engine, node->place, &fail)) {
		return refuse(handle->tree, node->place, &handle->writer, &fail);
	}
	return 0;
}

/* For `status`: who writes. */
static void name_writer(struct handle *handle, struct turn *turn) {
	if (handle->writer.n > 0) {
		turn->writer_pid = handle->writer.ids[0].pid;
		process_name(turn->writer_pid, turn->writer, sizeof(turn->writer));
	}
}

/* The turn's number is taken at the first byte. */
static int begin(struct handle *handle, const struct node *node) {
	cleanup_fail struct fail fail = {0};
	struct engine *engine = handle->tree->engine;
	if (node->entry->kind == KIND_GROUP_INPUT) {
		int failed = group_begin(handle, node);
		for (size_t i = 0; i < handle->n_turns; i++) {
			name_writer(handle, handle->turns[i]);
		}
		return failed;
	}
	handle->turn = engine_begin(engine, node->place, &handle->writer, handle->continues, &fail);
	if (handle->turn == NULL) {
		return refuse(handle->tree, node->place, &handle->writer, &fail);
	}
	name_writer(handle, handle->turn);
	return 0;
}

/* The prompt is no longer this handle's. */
static void let_go(struct handle *handle, struct turn *turn) {
	group_release(handle, turn);
	turn_release(turn);
}

/* What was refused isn't sent in part: it is the writer's newest turn, wherever it was meant to go,
 * so that reading never gives an older answer for it. Once a descriptor, though each of its writes
 * may fail. */
static void refuse_whole(struct handle *handle, struct place *place, const struct fail *why) {
	struct engine *engine = handle->tree->engine;
	if (handle->refused) {
		return;
	}
	handle->refused = true;
	if (handle->n_turns == 0) {
		engine_refuse(engine, place, &handle->writer, why);
		return;
	}
	for (size_t i = 0; i < handle->n_turns; i++) {
		struct place *member = catalogue_place(
				engine->catalogue, handle->turns[i]->row.place);
		if (member != NULL) {
			engine_refuse(engine, member, &handle->writer, why);
		}
	}
	engine_note(engine, place, &handle->writer, why);
}

/* limits.prompt is for text; what begins as sound, a picture, a video or a document may be as large
 * as limits.media says. */
static uint64_t prompt_most(struct handle *handle, uint64_t end) {
	char path[PATH_MAX], type[MEDIA_TYPE_MOST];
	const struct engine *engine = handle->tree->engine;
	struct turn *turn = handle->turn;
	uint64_t most = engine->config.prompt_most, media_most = engine->config.media_most;
	if (end <= most || media_most <= most) {
		return most;
	}
	if (handle->told != turn->row.id) {
		handle->told = turn->row.id;
		handle->media = turn_file_path(turn, TURN_PROMPT, path, sizeof(path)) &&
				media_type_of(attachments_media(engine->attachments), path, type,
						NULL) &&
				media_is_known(type);
	}
	return handle->media ? media_most : most;
}

ssize_t input_write(
		struct handle *handle, const char *bytes, size_t size, off_t offset, pid_t tid) {
	struct node node;
	int failed = node_resolve(handle->tree, handle->number, &node);
	if (tid != handle->last_thread) {
		handle->last_thread = tid;
		handle->last_writer = process_of(tid);
	}
	handle->killed = false;
	if (failed == 0 && handle->turn == NULL) {
		failed = begin(handle, &node);
	}
	if (failed != 0) {
		return -failed;
	}
	if (handle->turn->row.state != TURN_OPEN) {
		/* It was submitted through ctl while the descriptor stayed open: a new prompt. */
		let_go(handle, take(handle->turn));
		handle->rebased = true;
		handle->has_base = false;
		failed = begin(handle, &node);
		if (failed != 0) {
			return -failed;
		}
	}
	if (!handle->has_base) {
		/* >> writes at the size that the kernel remembers; a descriptor that goes on after
		 * a submission writes at its position. */
		handle->base = handle->continues || handle->rebased ? (uint64_t)offset : 0;
		handle->has_base = true;
	}
	if ((uint64_t)offset < handle->base) {
		return -EINVAL;
	}
	cleanup_fail struct fail fail = {0};
	uint64_t at = (uint64_t)offset - handle->base;
	if (!turn_prompt_write(
			    handle->turn, bytes, size, at, prompt_most(handle, at + size), &fail)) {
		refuse_whole(handle, node.place, &fail);
		return -fail.code;
	}
	return (ssize_t)size;
}

int input_truncate(struct handle *handle, off_t size) {
	if (handle->turn == NULL || handle->turn->row.state != TURN_OPEN) {
		return 0;
	}
	return turn_prompt_truncate(handle->turn, (uint64_t)size) ? 0 : errno;
}

/* Whoever wrote last decides: `timeout 1 cat > input` is ended though timeout itself exits by
 * itself, and in `{ timeout 1 cat; echo; } > input` the echo goes on. */
void input_flush(struct handle *handle, pid_t tid) {
	int signal = handle->turn != NULL ? process_signal(tid) : 0;
	if (signal != 0 && signal != SIGPIPE && process_of(tid) == handle->last_writer) {
		handle->killed = true;
	}
}

void input_release(struct handle *handle) {
	struct turn *turn = take(handle->turn);
	struct engine *engine = handle->tree->engine;
	if (turn == NULL) {
		return;
	}
	if (turn->row.state != TURN_OPEN) {
		let_go(handle, turn);
		return;
	}
	if (handle->killed && !handle->refused && turn->row.prompt_size > 0) {
		turn->unsent = true;
		turn_changed(turn);
	} else if (handle->refused || turn->row.prompt_size == 0 || turn->unsent) {
		engine_drop(engine, turn);
	} else {
		engine_submit(engine, turn);
	}
	let_go(handle, turn);
}

int input_whole(struct tree *tree, const struct node *node, const char *bytes, size_t size,
		pid_t tid) {
	struct handle handle = {.tree = tree, .number = node_of(node), .flags = O_WRONLY | O_TRUNC};
	int failed = input_open(&handle, node, tid);
	if (failed != 0 || size == 0) {
		return failed;
	}
	ssize_t written = input_write(&handle, bytes, size, 0, tid);
	input_release(&handle);
	return written < 0 ? (int)-written : 0;
}
