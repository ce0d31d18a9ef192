/* An open file. It travels through the kernel as a number, so that it bears a mark which is checked
 * when it comes back. */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include "fs/node.h"
#include "fs/tree.h"

#define HANDLE_MAGIC 0x434f4e44u

struct handle {
	unsigned magic;
	struct tree *tree;
	uint64_t number; /* inode */
	int flags;	 /* of open(2) */

	/* A file that shows text: what it showed at the open. */
	struct buf text;
	/* A small file that is written: what came and isn't done with; who wrote. */
	struct buf written;
	bool wrote, refused;
	struct chain writer;

	/* input: the turn that its bytes go to, from the first byte on. See input.c. */
	struct turn *turn;
	bool is_input, continues, has_base, rebased, killed;
	uint64_t base; /* offset in the file of the prompt's first byte */
	int32_t last_thread; /* that wrote, and the process it belongs to */
	int32_t last_writer;

	/* A turn's output: reads that wait, and who polls. See output.c. */
	struct list parked;
	struct turn_watch watch;
	struct fuse_pollhandle *poll;

	struct scratch *scratch;
};

/* ---- input.c ---- */

/* Opening input for writing: 0, or the errno of a refusal, which is kept as the caller's turn. */
int input_open(struct handle *handle, const struct node *node, pid_t tid);
/* The number of bytes taken, or a negative errno. */
ssize_t input_write(struct handle *handle, const char *bytes, size_t size, off_t offset, pid_t tid);
int input_truncate(struct handle *handle, off_t size);
void input_flush(struct handle *handle, pid_t tid);
/* The last close: submits what was written. */
void input_release(struct handle *handle);
/* A whole prompt at once (`mv tmp input`): 0 or an errno. */
int input_whole(struct tree *tree, const struct node *node, const char *bytes, size_t size,
		pid_t tid);

/* ---- output.c ---- */

/* Answers, or keeps the request until bytes come or the turn ends. */
void output_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset, bool wait);
void output_poll(struct handle *handle, fuse_req_t req, struct fuse_pollhandle *poll);
/* The file is closed: nobody waits any more. */
void output_release(struct handle *handle);

#endif
