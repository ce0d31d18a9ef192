/* What the halves of the queue kit share: the way to a result, and the result itself. */
#ifndef CORE_PROVIDER_KIT_QUEUE_STATE_H
#define CORE_PROVIDER_KIT_QUEUE_STATE_H

#include "core/base/buf.h"

#include <conduit/kit/queue.h>
#include <conduit/kit/sse.h>

enum queue_phase {
	QUEUE_LOOK, /* what has to be known before the job is submitted */
	QUEUE_SUBMIT,
	QUEUE_POLL,
	QUEUE_STREAM, /* the text as it comes; polls follow */
	QUEUE_RESULT,
	QUEUE_FILE,
};

struct queue_file {
	char *url, *type, *name; /* type and name may be NULL */
};

struct queue {
	unsigned magic;
	struct conduit_queue how;
	struct conduit_job *job;
	struct conduit_turn *turn; /* a copy, until it is submitted */
	bool makes_files; /* the turn asks for pictures, sound …: no text is its result */
	enum queue_phase phase;
	int status; /* of the reply under way */
	char content_type[128];
	struct buf reply;
	char *poll; /* the URL */
	uint32_t interval; /* ms */
	struct conduit_sse *sse;
	bool streamed; /* a stream was asked for */
	size_t streamed_bytes; /* of the result's text, put out already */
	struct queue_file *files;
	size_t n_files, next_file, files_left_out;
	bool over; /* the kit has failed the job */
};

/* The job's, if the kit began it. */
struct queue *queue_of(struct conduit_job *job);
/* Ends the job well, or goes on with the next of the files that are left. */
void queue_next_file(struct queue *queue);
void queue_files_free(struct queue *queue);
void queue_fail(struct conduit_job *job, enum conduit_kind kind, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

#endif
