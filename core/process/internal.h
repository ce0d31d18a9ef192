/* What the files of this folder share: the insides of a process and of a job. */
#ifndef CORE_PROCESS_INTERNAL_H
#define CORE_PROCESS_INTERNAL_H

#include "core/base/list.h"
#include "core/process/child.h"
#include "core/process/process.h"
#include "core/process/queue.h"

/* Data of one job that may wait for acknowledgement, and when there is room again. */
#define JOB_UNACKNOWLEDGED_MOST ((size_t)256 << 10)
#define JOB_UNACKNOWLEDGED_LOW (JOB_UNACKNOWLEDGED_MOST / 2)
/* What may wait for one provider's socket, and when there is room again. */
#define QUEUE_MOST ((size_t)1 << 20)
#define QUEUE_LOW (QUEUE_MOST / 2)
/* Parts of requests and models' raw that all jobs of a provider together may have begun. */
#define GATHERED_MOST ((size_t)16 << 20)

struct process {
	uv_loop_t *loop;
	struct process_options options; /* strings owned */
	struct list jobs; /* struct job.link */
	uint64_t last_job; /* id; none is used again */
	struct child *child; /* NULL while none runs or dies */
	uv_timer_t work; /* at once, or at the restart */
	uv_timer_t idle;
	unsigned n_handles;
	bool destroyed;
	unsigned crashes; /* in a row, without a job that succeeded in between */
	uint64_t not_before; /* uv_now of the next start */
	char *last_cause; /* why the last one ended, after "provider NAME "; owned */
	size_t gathered; /* bytes, see GATHERED_MOST */
	uint64_t log_second; /* the second in which log_lines lines were passed on */
	unsigned log_lines, log_dropped;
};

struct job {
	struct list link;
	struct process *process;
	uint64_t id;
	struct job_events events;
	void *data;
	bool discovery;
	struct queue opening; /* what begins it, until the child takes it */
	bool started; /* the child has it */
	bool ended; /* within its `end` event */
	bool pending; /* a request, a read or a program is under way */
	bool paused; /* job_data said false */
	size_t unacknowledged; /* bytes of data */
	struct fail doom; /* code != 0: to be ended from the loop */
	struct body body; /* of the request that is being described */
	size_t body_bytes, body_capacity;
	struct buf raw; /* of the model that is being described */
	struct buf limits; /* the same, as limit.h has them */
	size_t n_limits;
	struct job_argument *arguments; /* of the program that is being described */
	size_t n_arguments, argument_bytes;
};

/* ---- process.c ---- */

/* Has process_work run from the loop, soon. */
void process_schedule(struct process *process);
/* A line of ours for the provider's log. */
void process_log(struct process *process, const char *format, ...)
		__attribute__((format(printf, 2, 3)));
/* A line of the provider's, made plain; too many in a second are dropped and counted. */
void process_provider_line(struct process *process, const char *line, size_t size);
/* The child has ended, and was reaped: `code` and `status` as of waitid. The child isn't used
 * afterwards. */
void process_child_ended(struct process *process, struct child *child, int code, int status);

/* ---- job.c ---- */

struct job *job_find(struct process *process, uint64_t id);
/* Unlinks, tells, frees. */
void job_end(struct job *job, const struct job_result *result);
/* The same with a failure of ours. */
void job_end_failed(struct job *job, int code, bool crashed, const char *words);
/* Unlinks and frees, telling nobody. */
void job_free(struct job *job);
/* Forgets the parts of a request, the raw and the limits that were gathered. */
void job_forget_gathered(struct job *job);
/* Events for the jobs that may go on; at most one for each. */
void job_resume_all(struct process *process);
/* Hands the openings over for which there is room. */
void job_start_all(struct process *process);

/* ---- opening.c ---- */

bool opening_discover(struct job *job, struct fail *fail);
bool opening_look_up(struct job *job, const char *id, struct fail *fail);
bool opening_turn(struct job *job, const struct job_turn *turn, struct fail *fail);

/* ---- receive.c ---- */

/* Deals with a packet from the child: events of jobs. False with words when it is none that a
 * provider may send; the rest of it is then ignored. An event may have destroyed the process:
 * look at `destroyed`. */
bool process_packet(struct process *process, const uint8_t *bytes, size_t size, struct fail *fail);

/* ---- request.c ---- */

/* A piece of the next request's body; false with words when a bound is broken. */
bool request_add_part(struct job *job, const struct wire_request_part *part, struct fail *fail);
/* Raises the job's `request` event, or ends the job when the request is unfit to be sent. */
void request_begin(struct job *job, const struct wire_request *request);

/* Raises the job's `on_cancel` event, or ends the job when the request is unfit to be sent. */
void request_on_cancel(struct job *job, const struct wire_on_cancel *on_cancel);

/* ---- run.c ---- */

/* An argument of the next program; false with words when a bound is broken. */
bool run_add_part(struct job *job, const struct wire_run_part *part, struct fail *fail);
/* Raises the job's `run` event, or ends the job when the program is unfit to be run. */
void run_begin(struct job *job, const struct wire_run *run);
void run_forget_gathered(struct job *job);

/* ---- model.c ---- */

bool model_add_raw(struct job *job, const struct wire_bytes *bytes, struct fail *fail);
bool model_add_limit(struct job *job, const struct wire_limit *limit, struct fail *fail);
/* Raises the job's `model` event. */
void model_emit(struct job *job, const struct wire_model *model);

#endif
