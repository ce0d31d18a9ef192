/* One running conduitfs-provider: its socket, its stderr, its end. It is watched: one that isn't
 * ready in time, or acknowledges nothing while something waits for it, is killed. What it says goes
 * to its process (internal.h); a child whose process is gone only waits to be reaped. */
#ifndef CORE_PROCESS_CHILD_H
#define CORE_PROCESS_CHILD_H

#include "core/process/launch.h"
#include "core/process/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct process;

/* A line of its stderr is cut into pieces of this size. */
#define CHILD_LINE_MOST 512

struct child {
	struct process *process; /* NULL once it was let go */
	struct launched launched;
	uv_signal_t ended; /* SIGCHLD */
	uv_poll_t socket_poll, log_poll;
	uv_timer_t watch;
	unsigned n_handles; /* open, or closing */
	struct queue queue;
	bool ready;
	bool killed; /* by us, or its socket is broken: nothing more is said to it */
	bool idle; /* killed for having nothing to do */
	bool reaped;
	char *reason; /* why it was killed, or what it said when it refused to start; owned */
	bool refused;
	size_t unacknowledged; /* messages */
	unsigned silent_ticks; /* of the watch, without an acknowledgement */
	char line[CHILD_LINE_MOST + 1]; /* of stderr, not ended yet */
	size_t line_size;
	char last_line[CHILD_LINE_MOST + 1]; /* the last that was ended: often says why it died */
};

/* Starts one; NULL with words. */
struct child *child_start(struct process *process, char *const *arguments, struct fail *fail);
/* Queues a message; false without memory. */
bool child_put(struct child *child, struct wire_message *message);
/* Queues what was gathered before. `acknowledged`: how many of its messages will be. */
void child_move(struct child *child, struct queue *from, size_t acknowledged);
/* Sends what the socket takes. */
void child_flush(struct child *child);
/* An ACK came; false when nothing was waiting for one. */
bool child_acknowledged(struct child *child);
void child_ready(struct child *child);
/* Kills it, for the reason given; the first reason stays. Its end is told to the process from the
 * loop. */
void child_kill(struct child *child, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Kills it and tells nobody; it frees itself when it has been reaped. */
void child_let_go(struct child *child);
/* How it ended, after "provider NAME ": to be freed; NULL without memory. `status` as of
 * waitid. */
char *child_cause(const struct child *child, int code, int status);

#endif
