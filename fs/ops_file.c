/* Opening, reading, writing and closing files. Nothing here waits but the read of a running turn's
 * output. */
#include "fs/ops.h"

#include "fs/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

static bool writes(int flags) {
	return (flags & O_ACCMODE) != O_RDONLY;
}

static struct handle *handle_of(const struct fuse_file_info *info) {
	struct handle *handle = info != NULL ? (struct handle *)(uintptr_t)info->fh : NULL;
	return handle != NULL && handle->magic == HANDLE_MAGIC ? handle : NULL;
}

static void handle_destroy(struct handle *handle) {
	handle->tree->handles--;
	if (handle->written.data != NULL) {
		explicit_bzero(handle->written.data, handle->written.capacity);
	}
	buf_finish(&handle->text);
	buf_finish(&handle->written);
	handle->magic = 0;
	free(handle);
}

/* ---- opening ---- */

static bool is_turn_file(enum kind kind) {
	return kind == KIND_TURN_PROMPT || kind == KIND_TURN_OUTPUT ||
			kind == KIND_TURN_REASONING || kind == KIND_TURN_REQUEST ||
			kind == KIND_TURN_RESPONSE;
}

static enum turn_file turn_file_of(enum kind kind) {
	switch (kind) {
	case KIND_TURN_PROMPT:
		return TURN_PROMPT;
	case KIND_TURN_REASONING:
		return TURN_REASONING;
	case KIND_TURN_REQUEST:
		return TURN_REQUEST;
	case KIND_TURN_RESPONSE:
		return TURN_RESPONSE;
	default:
		return TURN_OUTPUT;
	}
}

static int open_turn_file(struct handle *handle, const struct node *node,
		struct fuse_file_info *info) {
	handle->turn = turn_get(handle->tree->engine->turns, node->id);
	if (handle->turn == NULL) {
		return ESTALE;
	}
	/* A refusal has no output: opening fails, so that an older answer is never shown for it. */
	if (node->entry->kind == KIND_TURN_OUTPUT && handle->turn->row.state == TURN_FAILED &&
			!handle->turn->stored) {
		return turn_error(handle->turn);
	}
	/* The bytes of a turn that is over never change: the kernel keeps them. A failure has to be
	 * asked for each time, because it ends with an errno. */
	bool kept = handle->turn->row.state == TURN_DONE ||
			(node->entry->kind == KIND_TURN_PROMPT && handle->turn->stored);
	info->direct_io = !kept;
	info->keep_cache = kept;
	return 0;
}

static int open_small(struct handle *handle, const struct node *node, pid_t tid,
		struct fuse_file_info *info) {
	const struct entry *entry = node->entry;
	info->direct_io = 1;
	if (writes(handle->flags)) {
		chain_capture(tid, &handle->writer);
	} else if (entry->show == NULL) {
		return EACCES;
	}
	bool shown = entry->show == NULL || entry->show(handle->tree, node, tid, &handle->text);
	return shown ? 0 : EIO;
}

static int open_node(struct handle *handle, const struct node *node, pid_t tid,
		struct fuse_file_info *info) {
	const struct entry *entry = node->entry;
	if (entry->kind == KIND_SCRATCH) {
		handle->scratch = scratch_get(handle->tree->scratch, node->id);
		scratch_open(handle->scratch);
		if ((handle->flags & O_TRUNC) != 0) {
			scratch_truncate(handle->tree->scratch, handle->scratch, 0);
		}
		return 0;
	}
	if (entry->kind == KIND_INPUT) {
		info->direct_io = 1;
		return writes(handle->flags) ? input_open(handle, node, tid) : 0;
	}
	/* Mode bits don't stop root. */
	if (writes(handle->flags) && entry->accept == NULL) {
		return EACCES;
	}
	return is_turn_file(entry->kind) ? open_turn_file(handle, node, info)
					 : open_small(handle, node, tid, info);
}

struct handle *handle_open(struct tree *tree, const struct node *node, int flags, pid_t tid,
		struct fuse_file_info *info, int *ret_failed) {
	struct handle *handle = calloc(1, sizeof(*handle));
	if (handle == NULL) {
		*ret_failed = ENOMEM;
		return NULL;
	}
	tree->handles++;
	handle->magic = HANDLE_MAGIC;
	handle->tree = tree;
	handle->number = node_of(node);
	handle->flags = flags;
	handle->written.limit = SETTING_MOST * 2;
	list_init(&handle->parked);
	*ret_failed = open_node(handle, node, tid, info);
	if (*ret_failed != 0) {
		turn_release(handle->turn);
		handle_destroy(handle);
		return NULL;
	}
	info->fh = (uint64_t)(uintptr_t)handle;
	return handle;
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
	struct tree *tree = tree_of(req);
	struct node node;
	int failed = node_resolve(tree, ino, &node);
	if (failed == 0) {
		handle_open(tree, &node, info->flags, caller(req), info, &failed);
	}
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		fuse_reply_open(req, info);
	}
}

/* ---- reading ---- */

static void reply_part(fuse_req_t req, const struct buf *text, size_t size, off_t offset) {
	if ((uint64_t)offset >= text->size) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	size_t left = text->size - (size_t)offset;
	fuse_reply_buf(req, text->data + offset, left < size ? left : size);
}

static void read_turn_file(struct handle *handle, fuse_req_t req, enum turn_file file, size_t size,
		off_t offset) {
	cleanup_free char *bytes = malloc(size);
	int fd = turn_open_file(handle->turn, file, false);
	ssize_t got = fd >= 0 && bytes != NULL ? pread(fd, bytes, size, offset) : 0;
	if (got < 0) {
		fuse_reply_err(req, errno);
	} else {
		fuse_reply_buf(req, bytes, (size_t)got);
	}
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *info) {
	struct handle *handle = handle_of(info);
	enum kind kind = (enum kind)(ino & 0xff);
	if (handle == NULL) {
		fuse_reply_err(req, EBADF);
	} else if (handle->scratch != NULL) {
		reply_part(req, &handle->scratch->data, size, offset);
	} else if (handle->is_input || kind == KIND_INPUT) {
		fuse_reply_buf(req, NULL, 0);
	} else if (kind == KIND_TURN_OUTPUT) {
		output_read(handle, req, size, offset, (info->flags & O_NONBLOCK) == 0);
	} else if (is_turn_file(kind)) {
		read_turn_file(handle, req, turn_file_of(kind), size, offset);
	} else {
		reply_part(req, &handle->text, size, offset);
	}
}

void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info,
		struct fuse_pollhandle *poll) {
	struct handle *handle = handle_of(info);
	if (handle != NULL && (ino & 0xff) == KIND_TURN_OUTPUT) {
		output_poll(handle, req, poll);
		return;
	}
	if (poll != NULL) {
		fuse_pollhandle_destroy(poll);
	}
	fuse_reply_poll(req, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

/* ---- writing to small files ---- */

/* Hands over what came; 0 or an errno, whose words are kept where `error` shows them. */
static int hand_over(struct handle *handle, const struct node *node, enum moment moment) {
	cleanup_fail struct fail fail = {0};
	struct tree *tree = handle->tree;
	if (!handle->wrote || handle->refused) {
		return 0;
	}
	ssize_t done = node->entry->accept(tree, node, &handle->writer, buf_string(&handle->written),
			handle->written.size, moment, &fail);
	if (done < 0) {
		handle->refused = true;
		buf_clear(&handle->written);
		engine_note(tree->engine, node->place, &handle->writer, &fail);
		return fail.code != 0 ? fail.code : EIO;
	}
	buf_drop_front(&handle->written, (size_t)done);
	return 0;
}

int small_file_whole(struct tree *tree, const struct node *node, const char *text, size_t size,
		pid_t tid) {
	struct handle handle = {.tree = tree, .wrote = size > 0};
	chain_capture(tid, &handle.writer);
	int failed = buf_add(&handle.written, text, size) ? hand_over(&handle, node, AT_RELEASE) : EFBIG;
	buf_finish(&handle.written);
	return failed;
}

static void write_small(struct handle *handle, fuse_req_t req, const char *bytes, size_t size) {
	struct node node;
	int failed = node_resolve(handle->tree, handle->number, &node);
	if (failed == 0 && !buf_add(&handle->written, bytes, size)) {
		failed = EFBIG;
	}
	if (failed == 0) {
		handle->wrote = true;
		handle->refused = false;
		failed = hand_over(handle, &node, AFTER_WRITE);
	}
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		fuse_reply_write(req, size);
	}
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset,
		struct fuse_file_info *info) {
	struct handle *handle = handle_of(info);
	(void)ino;
	if (handle == NULL) {
		fuse_reply_err(req, EBADF);
	} else if (handle->scratch != NULL) {
		int failed = scratch_write(handle->tree->scratch, handle->scratch, bytes, size,
				(uint64_t)offset);
		failed != 0 ? fuse_reply_err(req, failed) : fuse_reply_write(req, size);
	} else if (handle->is_input) {
		ssize_t written = input_write(handle, bytes, size, offset, caller(req));
		written < 0 ? fuse_reply_err(req, (int)-written)
			    : fuse_reply_write(req, (size_t)written);
	} else {
		write_small(handle, req, bytes, size);
	}
}

/* ---- closing ---- */

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
	struct handle *handle = handle_of(info);
	struct node node;
	int failed = 0;
	(void)ino;
	if (handle != NULL && handle->is_input) {
		input_flush(handle, caller(req));
	} else if (handle != NULL && handle->wrote &&
			node_resolve(handle->tree, handle->number, &node) == 0) {
		failed = hand_over(handle, &node, AT_FLUSH);
	}
	fuse_reply_err(req, failed);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *info) {
	(void)ino, (void)datasync, (void)info;
	/* Editors call it before they close: it isn't a submission. */
	fuse_reply_err(req, 0);
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
	struct handle *handle = handle_of(info);
	struct node node;
	if (handle == NULL) {
		fuse_reply_err(req, EBADF);
		return;
	}
	if (handle->scratch != NULL) {
		scratch_close(handle->tree->scratch, handle->scratch);
	} else if (handle->is_input) {
		input_release(handle);
	} else if (is_turn_file((enum kind)(ino & 0xff))) {
		output_release(handle);
	} else if (handle->wrote && node_resolve(handle->tree, handle->number, &node) == 0) {
		hand_over(handle, &node, AT_RELEASE);
	}
	handle_destroy(handle);
	fuse_reply_err(req, 0);
}

/* ---- attributes ---- */

static int set_size(struct tree *tree, const struct node *node, struct handle *handle,
		off_t size) {
	if (node->entry->kind == KIND_SCRATCH) {
		struct scratch *scratch = scratch_get(tree->scratch, node->id);
		return scratch_truncate(tree->scratch, scratch, (uint64_t)size);
	}
	if (handle != NULL && handle->is_input) {
		return input_truncate(handle, size);
	}
	if (node->entry->kind != KIND_INPUT && node->entry->accept == NULL) {
		return EACCES;
	}
	/* `: > f` and an editor's ftruncate: nothing happens until something is written. */
	if (handle != NULL && size == 0) {
		buf_clear(&handle->written);
	}
	return 0;
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attributes, int valid,
		struct fuse_file_info *info) {
	struct tree *tree = tree_of(req);
	struct handle *handle = handle_of(info);
	struct node node;
	struct stat now;
	double keep = 0;
	int failed = node_resolve(tree, ino, &node);
	if (failed == 0 && (valid & FUSE_SET_ATTR_SIZE) != 0) {
		failed = set_size(tree, &node, handle, attributes->st_size);
	}
	/* Times, modes and owners of ours are what they are; editors and cp set them in passing. */
	if (failed == 0 && node.entry->kind == KIND_SCRATCH && (valid & FUSE_SET_ATTR_MODE) != 0) {
		scratch_get(tree->scratch, node.id)->mode = attributes->st_mode & 07777;
	}
	if (failed == 0) {
		failed = node_attributes(tree, &node, caller(req), &now, &keep);
	}
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		fuse_reply_attr(req, &now, keep);
	}
}
