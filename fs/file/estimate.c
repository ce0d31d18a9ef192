/* estimate: what a prompt would cost, on one descriptor: write, then read (`exec 3<>estimate; cat
 * doc >&3; cat <&3`). Nothing is kept of the prompt, and nothing is sent. */
#include "core/engine/money/estimate.h"

#include "fs/content/show.h"
#include "fs/file/handle.h"

#include <errno.h>

SHOW(show_estimate_help) {
	(void)tree, (void)node, (void)tid;
	return buf_add_string(out, "# What a prompt would cost; nothing is sent. Write and read "
				   "one descriptor:\n"
				   "#   exec 3<>estimate; cat doc >&3; cat <&3; exec 3>&-\n");
}

void estimate_open(struct handle *handle) {
	handle->type = HANDLE_ESTIMATE;
}

ssize_t estimate_write(struct handle *handle, const char *bytes, size_t size, off_t offset) {
	/* After an answer another prompt begins. */
	if (handle->text.size != 0) {
		buf_clear(&handle->text);
		handle->bytes = handle->wide = 0;
	}
	uint64_t most = handle->tree->engine->config.prompt_most;
	if (size > most - handle->bytes) {
		return -EFBIG;
	}
	for (size_t i = 0; i < size; i++) {
		handle->wide += (unsigned char)bytes[i] >= 0x80;
	}
	handle->bytes += size;
	handle->answer_base = (uint64_t)offset + size;
	return (ssize_t)size;
}

static int answer(struct handle *handle) {
	cleanup_fail struct fail fail = {0};
	struct estimate estimate;
	struct node node;
	struct buf *out = &handle->text;
	struct input_size size = {.bytes = handle->bytes, .wide = handle->wide};
	int failed = node_resolve(handle->tree, handle->number, &node);
	if (failed != 0) {
		return failed;
	}
	if (!estimate_prompt_at(handle->tree->engine, node.place, &size, &estimate, &fail)) {
		return fail.code;
	}
	show_count(out, "prompt_tokens", estimate.prompt);
	show_count(out, "prompt_tokens_most", estimate.prompt_most);
	show_count(out, "completion_tokens_most", estimate.completion_most);
	show_usd(out, "price_prompt", estimate.cost_prompt);
	show_usd(out, "price_most", estimate.cost_most);
	return out->failed ? ENOMEM : 0;
}

void estimate_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset) {
	if (handle->bytes == 0 || (uint64_t)offset < handle->answer_base) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	int failed = handle->text.size == 0 ? answer(handle) : 0;
	uint64_t from = (uint64_t)offset - handle->answer_base;
	if (failed != 0) {
		fuse_reply_err(req, failed);
	} else if (from >= handle->text.size) {
		fuse_reply_buf(req, NULL, 0);
	} else {
		size_t left = handle->text.size - (size_t)from;
		fuse_reply_buf(req, handle->text.data + from, left < size ? left : size);
	}
}
