/* Reading a turn's output: what has come, waiting while the turn runs, the end, or after it the
 * errno of its failure (design section 3, points 6, 7 and 9). The one place where a request waits.
 */
#include "fs/file/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

/* A read that waits. The kernel's request is answered once: by bytes, the end, or an interrupt. */
struct parked {
	struct list link;
	struct handle *handle;
	fuse_req_t req;
	size_t size;
	off_t offset;
};

/* Answers if there is something to say; false when the read has to wait. */
static bool answer(struct handle *handle, fuse_req_t req, size_t size, off_t offset) {
	struct turn *turn = handle->turn;
	offset -= (off_t)handle->answer_base;
	uint64_t have = turn->row.output_size;
	if ((uint64_t)offset < have) {
		uint64_t left = have - (uint64_t)offset;
		size_t wanted = left < size ? (size_t)left : size;
		cleanup_free char *bytes = malloc(wanted);
		int fd = turn_open_file(turn, TURN_OUTPUT, false);
		ssize_t got = bytes != NULL && fd >= 0 ? pread(fd, bytes, wanted, offset) : -1;
		if (got < 0) {
			fuse_reply_err(req, bytes == NULL ? ENOMEM : errno);
		} else {
			handle->read_to = (uint64_t)offset + (uint64_t)got;
			fuse_reply_buf(req, bytes, (size_t)got);
		}
		return true;
	}
	if (!turn_over(turn)) {
		return false;
	}
	int failed = turn_error(turn);
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else {
		fuse_reply_buf(req, NULL, 0);
	}
	return true;
}

static void unpark(struct parked *parked) {
	list_remove(&parked->link);
	fuse_req_interrupt_func(parked->req, NULL, NULL);
}

static void on_turn_changed(struct turn_watch *watch) {
	struct handle *handle = list_entry(watch, struct handle, watch);
	struct parked *parked;
	list_for_each(parked, &handle->parked, link) {
		bool wanted = turn_over(handle->turn) ||
			      (uint64_t)parked->offset - handle->answer_base <
					      handle->turn->row.output_size;
		if (wanted) {
			unpark(parked);
			answer(handle, parked->req, parked->size, parked->offset);
			free(parked);
		}
	}
	if (handle->poll != NULL) {
		struct fuse_pollhandle *poll = take(handle->poll);
		fuse_lowlevel_notify_poll(poll);
		fuse_pollhandle_destroy(poll);
	}
	if (list_empty(&handle->parked)) {
		list_remove(&watch->link);
	}
}

static void watch(struct handle *handle) {
	if (!list_linked(&handle->watch.link)) {
		handle->watch.changed = on_turn_changed;
		list_append(&handle->turn->watches, &handle->watch.link);
	}
}

/* A signal came to the reader: that read ends, the turn goes on. */
static void on_interrupt(fuse_req_t req, void *data) {
	struct parked *parked = data;
	list_remove(&parked->link);
	free(parked);
	fuse_reply_err(req, EINTR);
}

void output_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset, bool wait) {
	if (answer(handle, req, size, offset)) {
		return;
	}
	if (!wait) {
		fuse_reply_err(req, EAGAIN);
		return;
	}
	struct parked *parked = calloc(1, sizeof(*parked));
	if (parked == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*parked = (struct parked){.handle = handle, .req = req, .size = size, .offset = offset};
	list_append(&handle->parked, &parked->link);
	watch(handle);
	/* May call on_interrupt at once: nothing of `parked` is touched after it. */
	fuse_req_interrupt_func(req, on_interrupt, parked);
}

void output_poll(struct handle *handle, fuse_req_t req, struct fuse_pollhandle *poll) {
	/* The kernel doesn't tell a reader's position: it is taken to be where the last read ended.
	 */
	bool readable = turn_over(handle->turn) || handle->turn->row.output_size > handle->read_to;
	if (poll != NULL) {
		if (handle->poll != NULL) {
			fuse_pollhandle_destroy(handle->poll);
		}
		handle->poll = poll;
		if (!turn_over(handle->turn)) {
			watch(handle);
		}
	}
	fuse_reply_poll(req, readable ? POLLIN | POLLRDNORM : 0);
}

void output_release(struct handle *handle) {
	struct parked *parked;
	list_for_each(parked, &handle->parked, link) {
		unpark(parked);
		fuse_reply_err(parked->req, EINTR);
		free(parked);
	}
	list_remove(&handle->watch.link);
	if (handle->poll != NULL) {
		fuse_pollhandle_destroy(take(handle->poll));
	}
	turn_release(take(handle->turn));
}
