/* attach/ as the kernel sees it: the files and links that wait there, and those that went with a
 * turn, in its attachments/. See core/engine/attach/attach.h for what becomes of them. */
#ifndef FS_FILE_ATTACH_H
#define FS_FILE_ATTACH_H

#include "core/engine/attach/attach.h"
#include "fs/file/handle.h"
#include "fs/file/scratch.h"
#include "fs/tree/node.h"

/* ---- nodes ---- */

/* What an id stands for; 0 or ESTALE. */
int attach_resolve(struct tree *tree, struct node *ret);
/* A name in attach/ of a place, or in attachments/ of a turn. */
bool attach_child(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret);
/* The next of these, by ids above `after`; its name goes to `ret_name`, which has room for 256
 * bytes. False at the end. */
bool attach_next(struct tree *tree, const struct node *directory, int64_t after, struct node *ret,
		char *ret_name);
/* Whether anything went with the turn. */
bool attach_any(struct tree *tree, int64_t turn);
/* Size and times. 0 or ESTALE. */
int attach_attributes(struct tree *tree, const struct node *node, struct stat *ret);

/* ---- names ---- */

/* Each 0 or an errno; the words are kept where `error` shows them. */
int attach_make(struct tree *tree, const struct node *directory, const char *name,
		const char *target, pid_t tid);
int attach_remove(struct tree *tree, const struct node *node, pid_t tid);
int attach_rename(struct tree *tree, const struct node *node, const struct node *to,
		const char *name, pid_t tid);
/* A scratch file becomes one that waits. */
int attach_scratch(struct tree *tree, const struct scratch *scratch, const struct node *to,
		const char *name, pid_t tid);

/* ---- open files ---- */

int attach_open(struct handle *handle, const struct node *node, pid_t tid);
void attach_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset);
/* The number of bytes taken, or a negative errno. */
ssize_t attach_write(
		struct handle *handle, const char *bytes, size_t size, off_t offset, pid_t tid);
void attach_flush(struct handle *handle, pid_t tid);
void attach_release(struct handle *handle);
/* With or without a handle; 0 or an errno. */
int attach_truncate(struct tree *tree, const struct node *node, struct handle *handle, off_t size,
		pid_t tid);

/* For engine_options.follow; `data` is the tree. */
bool attach_follow(void *data, struct place *place, const struct turn *turn, const char *target,
		char *path, size_t size, struct buf *text, struct fail *fail);

#endif
