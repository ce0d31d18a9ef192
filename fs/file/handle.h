/* An open file. It travels through the kernel as a number, so that it bears a mark which is checked
 * when it comes back. What may be done with it depends on its type; each type has a file of its
 * own. */
#ifndef FS_FILE_HANDLE_H
#define FS_FILE_HANDLE_H

#include "fs/tree/node.h"
#include "fs/tree/tree.h"

#define HANDLE_MAGIC 0x434f4e44u

enum handle_type {
	HANDLE_SMALL, /* shows a text; settings, ctl and key also take one: small.c */
	HANDLE_INPUT, /* input, open for writing: input.c */
	HANDLE_RPC, /* rpc, open for writing: rpc.c */
	HANDLE_ESTIMATE, /* estimate, open for writing: estimate.c */
	HANDLE_OUTPUT, /* a turn's output: output.c */
	HANDLE_TURN_FILE, /* another of a turn's files: handle.c */
	HANDLE_SCRATCH, /* scratch.c */
	HANDLE_ATTACHMENT, /* attach.c */
};

struct handle {
	unsigned magic;
	enum handle_type type;
	struct list link; /* in the tree's open files */
	struct tree *tree;
	uint64_t number; /* inode */
	int flags; /* of open(2) */

	/* HANDLE_ESTIMATE: what was measured of the prompt; `text` is the answer. */
	uint64_t bytes, wide;

	/* HANDLE_SMALL: what it showed at the open; what came and isn't done with; who writes. */
	struct buf text;
	struct buf written;
	bool wrote, refused;
	bool overflowed; /* more came than is taken: nothing more is, until it is truncated */
	struct chain writer; /* of HANDLE_INPUT too */

	/* HANDLE_INPUT and HANDLE_RPC: the turn that the bytes go to, from the first one on. The
	 * others: the turn that is read. */
	struct turn *turn;
	enum turn_file file; /* of HANDLE_TURN_FILE */
	/* Of a group's input: its turn at each member, `turn` among them. */
	struct turn **turns;
	size_t n_turns;
	bool continues, has_base, rebased, killed;
	int64_t told; /* id of the turn whose prompt was told to be media, or not; 0 for none */
	bool media;
	uint64_t base; /* offset in the file of the prompt's first byte */
	int32_t last_thread; /* that wrote, and the process it belongs to */
	int32_t last_writer;

	/* HANDLE_OUTPUT and HANDLE_RPC: reads that wait, and who polls. */
	struct list parked;
	struct turn_watch watch;
	struct fuse_pollhandle *poll;
	uint64_t answer_base; /* offset in the file of the answer's first byte */
	uint64_t read_to; /* where in the answer the last read ended: poll tells of what is beyond
			   */

	int refusal; /* HANDLE_RPC: the errno of a write, which the next read ends with */

	/* HANDLE_SMALL of a status: who read or polls, and `poll`; see watch.c. */
	struct list watching; /* in the tree's list of those that are polled */
	int32_t asker;
	bool was_read;

	struct scratch *scratch;

	/* HANDLE_ATTACHMENT: `wrote` until it is flushed; the id while it waits, else 0. */
	int fd;
	int64_t attachment;
};

/* ---- handle.c ---- */

/* Opens a node for a caller: the handle, or NULL with an errno in `ret_failed`. Sets in `info` what
 * the kernel is told, the handle's number included. */
struct handle *handle_open(struct tree *tree, const struct node *node, int flags, pid_t tid,
		struct fuse_file_info *info, int *ret_failed);
/* The handle that the kernel names; NULL when it is none of ours. */
struct handle *handle_of(const struct fuse_file_info *info);
/* The last close. */
void handle_close(struct handle *handle);
/* The mount ends: closes what is still open. Prompts that nobody closed aren't sent. */
void handles_close(struct tree *tree);
bool handle_writes(const struct handle *handle);
/* Which of a turn's files a kind is; -1 for what isn't one. */
int turn_file_of(enum kind kind);

/* The process that a thread belongs to; 0 when it is gone or hidden. */
int32_t process_of(pid_t tid);

/* ---- small.c ---- */

/* Whether it is a status that poll(2) tells of. */
bool handle_polls(const struct handle *handle);
int small_open(struct handle *handle, const struct node *node, pid_t tid);
void small_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset);
/* Each returns 0 or an errno. */
int small_write(struct handle *handle, const char *bytes, size_t size);
int small_flush(struct handle *handle);
void small_release(struct handle *handle);
/* A whole text at once (`mv tmp config/system`). */
int small_whole(struct tree *tree, const struct node *node, const char *text, size_t size,
		pid_t tid);

/* ---- watch.c ---- */

/* Looks at turns for who will poll; false without memory. */
bool watch_begin(struct tree *tree);
/* A status is read anew: its text as it is now. False when the file is gone. */
bool watch_refresh(struct handle *handle, pid_t tid);
void watch_poll(struct handle *handle, fuse_req_t req, struct fuse_pollhandle *poll);
/* Nobody polls this handle any more. */
void watch_end(struct handle *handle);

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

/* ---- rpc.c ---- */

/* The same as input's, but the turn is private to the descriptor. */
int rpc_open(struct handle *handle, const struct node *node, pid_t tid);
ssize_t rpc_write(struct handle *handle, const char *bytes, size_t size, off_t offset, pid_t tid);
/* The first read after a write sends it. */
void rpc_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset, bool wait);
void rpc_poll(struct handle *handle, fuse_req_t req, struct fuse_pollhandle *poll, bool reads);
/* Ends the turn, if it isn't over. */
void rpc_release(struct handle *handle);

/* ---- estimate.c ---- */

void estimate_open(struct handle *handle);
/* Measures what is written, and keeps none of it. The number of bytes, or a negative errno. */
ssize_t estimate_write(struct handle *handle, const char *bytes, size_t size, off_t offset);
/* The answer begins where the writing ended. */
void estimate_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset);

/* ---- output.c ---- */

/* Answers, or keeps the request until bytes come or the turn ends. */
void output_read(struct handle *handle, fuse_req_t req, size_t size, off_t offset, bool wait);
void output_poll(struct handle *handle, fuse_req_t req, struct fuse_pollhandle *poll);
/* Nobody waits on this handle any more; lets the turn go. */
void output_release(struct handle *handle);

#endif
