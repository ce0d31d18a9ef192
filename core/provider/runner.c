/* From the daemon's messages to the provider's callbacks: see runner.h. */
#include "core/provider/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noreturn)) static void die(const char *words) {
	fprintf(stderr, "%s\n", words);
	_exit(EXIT_FAILURE);
}

void runner_init(struct runner *runner, int fd, const struct conduit_provider *provider) {
	*runner = (struct runner){.provider = provider};
	channel_init(&runner->channel, fd);
	list_init(&runner->jobs);
}

static void release(struct conduit_job *job) {
	job->over = true;
	if (job->runner->provider->release != NULL) {
		job->runner->provider->release(job);
	}
	list_remove(&job->link);
	turn_destroy(job->turn);
	free(job);
}

void runner_finish(struct runner *runner) {
	while (!list_empty(&runner->jobs)) {
		release(list_entry(runner->jobs.next, struct conduit_job, link));
	}
	channel_finish(&runner->channel);
	free(runner->base_url);
}

static struct conduit_job *find(struct runner *runner, uint64_t id) {
	struct conduit_job *job;
	list_for_each(job, &runner->jobs, link) {
		if (job->id == id) {
			return job;
		}
	}
	return NULL;
}

static struct conduit_job *begin(struct runner *runner, const struct wire_message *message) {
	struct conduit_job *job = calloc(1, sizeof(*job));
	if (job == NULL) {
		die("no memory for a job");
	}
	job->id = message->job;
	job->runner = runner;
	list_append(&runner->jobs, &job->link);
	if (message->type == WIRE_TURN) {
		job->turn = turn_create(&message->turn);
		if (job->turn == NULL) {
			die("no memory for a turn");
		}
	}
	return job;
}

/* What every callback is followed by: a job that waits for nothing and didn't end has failed. */
static void settle(struct conduit_job *job, const char *callback) {
	job->may_request = false;
	if (!job->over && !job->pending) {
		char words[128];
		snprintf(words, sizeof(words),
				"the provider's %s returned without a request, finish or fail",
				callback);
		conduit_fail(job, &(struct conduit_failure){
						  .kind = CONDUIT_FAIL_MALFORMED, .words = words});
	}
	if (job->over) {
		release(job);
	}
}

static void discover(struct conduit_job *job) {
	job->may_request = true;
	if (job->runner->provider->discover != NULL) {
		job->runner->provider->discover(job);
	}
	settle(job, "discover");
}

/* A provider that can't say finishes without a model. */
static void look_up(struct conduit_job *job, const char *id) {
	job->may_request = true;
	if (job->runner->provider->look_up != NULL) {
		job->runner->provider->look_up(job, id);
	} else {
		conduit_finish(job, NULL, NULL);
	}
	settle(job, "look_up");
}

static void transform(struct conduit_job *job) {
	if (job->turn == NULL) {
		die("a turn was started that wasn't described");
	}
	struct conduit_turn turn = turn_view(job->turn);
	job->may_request = true;
	if (job->runner->provider->transform != NULL) {
		job->runner->provider->transform(job, &turn);
	}
	turn_destroy(job->turn);
	job->turn = NULL;
	settle(job, "transform");
}

static void reply(struct conduit_job *job, struct wire_reply *message) {
	const char *headers[WIRE_REPLY_HEADERS_MOST + 1] = {NULL};
	memcpy(headers, message->headers, message->n_headers * sizeof(headers[0]));
	struct conduit_reply reply = {.status = message->status,
			.content_type = message->content_type,
			.headers = headers};
	if (job->runner->provider->reply != NULL) {
		job->runner->provider->reply(job, &reply);
	}
	settle(job, "reply");
}

static void data(struct conduit_job *job, const struct wire_bytes *bytes) {
	if (job->runner->provider->data != NULL) {
		job->runner->provider->data(job, bytes->bytes, bytes->size);
	}
	settle(job, "data");
}

static void end(struct conduit_job *job) {
	job->pending = false;
	job->may_request = true;
	if (job->runner->provider->end != NULL) {
		job->runner->provider->end(job);
	}
	settle(job, "end");
}

/* A message of a job's that runs. `job` may be gone afterwards. */
static void job_message(struct conduit_job *job, struct wire_message *message) {
	switch (message->type) {
	case WIRE_MESSAGE:
		if (job->turn == NULL || !turn_add_message(job->turn, &message->message)) {
			die("no memory for a turn's message");
		}
		break;
	case WIRE_SETTING:
		if (job->turn == NULL || !turn_add_setting(job->turn, &message->setting)) {
			die("no memory for a turn's setting");
		}
		break;
	case WIRE_GO:
		transform(job);
		break;
	case WIRE_REPLY:
		reply(job, &message->reply);
		break;
	case WIRE_DATA:
		data(job, &message->bytes);
		break;
	case WIRE_END:
		end(job);
		break;
	case WIRE_CANCEL:
		release(job);
		break;
	default:
		die("a message that a job can't be sent");
	}
}

static void handle(struct runner *runner, struct wire_message *message) {
	struct conduit_job *job = find(runner, message->job);
	if (message->type == WIRE_HELLO) {
		free(runner->base_url);
		runner->base_url = strdup(message->hello.base_url);
	} else if (message->type == WIRE_DISCOVER) {
		discover(begin(runner, message));
	} else if (message->type == WIRE_LOOK_UP) {
		look_up(begin(runner, message), message->look_up.id);
	} else if (message->type == WIRE_TURN) {
		begin(runner, message);
	} else if (job != NULL) {
		job_message(job, message);
	}
	/* What was sent to a job that has ended meanwhile is acknowledged all the same. */
	if (wire_acknowledged(message->type)) {
		struct wire_message ack = {.type = WIRE_ACK, .job = message->job};
		ack.ack.bytes = message->type == WIRE_DATA ? message->bytes.size : 0;
		channel_put(&runner->channel, &ack);
		channel_flush(&runner->channel);
	}
}

bool runner_packet(struct runner *runner, const uint8_t *bytes, size_t size) {
	while (size > 0) {
		struct wire_message message;
		if (!wire_decode(&bytes, &size, &message)) {
			return false;
		}
		handle(runner, &message);
	}
	channel_flush(&runner->channel);
	return true;
}
