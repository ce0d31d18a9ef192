/* Opening, reading, writing and closing files. Nothing here waits but the read of a running turn's
 * output. */
#include "fs/ops/ops.h"

#include "fs/file/attach.h"
#include "fs/file/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

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

static void read_scratch(const struct scratch *scratch, fuse_req_t req, size_t size, off_t offset) {
	size_t have = scratch->data.size;
	size_t from = (uint64_t)offset < have ? (size_t)offset : have;
	fuse_reply_buf(req, buf_string(&scratch->data) + from,
			have - from < size ? have - from : size);
}

static void read_turn_file(struct handle *handle, fuse_req_t req, size_t size, off_t offset) {
	cleanup_free char *bytes = malloc(size);
	int fd = turn_open_file(handle->turn, handle->file, false);
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
	bool wait = (info->flags & O_NONBLOCK) == 0;
	(void)ino;
	if (handle == NULL) {
		fuse_reply_err(req, EBADF);
		return;
	}
	switch (handle->type) {
	case HANDLE_SMALL:
		small_read(handle, req, size, offset);
		break;
	case HANDLE_INPUT:
		fuse_reply_buf(req, NULL, 0);
		break;
	case HANDLE_RPC:
		rpc_read(handle, req, size, offset, wait);
		break;
	case HANDLE_ESTIMATE:
		estimate_read(handle, req, size, offset);
		break;
	case HANDLE_OUTPUT:
		output_read(handle, req, size, offset, wait);
		break;
	case HANDLE_TURN_FILE:
		read_turn_file(handle, req, size, offset);
		break;
	case HANDLE_SCRATCH:
		read_scratch(handle->scratch, req, size, offset);
		break;
	case HANDLE_ATTACHMENT:
		attach_read(handle, req, size, offset);
		break;
	}
}

void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info,
		struct fuse_pollhandle *poll) {
	struct handle *handle = handle_of(info);
	(void)ino;
	if (handle != NULL && handle->type == HANDLE_OUTPUT) {
		output_poll(handle, req, poll);
	} else if (handle != NULL && handle->type == HANDLE_RPC) {
		rpc_poll(handle, req, poll, (info->poll_events & POLLIN) != 0);
	} else if (handle != NULL && handle_polls(handle)) {
		watch_poll(handle, req, poll);
	} else {
		if (poll != NULL) {
			fuse_pollhandle_destroy(poll);
		}
		fuse_reply_poll(req, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
	}
}

/* ---- writing ---- */

/* The number of bytes taken, or a negative errno. */
static ssize_t write_handle(
		struct handle *handle, const char *bytes, size_t size, off_t offset, pid_t tid) {
	int failed = EACCES;
	switch (handle->type) {
	case HANDLE_INPUT:
		return input_write(handle, bytes, size, offset, tid);
	case HANDLE_RPC:
		return rpc_write(handle, bytes, size, offset, tid);
	case HANDLE_ESTIMATE:
		return estimate_write(handle, bytes, size, offset);
	case HANDLE_ATTACHMENT:
		return attach_write(handle, bytes, size, offset, tid);
	case HANDLE_SCRATCH:
		failed = scratch_write(handle->tree->scratch, handle->scratch, bytes, size,
				(uint64_t)offset);
		break;
	case HANDLE_SMALL:
		failed = small_write(handle, bytes, size);
		break;
	case HANDLE_OUTPUT:
	case HANDLE_TURN_FILE:
		break;
	}
	return failed != 0 ? -failed : (ssize_t)size;
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset,
		struct fuse_file_info *info) {
	struct handle *handle = handle_of(info);
	(void)ino;
	ssize_t written = handle != NULL ? write_handle(handle, bytes, size, offset, caller(req))
					 : -EBADF;
	if (written < 0) {
		fuse_reply_err(req, (int)-written);
	} else {
		fuse_reply_write(req, (size_t)written);
	}
}

/* ---- closing ---- */

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
	struct handle *handle = handle_of(info);
	int failed = 0;
	(void)ino;
	if (handle != NULL && handle->type == HANDLE_INPUT) {
		input_flush(handle, caller(req));
	} else if (handle != NULL && handle->type == HANDLE_SMALL) {
		failed = small_flush(handle);
	} else if (handle != NULL && handle->type == HANDLE_ATTACHMENT) {
		attach_flush(handle, caller(req));
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
	(void)ino;
	if (handle == NULL) {
		fuse_reply_err(req, EBADF);
		return;
	}
	handle_close(handle);
	fuse_reply_err(req, 0);
}

/* ---- attributes ---- */

static int set_size(struct tree *tree, const struct node *node, struct handle *handle, off_t size,
		pid_t tid) {
	if (node->entry->space == SPACE_ATTACHMENT) {
		return attach_truncate(tree, node, handle, size, tid);
	}
	if (node->entry->kind == KIND_SCRATCH) {
		struct scratch *scratch = scratch_get(tree->scratch, node->id);
		return scratch_truncate(tree->scratch, scratch, (uint64_t)size);
	}
	if (handle != NULL && (handle->type == HANDLE_INPUT || handle->type == HANDLE_RPC)) {
		return input_truncate(handle, size);
	}
	bool prompt = node->entry->kind == KIND_INPUT || node->entry->kind == KIND_RPC ||
		      node->entry->kind == KIND_ESTIMATE || node->entry->kind == KIND_GROUP_INPUT;
	if (!prompt && node->entry->accept == NULL) {
		return EACCES;
	}
	/* `: > f` and an editor's ftruncate: nothing happens until something is written. */
	if (handle != NULL && size == 0) {
		buf_clear(&handle->written);
		handle->overflowed = false;
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
		failed = set_size(tree, &node, handle, attributes->st_size, caller(req));
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
