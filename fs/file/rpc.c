/* rpc: a private call on one descriptor: write, then read (`exec 3<>rpc; echo q >&3; cat <&3`). The
 * first read after a write sends the prompt, the answer begins where the writing ended, and closing
 * ends the turn. It is nobody's newest turn: 500 at once never mix. */
#include "fs/file/handle.h"

#include <errno.h>
#include <poll.h>

int rpc_open(struct handle *handle, const struct node *node, pid_t tid) {
	int failed = input_open(handle, node, tid);
	handle->type = HANDLE_RPC;
	/* Without a chain it belongs to no process but the one that holds the descriptor. */
	handle->writer.n = 0;
	/* A conversation is begun by each call, whatever the descriptor's flags. */
	handle->continues = false;
	return failed;
}

ssize_t rpc_write(struct handle *handle, const char *bytes, size_t size, off_t offset, pid_t tid) {
	if (handle->refusal != 0) {
		/* What is left of a prompt that was refused isn't another one. */
		return -handle->refusal;
	}
	if (handle->turn != NULL && handle->turn->row.state != TURN_OPEN &&
			!turn_over(handle->turn)) {
		/* One call at a time: its answer hasn't been read yet. */
		return -EBUSY;
	}
	ssize_t written = input_write(handle, bytes, size, offset, tid);
	if (written < 0 && (handle->refused || handle->turn == NULL)) {
		handle->refusal = (int)-written;
	}
	return written;
}

/* The call ended with its refusal; what is written next is a new one. */
static int end_refused(struct handle *handle) {
	int failed = handle->refusal;
	struct turn *turn = take(handle->turn);
	if (turn != NULL) {
		engine_drop(handle->tree->engine, turn);
		turn_release(turn);
	}
	handle->refusal = 0;
	handle->refused = handle->has_base = false;
	handle->rebased = true;
	return failed;
}

/* Sends what was written since the last answer. */
static void send_written(struct handle *handle) {
	struct turn *turn = handle->turn;
	if (turn != NULL && turn->row.state == TURN_OPEN && !handle->refused) {
		handle->answer_base = handle->base + turn->row.prompt_size;
		handle->read_to = 0;
		engine_submit(handle->tree->engine, turn);
	}
}

void rpc_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset, bool wait) {
	if (handle->refusal != 0) {
		fuse_reply_err(req, end_refused(handle));
		return;
	}
	send_written(handle);
	if (handle->turn == NULL || (uint64_t)offset < handle->answer_base) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	output_read(handle, req, size, offset, wait);
}

void rpc_poll(struct handle *handle, fuse_req_t req, struct fuse_pollhandle *poll, bool reads) {
	if (reads) {
		/* Who waits for an answer would wait for ever. */
		send_written(handle);
	}
	if (handle->turn == NULL || handle->turn->row.state == TURN_OPEN) {
		bool refused = handle->refusal != 0;
		if (poll != NULL) {
			fuse_pollhandle_destroy(poll);
		}
		fuse_reply_poll(req,
				refused ? POLLIN | POLLRDNORM | POLLERR : POLLOUT | POLLWRNORM);
		return;
	}
	output_poll(handle, req, poll);
}

void rpc_release(struct handle *handle) {
	struct engine *engine = handle->tree->engine;
	struct turn *turn = handle->turn;
	if (turn != NULL && turn->row.state == TURN_OPEN) {
		engine_drop(engine, turn);
	} else if (turn != NULL && !turn_over(turn)) {
		engine_cancel(engine, turn, NULL);
	}
	output_release(handle);
}
