/* A job from its beginning to its end, and what its owner says to it: see process.h. */
#include "core/process/internal.h"

#include <errno.h>
#include <string.h>

struct job *job_find(struct process *process, uint64_t id) {
	struct job *job;
	list_for_each(job, &process->jobs, link) {
		if (job->id == id) {
			return job;
		}
	}
	return NULL;
}

void job_forget_gathered(struct job *job) {
	job->process->gathered -= job->body_bytes + job->raw.size + job->limits.size;
	body_finish(&job->body);
	buf_finish(&job->raw);
	buf_finish(&job->limits);
	job->n_limits = 0;
	run_forget_gathered(job);
	job->body_bytes = job->body_capacity = 0;
}

static void unlink_job(struct job *job) {
	struct process *process = job->process;
	list_remove(&job->link);
	/* With no job left the idle time begins, and a starved opening may have room now. */
	process_schedule(process);
}

static void destroy(struct job *job) {
	job_forget_gathered(job);
	queue_finish(&job->opening);
	fail_finish(&job->doom);
	free(job);
}

void job_free(struct job *job) {
	unlink_job(job);
	destroy(job);
}

void job_end(struct job *job, const struct job_result *result) {
	unlink_job(job);
	job->ended = true;
	if (result->code == 0) {
		job->process->crashes = 0;
	}
	if (job->events.end != NULL) {
		job->events.end(job->data, result);
	}
	destroy(job);
}

void job_end_failed(struct job *job, int code, bool crashed, const char *words) {
	struct job_result result = {.code = code,
			.words = words,
			.finish = "",
			.model = "",
			.crashed = crashed};
	job_end(job, &result);
}

static struct job *create(struct process *process, const struct job_events *events, void *data) {
	struct job *job = calloc(1, sizeof(*job));
	if (job == NULL) {
		return NULL;
	}
	job->process = process;
	job->id = ++process->last_job;
	job->events = *events;
	job->data = data;
	queue_init(&job->opening);
	list_append(&process->jobs, &job->link);
	return job;
}

/* Now when the child is there, else from the loop; what was wrong with it ends it from the loop. */
static struct job *begin(struct job *job) {
	struct process *process = job->process;
	uv_timer_stop(&process->idle);
	job_start_all(process);
	if (!job->started) {
		process_schedule(process);
	}
	return job;
}

struct job *job_discover(struct process *process, const struct job_events *events, void *data) {
	struct job *job = create(process, events, data);
	if (job == NULL) {
		return NULL;
	}
	job->discovery = true;
	opening_discover(job, &job->doom);
	return begin(job);
}

struct job *job_look_up(struct process *process, const char *id, const struct job_events *events,
		void *data) {
	struct job *job = create(process, events, data);
	if (job == NULL) {
		return NULL;
	}
	job->discovery = true;
	opening_look_up(job, id, &job->doom);
	return begin(job);
}

struct job *job_transform(struct process *process, const struct job_turn *turn,
		const struct job_events *events, void *data) {
	struct job *job = create(process, events, data);
	if (job == NULL) {
		return NULL;
	}
	opening_turn(job, turn, &job->doom);
	return begin(job);
}

void job_start_all(struct process *process) {
	struct child *child = process->child;
	if (child == NULL || !child->ready || child->killed) {
		return;
	}
	struct job *job;
	list_for_each(job, &process->jobs, link) {
		if (job->started || job->doom.code != 0) {
			continue;
		}
		if (child->queue.bytes + job->opening.bytes > QUEUE_MOST &&
				!list_empty(&child->queue.packets)) {
			break;
		}
		child_move(child, &job->opening, 1);
		job->started = true;
	}
	child_flush(child);
}

/* ---- what its owner says ---- */

/* The child, if the job may still say something to it. */
static struct child *listener(const struct job *job) {
	struct child *child = job->process->child;
	bool listens = job->started && !job->ended && job->doom.code == 0 && child != NULL &&
		       !child->killed;
	return listens ? child : NULL;
}

static void doom_without_memory(struct job *job) {
	fail_set(&job->doom, ENOMEM, "no memory to answer provider %s", job->process->options.name);
	process_schedule(job->process);
}

static void say(struct job *job, struct wire_message *message) {
	struct child *child = listener(job);
	if (child == NULL) {
		return;
	}
	message->job = job->id;
	if (!child_put(child, message)) {
		doom_without_memory(job);
		return;
	}
	child_flush(child);
}

void job_cancel(struct job *job) {
	if (job->ended) {
		return;
	}
	say(job, &(struct wire_message){.type = WIRE_CANCEL});
	job_free(job);
}

void job_abandon(struct job *job) {
	job_cancel(job);
}

void job_reply(struct job *job, int status, const char *content_type, const char *const *headers) {
	struct wire_message message = {.type = WIRE_REPLY,
			.reply = {.status = status, .content_type = content_type}};
	if (content_type == NULL || strlen(content_type) > WIRE_NAME_MOST) {
		message.reply.content_type = "";
	}
	/* As many headers as the contract promises; what comes after them is left out. */
	size_t bytes = 0;
	for (; headers != NULL && *headers != NULL; headers++) {
		bytes += strlen(*headers) + 1;
		if (bytes > WIRE_HEADERS_BYTES ||
				message.reply.n_headers == WIRE_REPLY_HEADERS_MOST) {
			break;
		}
		message.reply.headers[message.reply.n_headers++] = *headers;
	}
	say(job, &message);
}

static bool is_full(const struct job *job, const struct child *child) {
	return job->unacknowledged >= JOB_UNACKNOWLEDGED_MOST || child->queue.bytes >= QUEUE_MOST;
}

bool job_data(struct job *job, const void *bytes, size_t size) {
	const char *from = bytes;
	struct child *child = listener(job);
	if (child == NULL || !job->pending) {
		return true;
	}
	while (size > 0) {
		size_t piece = size < WIRE_CHUNK_MOST ? size : WIRE_CHUNK_MOST;
		struct wire_message message = {.type = WIRE_DATA,
				.job = job->id,
				.bytes = {.bytes = from, .size = (uint32_t)piece}};
		if (!child_put(child, &message)) {
			doom_without_memory(job);
			return true;
		}
		job->unacknowledged += piece;
		from += piece;
		size -= piece;
	}
	child_flush(child);
	job->paused = is_full(job, child);
	return !job->paused;
}

void job_body_end(struct job *job) {
	if (!job->pending) {
		return;
	}
	job->pending = false;
	job->paused = false;
	say(job, &(struct wire_message){.type = WIRE_END});
}

static struct job *find_resumable(struct process *process) {
	struct child *child = process->child;
	struct job *job;
	if (process->destroyed || child == NULL || child->queue.bytes > QUEUE_LOW) {
		return NULL;
	}
	list_for_each(job, &process->jobs, link) {
		if (job->paused && job->unacknowledged <= JOB_UNACKNOWLEDGED_LOW) {
			return job;
		}
	}
	return NULL;
}

void job_resume_all(struct process *process) {
	struct job *job;
	/* Ends: a job that is paused again has its 256 KiB waiting, or filled the queue. */
	while ((job = find_resumable(process)) != NULL) {
		job->paused = false;
		if (job->events.resume != NULL) {
			job->events.resume(job->data);
		}
	}
}
