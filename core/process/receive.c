/* What a provider says, turned into events. All of it is untrusted: what no honest runner would
 * send ends the process; what comes for a job that has ended meanwhile is dropped. */
#include "core/base/plain.h"
#include "core/process/internal.h"
#include "core/wire/failure_kind.h"

#include <math.h>
#include <string.h>

static void end_failed(struct job *job, const struct wire_failure *failure) {
	char *words cleanup_free = plain_text(
			failure->words, strlen(failure->words), WIRE_WORDS_MOST, false);
	struct job_result result = {.code = failure_kind_errno(failure->kind),
			.words = words != NULL && words[0] != '\0'
						 ? words
						 : "the provider failed without saying why",
			.finish = "",
			.model = "",
			.status = failure->status,
			.never_retry = failure->retry == 1};
	job_end(job, &result);
}

static void end_finished(struct job *job, const struct wire_finish *finish) {
	char *reason cleanup_free = plain_text(
			finish->finish, strlen(finish->finish), WIRE_NAME_MOST, false);
	char *model cleanup_free = plain_text(
			finish->model, strlen(finish->model), WIRE_ID_MOST, false);
	struct job_result result = {.words = "",
			.finish = reason != NULL ? reason : "",
			.model = model != NULL ? model : ""};
	job_end(job, &result);
}

static int64_t count(int64_t value) {
	return value >= 0 ? value : -1;
}

static void emit_usage(struct job *job, const struct wire_usage *usage) {
	struct job_usage said = {.prompt_tokens = count(usage->prompt_tokens),
			.completion_tokens = count(usage->completion_tokens),
			.reasoning_tokens = count(usage->reasoning_tokens),
			.cached_tokens = count(usage->cached_tokens),
			.cost = isfinite(usage->cost) && usage->cost >= 0 ? usage->cost : NAN};
	if (job->events.usage != NULL) {
		job->events.usage(job->data, &said);
	}
}

static void emit_progress(struct job *job, const struct wire_progress *progress) {
	char *words cleanup_free = plain_text(
			progress->words, strlen(progress->words), WIRE_DOING_MOST, false);
	bool known = progress->share >= 0 && progress->share <= 1;
	struct job_progress said = {.share = known ? progress->share : NAN,
			.words = words != NULL ? words : ""};
	if (job->events.progress != NULL) {
		job->events.progress(job->data, &said);
	}
}

static void emit_resumable(struct job *job, const char *token) {
	if (job->events.resumable != NULL) {
		job->events.resumable(job->data, token);
	}
}

/* What is said of a job that goes on elsewhere; false when it is something else. */
static bool elsewhere_message(struct job *job, struct wire_message *message) {
	switch (message->type) {
	case WIRE_PROGRESS:
		emit_progress(job, &message->progress);
		return true;
	case WIRE_ON_CANCEL:
		request_on_cancel(job, &message->on_cancel);
		return true;
	case WIRE_RESUMABLE:
		emit_resumable(job, message->words.words);
		return true;
	default:
		return false;
	}
}

static void emit_read(struct job *job, uint32_t file) {
	job->pending = true;
	if (job->events.read != NULL) {
		job->events.read(job->data, file);
	}
}

static void emit_bytes(struct job *job, void (*event)(void *data, const void *bytes, size_t size),
		const struct wire_bytes *bytes) {
	if (event != NULL && bytes->size > 0) {
		event(job->data, bytes->bytes, bytes->size);
	}
}

static void emit_result(struct job *job, const struct wire_result *result) {
	char *type cleanup_free = plain_text(
			result->type, strlen(result->type), WIRE_NAME_MOST, false);
	char *name cleanup_free = plain_text(
			result->name, strlen(result->name), WIRE_NAME_MOST, false);
	if (job->events.result != NULL) {
		job->events.result(job->data, type != NULL ? type : "", name != NULL ? name : "");
	}
}

/* A message of a job that runs; the job may be gone afterwards. */
static bool job_message(struct job *job, struct wire_message *message, struct fail *fail) {
	bool asks = message->type == WIRE_REQUEST || message->type == WIRE_READ ||
		    message->type == WIRE_RUN;
	if (asks && job->pending) {
		return fail_set(fail, EPROTO, "it made a request while another was under way");
	}
	switch (message->type) {
	case WIRE_REQUEST_PART:
		return request_add_part(job, &message->request_part, fail);
	case WIRE_RAW:
		return model_add_raw(job, &message->bytes, fail);
	case WIRE_LIMIT:
		return model_add_limit(job, &message->limit, fail);
	case WIRE_REQUEST:
		request_begin(job, &message->request);
		return true;
	case WIRE_READ:
		emit_read(job, message->read.file);
		return true;
	case WIRE_RUN_PART:
		return run_add_part(job, &message->run_part, fail);
	case WIRE_RUN:
		run_begin(job, &message->run);
		return true;
	case WIRE_MODEL:
		model_emit(job, &message->model);
		return true;
	case WIRE_OUTPUT:
		emit_bytes(job, job->events.output, &message->bytes);
		return true;
	case WIRE_REASONING:
		emit_bytes(job, job->events.reasoning, &message->bytes);
		return true;
	case WIRE_RESULT:
		emit_result(job, &message->result);
		return true;
	case WIRE_RESULT_END:
		if (job->events.result_end != NULL) {
			job->events.result_end(job->data);
		}
		return true;
	case WIRE_USAGE:
		emit_usage(job, &message->usage);
		return true;
	case WIRE_FAIL:
		end_failed(job, &message->fail);
		return true;
	case WIRE_FINISH:
		end_finished(job, &message->finish);
		return true;
	default:
		return elsewhere_message(job, message) ||
		       fail_set(fail, EPROTO,
				       "it sent a message of type %d, which isn't a provider's",
				       (int)message->type);
	}
}

static bool acknowledge(
		struct process *process, const struct wire_message *message, struct fail *fail) {
	struct job *job = job_find(process, message->job);
	uint32_t bytes = message->ack.bytes;
	if (!child_acknowledged(process->child) || (job != NULL && bytes > job->unacknowledged)) {
		return fail_set(fail, EPROTO, "it acknowledged what it wasn't sent");
	}
	if (job != NULL) {
		job->unacknowledged -= bytes;
	}
	job_resume_all(process);
	return true;
}

static bool begin(struct process *process, const struct wire_message *message, struct fail *fail) {
	struct child *child = process->child;
	if (message->type == WIRE_REFUSED) {
		free(child->reason);
		child->reason = plain_text(message->words.words, strlen(message->words.words),
				WIRE_WORDS_MOST, false);
		child->refused = child->reason != NULL;
		return true;
	}
	if (message->type != WIRE_READY) {
		return fail_set(fail, EPROTO, "it sent a message of type %d before it was ready",
				(int)message->type);
	}
	char *version cleanup_free = plain_text(message->ready.version,
			strlen(message->ready.version), WIRE_NAME_MOST, false);
	process_log(process, "started, version %s, process %d", version != NULL ? version : "",
			process_pid(process));
	child_ready(child);
	job_start_all(process);
	return true;
}

static bool handle(struct process *process, struct wire_message *message, struct fail *fail) {
	if (!process->child->ready) {
		return begin(process, message, fail);
	}
	if (message->type == WIRE_ACK) {
		return acknowledge(process, message, fail);
	}
	if (message->type == WIRE_LOG) {
		process_provider_line(process, message->words.words, strlen(message->words.words));
		return true;
	}
	if (message->job == 0 || message->job > process->last_job) {
		return fail_set(fail, EPROTO, "it sent a message for a job that never was");
	}
	struct job *job = job_find(process, message->job);
	if (job == NULL || !job->started || job->doom.code != 0) {
		return true;
	}
	return job_message(job, message, fail);
}

bool process_packet(struct process *process, const uint8_t *bytes, size_t size, struct fail *fail) {
	while (size > 0 && !process->destroyed && process->child != NULL) {
		struct wire_message message;
		if (!wire_decode(&bytes, &size, &message)) {
			return fail_set(fail, EPROTO, "it sent a malformed message");
		}
		if (!handle(process, &message, fail)) {
			return false;
		}
	}
	return true;
}
