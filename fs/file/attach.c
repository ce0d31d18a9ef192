/* Names and open files in attach/: see attach.h. */
#include "fs/file/attach.h"

#include "fs/content/show.h"
#include "fs/tree/results.h"
#include "fs/tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

static int refused(struct tree *tree, int64_t place, pid_t tid, const struct fail *why) {
	struct chain who;
	struct place *at = catalogue_place(tree->engine->catalogue, place);
	chain_capture(tid, &who);
	if (at != NULL) {
		engine_note(tree->engine, at, &who, why);
	}
	return why->code != 0 ? why->code : EIO;
}

static struct attachment *waiting(struct tree *tree, int64_t id) {
	return attachment_get(tree->engine->attachments, id);
}

/* ---- names ---- */

int attach_make(struct tree *tree, const struct node *directory, const char *name,
		const char *target, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	return attachment_make(tree->engine->attachments, directory->id, name, target, &fail) !=
					       NULL
			       ? 0
			       : refused(tree, directory->id, tid, &fail);
}

int attach_remove(struct tree *tree, const struct node *node, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	struct attachment *attachment = waiting(tree, node->id);
	if (attachment == NULL) {
		return ENOENT;
	}
	int64_t place = attachment->place;
	return attachment_remove(tree->engine->attachments, attachment, &fail)
			       ? 0
			       : refused(tree, place, tid, &fail);
}

int attach_rename(struct tree *tree, const struct node *node, const struct node *to,
		const char *name, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	struct attachment *attachment = waiting(tree, node->id);
	if (attachment == NULL) {
		return ENOENT;
	}
	if (to->entry->kind != KIND_ATTACH) {
		return EPERM;
	}
	return attachment_rename(tree->engine->attachments, attachment, to->id, name, &fail)
			       ? 0
			       : refused(tree, to->id, tid, &fail);
}

static bool fill(struct attachments *attachments, struct attachment *attachment,
		const struct buf *data, struct fail *fail) {
	cleanup_close int fd = attachment_open(attachments, attachment, O_WRONLY);
	if (fd < 0) {
		return fail_set(fail, errno, "attach/%s: %s", attachment->name, strerror(errno));
	}
	attachment_writing(attachment, fd);
	bool filled = attachment_write(
			attachments, attachment, fd, buf_string(data), data->size, 0, fail);
	attachment_written(attachment, fd, false);
	return filled;
}

int attach_scratch(struct tree *tree, const struct scratch *scratch, const struct node *to,
		const char *name, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	struct attachments *attachments = tree->engine->attachments;
	/* What bears the name goes when the new one is there whole. */
	char beside[NAME_MAX + 8];
	snprintf(beside, sizeof(beside), "%s.new", name);
	bool replaces = attachment_find(attachments, to->id, name) != NULL;
	struct attachment *made = attachment_make(
			attachments, to->id, replaces ? beside : name, scratch->target, &fail);
	bool filled = made != NULL &&
		      (scratch->target != NULL || fill(attachments, made, &scratch->data, &fail));
	if (filled && (!replaces || attachment_rename(attachments, made, to->id, name, &fail))) {
		return 0;
	}
	if (made != NULL) {
		attachment_remove(attachments, made, NULL);
	}
	return refused(tree, to->id, tid, &fail);
}

SHOW(show_attached_link) {
	(void)tid;
	const struct attachment *attachment = waiting(tree, node->id);
	return attachment != NULL && attachment->target != NULL &&
	       buf_add_string(out, attachment->target);
}

/* ---- open files ---- */

/* Of a turn's: its path, by its row. */
struct opening {
	struct store *store;
	char path[PATH_MAX];
	bool found;
};

static void on_row(void *data, const struct attachment_row *row) {
	struct opening *opening = data;
	opening->found = store_attached_path(
			opening->store, row->turn, row->name, opening->path, sizeof(opening->path));
}

static int open_turns(struct handle *handle, const struct node *node) {
	struct opening opening = {.store = handle->tree->engine->store};
	if (handle_writes(handle)) {
		return EACCES;
	}
	if (!store_attachment_get(opening.store, node->id, on_row, &opening) || !opening.found) {
		return ESTALE;
	}
	handle->fd = open(opening.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return handle->fd >= 0 ? 0 : errno;
}

int attach_open(struct handle *handle, const struct node *node, pid_t tid) {
	struct tree *tree = handle->tree;
	handle->type = HANDLE_ATTACHMENT;
	if (node->entry->kind == KIND_TURN_ATTACHMENT) {
		return open_turns(handle, node);
	}
	if (node->entry->kind == KIND_ARTIFACT) {
		handle->fd = artifact_open(tree, node);
		return handle->fd >= 0 ? 0 : errno;
	}
	struct attachment *attachment = waiting(tree, node->id);
	if (attachment == NULL) {
		return ESTALE;
	}
	handle->fd = attachment_open(tree->engine->attachments, attachment,
			handle_writes(handle) ? O_RDWR : O_RDONLY);
	if (handle->fd < 0) {
		return errno;
	}
	handle->attachment = attachment->id;
	chain_capture(tid, &handle->writer);
	if (!handle_writes(handle)) {
		return 0;
	}
	int failed = (handle->flags & O_TRUNC) != 0 ? attach_truncate(tree, node, handle, 0, tid)
						    : 0;
	if (failed != 0) {
		close(take_fd(&handle->fd));
		return failed;
	}
	attachment_writing(attachment, handle->fd);
	handle->wrote = true;
	return 0;
}

void attach_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset) {
	cleanup_free char *bytes = malloc(size);
	ssize_t got = bytes != NULL ? pread(handle->fd, bytes, size, offset) : -1;
	if (got < 0) {
		fuse_reply_err(req, bytes != NULL ? errno : ENOMEM);
	} else {
		fuse_reply_buf(req, bytes, (size_t)got);
	}
}

ssize_t attach_write(
		struct handle *handle, const char *bytes, size_t size, off_t offset, pid_t tid) {
	cleanup_fail struct fail fail = {0};
	struct tree *tree = handle->tree;
	struct attachment *attachment = waiting(tree, handle->attachment);
	if (attachment == NULL) {
		/* It went with a prompt, or was removed. */
		return -ESTALE;
	}
	if (!handle->wrote) {
		handle->wrote = true;
		attachment_writing(attachment, handle->fd);
	}
	if (tid != handle->last_thread) {
		handle->last_thread = tid;
		handle->last_writer = process_of(tid);
	}
	handle->killed = false;
	if (!attachment_write(tree->engine->attachments, attachment, handle->fd, bytes, size,
			    (uint64_t)offset, &fail)) {
		struct place *place = catalogue_place(tree->engine->catalogue, attachment->place);
		if (place != NULL) {
			engine_note(tree->engine, place, &handle->writer, &fail);
		}
		return -fail.code;
	}
	return (ssize_t)size;
}

/* Nobody writes any more, as far as can be told; one that writes on does so again. */
static void stop_writing(struct handle *handle) {
	struct attachment *attachment = waiting(handle->tree, handle->attachment);
	if (handle->wrote && attachment != NULL) {
		attachment_written(attachment, handle->fd, handle->killed);
	}
	handle->wrote = false;
}

void attach_flush(struct handle *handle, pid_t tid) {
	int signal = handle->wrote ? process_signal(tid) : 0;
	handle->killed = handle->killed || (signal != 0 && signal != SIGPIPE &&
							   process_of(tid) == handle->last_writer);
	stop_writing(handle);
}

void attach_release(struct handle *handle) {
	stop_writing(handle);
	close(take_fd(&handle->fd));
}

int attach_truncate(struct tree *tree, const struct node *node, struct handle *handle, off_t size,
		pid_t tid) {
	cleanup_fail struct fail fail = {0};
	struct attachments *attachments = tree->engine->attachments;
	struct attachment *attachment = waiting(tree, node->id);
	if (node->entry->kind != KIND_ATTACHMENT || attachment == NULL) {
		return node->entry->kind != KIND_ATTACHMENT ? EACCES : ESTALE;
	}
	cleanup_close int own = -1;
	int fd = handle != NULL && handle->type == HANDLE_ATTACHMENT ? handle->fd : -1;
	if (fd < 0) {
		fd = own = attachment_open(attachments, attachment, O_RDWR);
	}
	if (fd < 0) {
		return errno;
	}
	return attachment_truncate(attachments, attachment, fd, (uint64_t)size, &fail)
			       ? 0
			       : refused(tree, attachment->place, tid, &fail);
}
