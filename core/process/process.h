/* A provider's process as the daemon sees it: spawned on first use (conduitfs-provider, sandboxed),
 * spoken to over one SEQPACKET socketpair, ended when idle, restarted with back-off after a crash,
 * killed when it stops acknowledging. What comes over the socket is untrusted: a message that is
 * short, long or senseless ends the process, never the daemon.
 *
 * A job is a discovery, a look-up or a turn. It lives from the call that begins it to its `end`
 * event or job_cancel. All on the loop's thread; events never come from inside a call made here. */
#ifndef CORE_PROCESS_PROCESS_H
#define CORE_PROCESS_PROCESS_H

#include "core/base/fail.h"
#include "core/transfer/body.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct process;
struct job;

struct process_options {
	const char *name; /* the provider's name in the tree, for words and for the log */
	const char *runner; /* absolute path of conduitfs-provider */
	const char *object; /* absolute path of the provider's .so */
	const char *base_url; /* handed to the provider; "" when it has none */
	bool trusted; /* bundled: loads where the kernel has no Landlock */
	bool allow_without_landlock; /* `sandbox: seccomp` in config.yml */
	double idle_seconds; /* ends after this long without a job; 0: the default of 30 */
	double ack_seconds; /* killed when it acknowledges nothing for so long; 0: the default of 5
			     */
	/* A line for providers/NAME/log: what the provider logged, started, crashed. */
	void (*log)(void *data, const char *line);
	void *data;
};

/* Copies the options; spawns nothing yet. NULL without memory. */
struct process *process_create(uv_loop_t *loop, const struct process_options *options);
/* Ends the child (its jobs get no event), waits for nothing. NULL is fine. */
void process_destroy(struct process *process);
/* The child's pid, or 0 while none runs. */
int process_pid(const struct process *process);
/* Jobs under way. */
size_t process_jobs(const struct process *process);

/* ---- what a turn hands over ---- */

enum job_role { JOB_SYSTEM, JOB_USER, JOB_ASSISTANT };

struct job_part {
	uint32_t file;
	const char *type;
	const char *name;
	uint64_t bytes;
};

struct job_message {
	enum job_role role;
	const struct job_part *parts;
	size_t n_parts;
};

struct job_setting {
	const char *name;
	const char *value;
	size_t size; /* at most 60 KiB */
};

struct job_turn {
	const char *model;
	const char *capability;
	const struct job_message *messages;
	size_t n_messages;
	const struct job_setting *settings;
	size_t n_settings;
};

/* ---- what a job says ---- */

struct job_request {
	const char *method;
	const char *url;
	const char *const *headers; /* ended by NULL */
	struct body *body; /* may be moved out by the receiver (zeroed); `file` numbers as the
			      provider gave them, `path` NULL */
	bool to_output;
	bool submits;
	uint32_t delay_ms;
};

/* As of provider.h's conduit_progress. */
struct job_progress {
	double share; /* 0 to 1, NAN unknown */
	const char *words; /* one plain line, "" for none */
};

enum job_argument_kind { JOB_WORD, JOB_INPUT, JOB_RESULT, JOB_SCRATCH };

struct job_argument {
	enum job_argument_kind kind;
	uint32_t file; /* of an input: a number as the provider gave it */
	char *text; /* of the others; a result's and a scratch file's is a fit name */
};

struct job_run {
	const char *program;
	const struct job_argument *arguments;
	size_t n_arguments;
	const uint32_t *standard_input; /* a file's number, or NULL */
	bool to_output;
};

struct job_price {
	char name[32];
	double usd; /* finite; -1 is variable */
};

#define JOB_PRICES_MOST 32

struct job_model {
	const char *id;
	size_t id_size; /* 1..1023, no NUL */
	const char *name, *description; /* "" when unknown; valid UTF-8 */
	int64_t created, context_length, max_output;
	const char *input_modalities, *output_modalities, *parameters; /* "" when unknown */
	const struct job_price *prices;
	size_t n_prices;
	const char *raw;
	size_t raw_size;
	const char *limits; /* a text of them (limit.h); "" none, as NULL */
};

struct job_usage {
	int64_t prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens; /* -1 unknown */
	double cost; /* USD, NAN unknown */
};

struct job_result {
	int code; /* 0, or the errno of the failure kind */
	const char *words; /* of a failure */
	const char *finish; /* "stop" …; "" for a failure */
	const char *model; /* the one that answered, "" when it wasn't said */
	int status; /* HTTP status the provider named, or 0 */
	bool never_retry; /* the provider said so */
	bool crashed; /* the process ended under the job: nothing of it may have been sent twice */
};

struct job_events {
	/* Fulfil it: job_reply, job_data …, job_body_end or job_abandon. */
	void (*request)(void *data, struct job_request *request);
	/* Wants the bytes of the turn's file: job_data …, job_body_end or job_abandon. */
	void (*read)(void *data, uint32_t file);
	/* Run it: job_data …, job_reply, job_body_end or job_abandon. */
	void (*run)(void *data, const struct job_run *run);
	/* There is room again after job_data returned false. */
	void (*resume)(void *data);
	void (*model)(void *data, const struct job_model *model);
	void (*output)(void *data, const void *bytes, size_t size);
	void (*reasoning)(void *data, const void *bytes, size_t size);
	/* What `output` brings from here on, or a reply that goes there, is another result; ""
	 * where its type or name isn't said. `name` may be anything. */
	void (*result)(void *data, const char *type, const char *name);
	void (*result_end)(void *data); /* `output` goes on at the turn's output */
	void (*usage)(void *data, const struct job_usage *usage);
	void (*progress)(void *data, const struct job_progress *progress);
	/* What is to be sent if the job ends without its result; NULL: nothing any more. Its body
	 * is literal, and to be copied. */
	void (*on_cancel)(void *data, struct job_request *request);
	/* How it may be picked up again; "": it can't be any more. */
	void (*resumable)(void *data, const char *token);
	/* Exactly once, last; the job is freed after it. */
	void (*end)(void *data, const struct job_result *result);
};

/* Each starts the process when it doesn't run. NULL only without memory; a process that can't be
 * started, or waits in its restart back-off, ends the job through `end` from the loop. */
struct job *job_discover(struct process *process, const struct job_events *events, void *data);
/* Whether there is this one model: a discovery of it alone. */
struct job *job_look_up(struct process *process, const char *id, const struct job_events *events,
		void *data);
struct job *job_transform(struct process *process, const struct job_turn *turn,
		const struct job_events *events, void *data);
/* Tells the provider, if it lives, and frees the job: no further event. */
void job_cancel(struct job *job);

/* ---- answering a job's request ---- */

void job_reply(struct job *job, int status, const char *content_type, const char *const *headers);
/* Takes the bytes; false when 256 KiB wait for acknowledgement: stop until `resume`. */
bool job_data(struct job *job, const void *bytes, size_t size);
void job_body_end(struct job *job);
/* The transfer failed (refused, timed out, reset …): frees the job and tells the provider; no
 * event follows, the caller knows the failure. */
void job_abandon(struct job *job);

#endif
