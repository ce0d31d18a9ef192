/* The small files: text made at the open, and for settings, ctl and key what is written to them.
 * What is refused is said at the write where that can be told, and kept where `error` shows it. */
#include "fs/file/handle.h"

#include "core/engine/session/conversation.h"
#include "fs/content/conversation.h"

#include <errno.h>
#include <fcntl.h>

/* What a session's history can't be shown or replaced for has words. */
static int open_conversation(struct handle *handle, const struct node *node, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	struct tree *tree = handle->tree;
	bool reads = (handle->flags & O_ACCMODE) != O_WRONLY;
	handle->written.limit = MESSAGES_MOST;
	if ((!handle_writes(handle) || conversation_at_rest(tree->engine, node->place, &fail)) &&
			(!reads || conversation_text(tree, node, &handle->text, &fail))) {
		return 0;
	}
	chain_capture(tid, &handle->writer);
	engine_note(tree->engine, node->place, &handle->writer, &fail);
	return fail.code != 0 ? fail.code : EIO;
}

int small_open(struct handle *handle, const struct node *node, pid_t tid) {
	const struct entry *entry = node->entry;
	bool writes = handle_writes(handle);
	handle->type = HANDLE_SMALL;
	if (writes) {
		chain_capture(tid, &handle->writer);
	}
	if (conversation_file(entry->kind)) {
		return open_conversation(handle, node, tid);
	}
	/* What is appended to a route goes to its patterns. */
	if (writes && (handle->flags & O_APPEND) != 0 && entry->kind == KIND_ROUTE_FILE &&
			!entry->show(handle->tree, node, tid, &handle->written)) {
		return EIO;
	}
	if (entry->show == NULL) {
		/* input and rpc read as empty; the key isn't read at all. */
		return writes || entry->accept == NULL ? 0 : EACCES;
	}
	return entry->show(handle->tree, node, tid, &handle->text) ? 0 : EIO;
}

bool handle_polls(const struct handle *handle) {
	const struct entry *entry = entry_of((enum kind)(handle->number & 0xff));
	return handle->type == HANDLE_SMALL && entry != NULL && entry->polls;
}

void small_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset) {
	const struct buf *text = &handle->text;
	/* A descriptor that is kept open and read again from its start shows what is now. */
	bool again = offset == 0 && handle->was_read && handle_polls(handle);
	handle->was_read = true;
	if (again && !watch_refresh(handle, fuse_req_ctx(req)->pid)) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if ((uint64_t)offset >= text->size) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	size_t left = text->size - (size_t)offset;
	fuse_reply_buf(req, text->data + offset, left < size ? left : size);
}

/* Hands over what came; 0 or an errno. */
static int hand_over(struct handle *handle, const struct node *node, enum moment moment) {
	cleanup_fail struct fail fail = {0};
	struct tree *tree = handle->tree;
	if (!handle->wrote || handle->refused) {
		return 0;
	}
	ssize_t done = node->entry->accept(tree, node, &handle->writer,
			buf_string(&handle->written), handle->written.size, moment, &fail);
	if (done < 0) {
		handle->refused = true;
		buf_clear(&handle->written);
		engine_note(tree->engine, node->place, &handle->writer, &fail);
		return fail.code != 0 ? fail.code : EIO;
	}
	buf_drop_front(&handle->written, (size_t)done);
	return 0;
}

/* What was refused isn't taken in part. */
static int too_large(struct handle *handle, const struct node *node) {
	cleanup_fail struct fail fail = {0};
	fail_set(&fail, EFBIG, "%s: at most %zu bytes are taken",
			node->entry->name != NULL ? node->entry->name : "a setting",
			handle->written.limit);
	handle->refused = handle->overflowed = true;
	buf_clear(&handle->written);
	engine_note(handle->tree->engine, node->place, &handle->writer, &fail);
	return EFBIG;
}

int small_write(struct handle *handle, const char *bytes, size_t size) {
	struct node node;
	int failed = node_resolve(handle->tree, handle->number, &node);
	if (failed != 0) {
		return failed;
	}
	if (handle->overflowed || !buf_add(&handle->written, bytes, size)) {
		return too_large(handle, &node);
	}
	handle->wrote = true;
	handle->refused = false;
	return hand_over(handle, &node, AFTER_WRITE);
}

int small_flush(struct handle *handle) {
	struct node node;
	int failed = handle->wrote ? node_resolve(handle->tree, handle->number, &node) : 0;
	return failed == 0 && handle->wrote ? hand_over(handle, &node, AT_FLUSH) : failed;
}

void small_release(struct handle *handle) {
	struct node node;
	watch_end(handle);
	if (handle->wrote && node_resolve(handle->tree, handle->number, &node) == 0) {
		hand_over(handle, &node, AT_RELEASE);
	}
}

int small_whole(struct tree *tree, const struct node *node, const char *text, size_t size,
		pid_t tid) {
	struct handle handle = {.tree = tree, .wrote = size > 0};
	chain_capture(tid, &handle.writer);
	int failed = buf_add(&handle.written, text, size) ? hand_over(&handle, node, AT_RELEASE)
							  : EFBIG;
	buf_finish(&handle.written);
	return failed;
}
