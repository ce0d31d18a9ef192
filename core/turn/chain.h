/* Who asks: processes as the kernel knows them, and the line of parents above one. Knows nothing of
 * turns. Reads only /proc/ID/stat and /proc/ID/status: other files there take the lock of a process
 * that may be waiting for us. Where /proc is hidden everything here says "nothing known". */
#ifndef CORE_TURN_CHAIN_H
#define CORE_TURN_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A process, told apart from a later one that was given the same pid. */
struct process_id {
	int32_t pid;
	uint64_t start; /* field 22 of /proc/PID/stat: clock ticks after boot */
};

#define CHAIN_MOST 32

/* A process and its parents, itself first. Pid 1 is left out: everything descends from it. */
struct chain {
	size_t n; /* 0: nothing known */
	struct process_id ids[CHAIN_MOST];
};

/* Steps up a chain one process at a time, so that who finds what they look for early reads no
 * further. */
struct chain_walk {
	int32_t next; /* pid to read next; 0: the end */
	uint64_t start; /* of the one read last */
	unsigned steps;
};

/* Begins with the process that `id` belongs to: a pid or the id of a thread, as FUSE hands it. */
void chain_walk_begin(struct chain_walk *walk, pid_t id);
/* The next process upward; false at the end: pid 1 or 0, CHAIN_MOST steps, a process that is gone,
 * or a "parent" younger than its child, whose pid was used again. */
bool chain_walk_next(struct chain_walk *walk, struct process_id *ret);

/* The whole chain of a pid or thread; ret->n is 0 when `id` is 0, gone or hidden. */
void chain_capture(pid_t id, struct chain *ret);

/* The signal that ends this process or thread: it is exiting, or is not yet waited for, and a
 * signal was the cause (13 for SIGPIPE, as any other). 0 while it lives, when it exits by itself,
 * and when that can't be read. From field 52 of /proc/ID/stat. */
int process_signal(pid_t id);

/* The name of a process or thread (comm, at most 15 bytes), control bytes replaced by '?'. "" when
 * it is gone or hidden. */
void process_name(pid_t id, char *ret, size_t size);

#endif
