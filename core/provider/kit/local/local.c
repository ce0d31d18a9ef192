/* A job on this machine, step by step: see conduit/kit/local.h. */
#include "core/provider/kit/local/local.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/program.h>
#include <stdlib.h>

struct local *local_of(struct conduit_job *job) {
	struct local *local = conduit_state(job);
	if (local == NULL) {
		local = calloc(1, sizeof(*local));
		conduit_set_state(job, local);
	}
	if (local == NULL) {
		conduit_fail_memory(job);
	}
	return local;
}

void *conduit_local_own(struct conduit_job *job, size_t size, void (*finish)(void *own)) {
	struct local *local = local_of(job);
	if (local == NULL || local->own != NULL) {
		return local != NULL ? local->own : NULL;
	}
	local->own = calloc(1, size);
	local->finish = finish;
	if (local->own == NULL) {
		conduit_fail_memory(job);
	}
	return local->own;
}

bool conduit_local_expect(struct conduit_job *job, conduit_answered *then) {
	struct local *local = local_of(job);
	if (local != NULL) {
		local->then = then;
		local->program = NULL;
		local->puts_out = false;
	}
	return local != NULL;
}

struct conduit_json *conduit_answer_json(const struct conduit_answer *answer) {
	return answer->status == 200 ? conduit_json_parse(answer->body, answer->size) : NULL;
}

void conduit_local_finish(struct conduit_job *job, const char *finish) {
	struct conduit_usage usage = CONDUIT_USAGE_UNKNOWN;
	usage.cost = 0;
	conduit_usage(job, &usage);
	conduit_finish(job, finish, NULL);
}

/* ---- replies ---- */

static void take_exit(struct local *local, const struct conduit_reply *reply) {
	const char *words = conduit_header(reply, "words");
	const char *results = conduit_header(reply, "results");
	local->results = results != NULL ? (int)strtol(results, NULL, 10) : 0;
	buf_clear(&local->words);
	bool told = words != NULL && words[0] != '\0';
	if (!told) {
		words = "it failed without a word";
	}
	/* That it isn't installed is said by its name already. */
	bool named = told && reply->status == CONDUIT_PROGRAM_MISSING;
	buf_add_format(&local->words, "%s%s%s", named ? "" : local->program, named ? "" : ": ",
			words);
}

/* What a program says comes before its exit, which is the head of what a server says. */
void conduit_local_reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct local *local = conduit_state(job);
	if (local == NULL) {
		return;
	}
	if (local->program != NULL) {
		local->reply.status = reply->status;
		take_exit(local, reply);
	} else {
		conduit_gather_head(&local->reply, reply);
	}
}

void conduit_local_data(struct conduit_job *job, const void *bytes, size_t size) {
	struct local *local = conduit_state(job);
	if (local != NULL && local->puts_out) {
		conduit_output(job, bytes, size);
	} else if (local != NULL) {
		conduit_gather(&local->reply, bytes, size, CONDUIT_ANSWER_MOST);
	}
}

/* What came is set aside, as the next question may be asked meanwhile. */
void conduit_local_end(struct conduit_job *job) {
	struct local *local = conduit_state(job);
	if (local == NULL || local->then == NULL) {
		return;
	}
	conduit_answered *then = take(local->then);
	struct conduit_gathered reply = local->reply;
	struct buf words = local->words;
	local->reply = (struct conduit_gathered){0};
	local->words = (struct buf){0};
	then(job, &(struct conduit_answer){.status = reply.status,
				  .type = reply.type,
				  .body = reply.body != NULL ? reply.body : "",
				  .size = reply.size,
				  .results = local->results,
				  .words = buf_string(&words)});
	conduit_gather_finish(&reply);
	buf_finish(&words);
}

void conduit_local_release(struct conduit_job *job) {
	struct local *local = conduit_state(job);
	if (local == NULL) {
		return;
	}
	if (local->own != NULL && local->finish != NULL) {
		local->finish(local->own);
	}
	conduit_gather_finish(&local->reply);
	buf_finish(&local->words);
	buf_finish(&local->url);
	free(local->own);
	free(local);
	conduit_set_state(job, NULL);
}
