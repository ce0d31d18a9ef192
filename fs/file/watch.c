/* Watching a status by poll(2), by the convention of the kernel's own state files: it can always be
 * read, and POLLPRI (with POLLERR) says that it would read differently than it last did. Whatever
 * changes a turn makes those that are watched be looked at again, once a round of the loop. */
#include "core/store/delay.h"
#include "fs/file/handle.h"
#include "fs/ops/ops.h"

#include <poll.h>
#include <string.h>

/* What is there now, as whoever asked last sees it; false when the file is gone. */
static bool show_now(struct handle *handle, struct buf *out) {
	struct node node;
	return node_resolve(handle->tree, handle->number, &node) == 0 &&
	       node.entry->show(handle->tree, &node, handle->asker, out);
}

static bool differs(struct handle *handle) {
	cleanup_buf struct buf now = {0};
	return !show_now(handle, &now) || now.size != handle->text.size ||
	       memcmp(buf_string(&now), buf_string(&handle->text), now.size) != 0;
}

bool watch_refresh(struct handle *handle, pid_t tid) {
	cleanup_buf struct buf now = {0};
	handle->asker = tid;
	if (!show_now(handle, &now)) {
		return false;
	}
	buf_finish(&handle->text);
	handle->text = now;
	now = (struct buf){0};
	return true;
}

void watch_poll(struct handle *handle, fuse_req_t req, struct fuse_pollhandle *poll) {
	handle->asker = caller(req);
	if (poll != NULL) {
		watch_end(handle);
		handle->poll = poll;
		list_append(&handle->tree->watching, &handle->watching);
	}
	fuse_reply_poll(req, POLLIN | POLLRDNORM | (differs(handle) ? POLLPRI | POLLERR : 0));
}

void watch_end(struct handle *handle) {
	list_remove(&handle->watching);
	if (handle->poll != NULL) {
		fuse_pollhandle_destroy(take(handle->poll));
	}
}

static void on_look(void *data) {
	struct tree *tree = data;
	struct handle *handle;
	list_for_each(handle, &tree->watching, watching) {
		if (differs(handle)) {
			fuse_lowlevel_notify_poll(handle->poll);
			watch_end(handle);
		}
	}
}

static void on_changed(void *data) {
	struct tree *tree = data;
	if (!list_empty(&tree->watching)) {
		delay_arm(tree->look, DELAY_NEXT_ROUND);
	}
}

bool watch_begin(struct tree *tree) {
	list_init(&tree->watching);
	tree->look = delay_create(tree->engine->loop, on_look, tree, false);
	turn_table_watch(tree->engine->turns, on_changed, tree);
	return tree->look != NULL;
}
