/* Open files from open(2) to the last close: see handle.h. */
#include "fs/file/handle.h"

#include "core/turn/lineage.h"
#include "core/turn/results.h"
#include "fs/file/attach.h"
#include "fs/file/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

bool handle_writes(const struct handle *handle) {
	return (handle->flags & O_ACCMODE) != O_RDONLY;
}

struct handle *handle_of(const struct fuse_file_info *info) {
	struct handle *handle = info != NULL ? (struct handle *)(uintptr_t)info->fh : NULL;
	return handle != NULL && handle->magic == HANDLE_MAGIC ? handle : NULL;
}

int32_t process_of(pid_t tid) {
	struct chain_walk walk;
	struct process_id id;
	chain_walk_begin(&walk, tid);
	return chain_walk_next(&walk, &id) ? id.pid : 0;
}

static void destroy(struct handle *handle) {
	list_remove(&handle->link);
	if (handle->written.data != NULL) {
		explicit_bzero(handle->written.data, handle->written.capacity);
	}
	buf_finish(&handle->text);
	buf_finish(&handle->written);
	handle->magic = 0;
	free(handle);
}

/* ---- opening ---- */

int turn_file_of(enum kind kind) {
	switch (kind) {
	case KIND_TURN_PROMPT:
		return TURN_PROMPT;
	case KIND_TURN_OUTPUT:
		return TURN_OUTPUT;
	case KIND_TURN_REASONING:
		return TURN_REASONING;
	case KIND_TURN_REQUEST:
		return TURN_REQUEST;
	case KIND_TURN_RESPONSE:
		return TURN_RESPONSE;
	case KIND_TURN_EXCHANGE:
		return TURN_EXCHANGE;
	default:
		return -1;
	}
}

/* For who writes a prompt after it. */
static void note_reader(struct engine *engine, pid_t tid, int64_t turn) {
	struct chain_walk walk;
	struct process_id reader;
	chain_walk_begin(&walk, tid);
	if (chain_walk_next(&walk, &reader)) {
		lineage_note(engine->lineage, &reader, turn);
	}
}

static int open_turn_file(struct handle *handle, const struct node *node, enum turn_file file,
		pid_t tid, struct fuse_file_info *info) {
	handle->type = file == TURN_OUTPUT ? HANDLE_OUTPUT : HANDLE_TURN_FILE;
	handle->file = file;
	handle->turn = turn_get(handle->tree->engine->turns, node->id);
	if (handle->turn == NULL) {
		return ESTALE;
	}
	/* A refusal has no output: opening fails, so that an older answer is never shown for it. */
	if (file == TURN_OUTPUT && handle->turn->row.state == TURN_FAILED &&
			!handle->turn->stored) {
		return turn_error(handle->turn);
	}
	if (file == TURN_OUTPUT) {
		note_reader(handle->tree->engine, tid, node->id);
	}
	/* The bytes of a turn that is over never change: the kernel keeps them. A failure has to be
	 * asked for each time, because it ends with an errno. */
	bool kept = handle->turn->row.state == TURN_DONE ||
		    (file == TURN_PROMPT && handle->turn->stored);
	info->direct_io = !kept;
	info->keep_cache = kept;
	return 0;
}

static int open_scratch(struct handle *handle, const struct node *node) {
	struct scratch_files *files = handle->tree->scratch;
	handle->type = HANDLE_SCRATCH;
	handle->scratch = scratch_get(files, node->id);
	scratch_open(handle->scratch);
	return (handle->flags & O_TRUNC) != 0 ? scratch_truncate(files, handle->scratch, 0) : 0;
}

static int open_node(struct handle *handle, const struct node *node, pid_t tid,
		struct fuse_file_info *info) {
	const struct entry *entry = node->entry;
	int file = turn_file_of(entry->kind);
	bool input = entry->kind == KIND_INPUT || entry->kind == KIND_GROUP_INPUT;
	bool prompt = input || entry->kind == KIND_RPC || entry->kind == KIND_ESTIMATE;
	if (entry->kind == KIND_SCRATCH) {
		return open_scratch(handle, node);
	}
	bool artifact = entry->kind == KIND_ARTIFACT;
	if (artifact && !handle_writes(handle)) {
		note_reader(handle->tree->engine, tid, node->id / RESULTS_MOST);
	}
	/* Mode bits don't stop root. */
	if (artifact && handle_writes(handle)) {
		return EACCES;
	}
	if (artifact || entry->kind == KIND_ATTACHMENT || entry->kind == KIND_TURN_ATTACHMENT) {
		info->keep_cache = entry->stable;
		return attach_open(handle, node, tid);
	}
	/* Mode bits don't stop root. */
	if (handle_writes(handle) && entry->accept == NULL && !prompt) {
		return EACCES;
	}
	if (file >= 0) {
		return open_turn_file(handle, node, (enum turn_file)file, tid, info);
	}
	info->direct_io = 1;
	if (entry->kind == KIND_ESTIMATE && handle_writes(handle)) {
		estimate_open(handle);
		return 0;
	}
	if (prompt && handle_writes(handle)) {
		return input ? input_open(handle, node, tid) : rpc_open(handle, node, tid);
	}
	return small_open(handle, node, tid);
}

struct handle *handle_open(struct tree *tree, const struct node *node, int flags, pid_t tid,
		struct fuse_file_info *info, int *ret_failed) {
	struct handle *handle = calloc(1, sizeof(*handle));
	if (handle == NULL) {
		*ret_failed = ENOMEM;
		return NULL;
	}
	list_append(&tree->handles, &handle->link);
	handle->magic = HANDLE_MAGIC;
	handle->tree = tree;
	handle->number = node_of(node);
	handle->flags = flags;
	handle->written.limit = SETTING_MOST * 2;
	list_init(&handle->parked);
	*ret_failed = open_node(handle, node, tid, info);
	if (*ret_failed != 0) {
		turn_release(handle->turn);
		destroy(handle);
		return NULL;
	}
	info->fh = (uint64_t)(uintptr_t)handle;
	return handle;
}

/* ---- closing ---- */

void handle_close(struct handle *handle) {
	switch (handle->type) {
	case HANDLE_SMALL:
		small_release(handle);
		break;
	case HANDLE_INPUT:
		input_release(handle);
		break;
	case HANDLE_RPC:
		rpc_release(handle);
		break;
	case HANDLE_ESTIMATE:
		break;
	case HANDLE_OUTPUT:
		output_release(handle);
		break;
	case HANDLE_TURN_FILE:
		turn_release(handle->turn);
		break;
	case HANDLE_SCRATCH:
		scratch_close(handle->tree->scratch, handle->scratch);
		break;
	case HANDLE_ATTACHMENT:
		attach_release(handle);
		break;
	}
	destroy(handle);
}

void handles_close(struct tree *tree) {
	struct handle *handle;
	list_for_each(handle, &tree->handles, link) {
		/* What its writer hasn't closed is no prompt and no setting yet. */
		handle->refused = true;
		handle_close(handle);
	}
}
