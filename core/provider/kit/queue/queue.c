/* A job in a service's queue, from its submission to its result: see conduit/kit/queue.h. */
#include "core/provider/kit/queue/state.h"

#include "core/base/text.h"
#include "core/provider/kit/turn_copy.h"

#include <conduit/kit/failure.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define QUEUE_MAGIC 0x71756575u
/* Milliseconds between polls. */
#define INTERVAL_FIRST 500
#define INTERVAL_MOST 5000
#define INTERVAL_LOCAL 20

struct queue *queue_of(struct conduit_job *job) {
	struct queue *queue = conduit_state(job);
	return queue != NULL && queue->magic == QUEUE_MAGIC ? queue : NULL;
}

void queue_fail(struct conduit_job *job, enum conduit_kind kind, const char *format, ...) {
	va_list args;
	va_start(args, format);
	conduit_fail_with_list(job, kind, format, args);
	va_end(args);
	struct queue *queue = queue_of(job);
	if (queue != NULL) {
		queue->over = true;
	}
}

static const char *service_of(const struct queue *queue) {
	return queue->how.service;
}

static struct queue *begin(struct conduit_job *job, const struct conduit_queue *how) {
	struct queue *queue = queue_of(job);
	if (queue != NULL) {
		return queue;
	}
	queue = calloc(1, sizeof(*queue));
	if (queue == NULL) {
		queue_fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return NULL;
	}
	queue->magic = QUEUE_MAGIC;
	queue->how = *how;
	queue->job = job;
	queue->reply.limit = CONDUIT_JSON_LIMIT;
	conduit_set_state(job, queue);
	return queue;
}

/* The turn isn't there any more when the job is under way. */
static void begin_turn(struct queue *queue, const struct conduit_turn *turn) {
	queue->makes_files = !ends_with(turn->capability, "-to-text");
}

/* ---- requests ---- */

static void get(struct queue *queue, enum queue_phase phase, const char *url,
		const char *const *headers, uint32_t delay_ms) {
	queue->phase = phase;
	buf_clear(&queue->reply);
	conduit_request(queue->job, &(struct conduit_request){.method = "GET",
						    .url = url,
						    .headers = headers,
						    .delay_ms = delay_ms});
}

static bool is_local(const char *url) {
	return starts_with(url, "http://127.0.0.1") || starts_with(url, "http://localhost") ||
	       starts_with(url, "http://[::1]");
}

static void poll(struct queue *queue) {
	uint32_t interval = queue->interval;
	if (is_local(queue->poll)) {
		interval = INTERVAL_LOCAL;
	} else if (interval == 0) {
		interval = INTERVAL_FIRST;
	} else {
		interval = interval + interval / 4 < INTERVAL_MOST ? interval + interval / 4
								   : INTERVAL_MOST;
	}
	queue->interval = interval;
	get(queue, QUEUE_POLL, queue->poll, queue->how.headers, interval);
}

bool conduit_queue_resumed(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_queue *how) {
	const char *token = conduit_setting(turn, "resume");
	struct queue *queue = token != NULL ? begin(job, how) : NULL;
	if (queue == NULL) {
		return token != NULL;
	}
	begin_turn(queue, turn);
	queue->poll = strdup(token);
	if (queue->poll == NULL) {
		queue_fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return true;
	}
	/* "POLL METHOD CANCEL", or the first alone. */
	char *method = strchr(queue->poll, ' ');
	char *cancel = method != NULL ? strchr(method + 1, ' ') : NULL;
	if (cancel != NULL) {
		*method++ = *cancel++ = '\0';
		conduit_on_cancel(job, &(struct conduit_request){.method = method, .url = cancel});
	}
	get(queue, QUEUE_POLL, queue->poll, how->headers, 0);
	return true;
}

void conduit_queue_look(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_queue *how, const char *url) {
	struct queue *queue = begin(job, how);
	if (queue == NULL) {
		return;
	}
	begin_turn(queue, turn);
	queue->turn = turn_copy(turn);
	if (queue->turn == NULL) {
		queue_fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	get(queue, QUEUE_LOOK, url, how->headers, 0);
}

void conduit_queue_submit(struct conduit_job *job, const struct conduit_queue *how,
		struct conduit_object *input, const struct conduit_request *request) {
	struct queue *queue = begin(job, how);
	if (queue == NULL) {
		return;
	}
	struct conduit_request submission = *request;
	submission.submits = true;
	queue->phase = QUEUE_SUBMIT;
	buf_clear(&queue->reply);
	conduit_object_send(input, job, &submission);
}

/* ---- what a submission or a poll says ---- */

static bool keep(char **to, const char *text) {
	char *copy = strdup(text);
	if (copy == NULL) {
		return false;
	}
	free(*to);
	*to = copy;
	return true;
}

static void stream(struct queue *queue, const char *url) {
	static const char *const headers[] = {
			"Accept: text/event-stream", "Cache-Control: no-store", NULL};
	queue->streamed = true;
	get(queue, QUEUE_STREAM, url, headers, 0);
}

/* Where it is asked after and how it is cancelled, for whoever picks it up: URLs hold no blanks. */
static void say_resumable(struct queue *queue, const struct conduit_queue_told *told) {
	cleanup_buf struct buf token = {0};
	bool cancels = told->cancel != NULL && told->cancel_method != NULL;
	buf_add_string(&token, queue->poll);
	if (cancels && strchr(queue->poll, ' ') == NULL) {
		buf_add_format(&token, " %s %s", told->cancel_method, told->cancel);
	}
	conduit_resumable(queue->job, buf_string(&token));
}

/* The job goes on elsewhere: how it is cancelled and picked up is said before it is asked after. */
static void wait_on(struct queue *queue, const struct conduit_queue_told *told) {
	struct conduit_job *job = queue->job;
	if (told->poll != NULL && (queue->poll == NULL || strcmp(told->poll, queue->poll) != 0)) {
		if (!keep(&queue->poll, told->poll)) {
			queue_fail(job, CONDUIT_FAIL_OTHER, "memory is short");
			return;
		}
		say_resumable(queue, told);
	}
	if (queue->poll == NULL) {
		conduit_malformed(job, "%s began a job and didn't say where it is asked after",
				service_of(queue));
		return;
	}
	if (told->cancel != NULL && told->cancel_method != NULL) {
		conduit_on_cancel(job, &(struct conduit_request){.method = told->cancel_method,
						       .url = told->cancel});
	}
	conduit_progress(job, told->share, told->doing);
	/* Of a picture the events are URLs. */
	if (told->stream != NULL && !queue->streamed && !queue->makes_files) {
		stream(queue, told->stream);
	} else {
		poll(queue);
	}
}

static void read_result(struct queue *queue, const struct conduit_json *result) {
	if (queue->how.result(queue->job, result) && !queue->over) {
		queue_next_file(queue);
	}
}

static void read_told(struct queue *queue, const struct conduit_json *reply) {
	struct conduit_queue_told told = {.share = NAN};
	if (!queue->how.told(queue->job, reply, &told)) {
		return;
	}
	if (!told.done) {
		wait_on(queue, &told);
		return;
	}
	conduit_on_cancel(queue->job, NULL);
	if (told.result != NULL) {
		get(queue, QUEUE_RESULT, told.result, queue->how.headers, 0);
	} else {
		read_result(queue, reply);
	}
}

/* ---- replies ---- */

static bool is_good(const struct queue *queue) {
	return queue->status >= 200 && queue->status <= 299;
}

static void on_event(void *data, const char *name, const char *text, size_t size) {
	struct queue *queue = data;
	if (strcmp(name, "output") == 0) {
		conduit_output(queue->job, text, size);
		queue->streamed_bytes += size;
	}
}

void conduit_queue_reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct queue *queue = queue_of(job);
	if (queue == NULL) {
		return;
	}
	queue->status = reply->status;
	snprintf(queue->content_type, sizeof(queue->content_type), "%s", reply->content_type);
	if (queue->phase == QUEUE_STREAM && is_good(queue)) {
		queue->sse = conduit_sse_create(on_event, queue);
	}
}

void conduit_queue_data(struct conduit_job *job, const void *bytes, size_t size) {
	struct queue *queue = queue_of(job);
	if (queue == NULL) {
		return;
	}
	if (queue->sse != NULL) {
		conduit_sse_feed(queue->sse, bytes, size);
		return;
	}
	size_t most = is_good(queue) ? CONDUIT_JSON_LIMIT : CONDUIT_ERROR_LIMIT;
	size_t room = most > queue->reply.size ? most - queue->reply.size : 0;
	buf_add(&queue->reply, bytes, size < room ? size : room);
}

/* Whatever became of the stream, what the job came to is asked after. */
static void end_stream(struct queue *queue) {
	if (queue->sse != NULL) {
		conduit_sse_end(queue->sse);
		conduit_sse_destroy(take(queue->sse));
	}
	poll(queue);
}

static void end_refused(struct queue *queue) {
	bool asked_after = queue->phase == QUEUE_POLL || queue->phase == QUEUE_RESULT;
	if (asked_after && (queue->status == 404 || queue->status == 410)) {
		conduit_on_cancel(queue->job, NULL);
		queue_fail(queue->job, CONDUIT_FAIL_GONE,
				"%s doesn't know the job any more: it was removed, or its result "
				"has expired (HTTP %d)",
				service_of(queue), queue->status);
		return;
	}
	if (queue->phase == QUEUE_FILE) {
		bool gone = queue->status == 404 || queue->status == 410;
		queue_fail(queue->job, gone ? CONDUIT_FAIL_GONE : CONDUIT_FAIL_UPSTREAM,
				"the result %s: HTTP %d from %s",
				gone ? "is there no more" : "can't be fetched", queue->status,
				queue->files[queue->next_file - 1].url);
		return;
	}
	conduit_http_failure(queue->job, queue->status, queue->content_type,
			buf_string(&queue->reply), queue->reply.size);
}

static void end_reply(struct queue *queue, const struct conduit_json *reply) {
	static const char *const whats[] = {[QUEUE_LOOK] = "the question for the model",
			[QUEUE_SUBMIT] = "a submission",
			[QUEUE_POLL] = "a poll",
			[QUEUE_RESULT] = "the question for the result"};
	if (reply == NULL) {
		conduit_malformed(queue->job, "%s's reply to %s isn't JSON", service_of(queue),
				whats[queue->phase]);
	} else if (queue->phase == QUEUE_LOOK) {
		struct conduit_turn *turn = take(queue->turn);
		queue->how.looked(queue->job, turn, reply);
		turn_copy_free(turn);
	} else if (queue->phase == QUEUE_RESULT) {
		read_result(queue, reply);
	} else {
		read_told(queue, reply);
	}
}

void conduit_queue_end(struct conduit_job *job) {
	struct queue *queue = queue_of(job);
	if (queue == NULL) {
		return;
	}
	if (queue->phase == QUEUE_STREAM) {
		end_stream(queue);
		return;
	}
	if (!is_good(queue)) {
		end_refused(queue);
		return;
	}
	if (queue->phase == QUEUE_FILE) {
		queue_next_file(queue);
		return;
	}
	struct conduit_json *reply = conduit_json_parse(
			buf_string(&queue->reply), queue->reply.size);
	end_reply(queue, reply);
	conduit_json_free(reply);
}

void conduit_queue_release(struct conduit_job *job) {
	struct queue *queue = queue_of(job);
	if (queue == NULL) {
		return;
	}
	turn_copy_free(queue->turn);
	conduit_sse_destroy(queue->sse);
	queue_files_free(queue);
	buf_finish(&queue->reply);
	free(queue->poll);
	free(queue);
	conduit_set_state(job, NULL);
}
