/* fal's queue (https://docs.fal.ai/model-endpoints/queue). A model's schema is looked up before a
 * job is submitted, so that each input bears its right name; then only URLs that fal returned are
 * followed. */
#include "fal.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *text, const char *word) {
	return text != NULL && strcmp(text, word) == 0;
}

/* What it failed by isn't tried again by itself. */
static bool failed(struct conduit_job *job, const struct conduit_json *reply) {
	const char *type = conduit_json_string(reply, "error_type");
	conduit_on_cancel(job, NULL);
	if (type != NULL && strstr(type, "timeout") != NULL) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_TIMED_OUT,
						  .retry = CONDUIT_RETRY_NEVER,
						  .words = conduit_json_string(reply, "error")});
	} else {
		conduit_json_failure(job, 200, reply);
	}
	return false;
}

/* A job that failed is COMPLETED too. */
static bool told(struct conduit_job *job, const struct conduit_json *reply,
		struct conduit_queue_told *ret) {
	static char doing[64];
	const char *status = conduit_json_string(reply, "status");
	int64_t place = 0;
	ret->poll = conduit_json_string(reply, "status_url");
	ret->cancel = conduit_json_string(reply, "cancel_url");
	ret->cancel_method = "PUT";
	if (is(status, "COMPLETED")) {
		ret->done = true;
		ret->result = conduit_json_string(reply, "response_url");
		if (conduit_json_string(reply, "error") != NULL) {
			return failed(job, reply);
		}
		if (ret->result == NULL) {
			conduit_malformed(job, "fal says that the job is done, and not where its "
					       "result is");
			return false;
		}
		return true;
	}
	if (is(status, "IN_PROGRESS")) {
		ret->doing = "in progress";
	} else if (conduit_json_int64(reply, "queue_position", &place)) {
		snprintf(doing, sizeof(doing), "in fal's queue behind %lld", (long long)place);
		ret->doing = doing;
	} else {
		ret->doing = "in fal's queue";
	}
	return true;
}

static bool result(struct conduit_job *job, const struct conduit_json *result) {
	conduit_queue_found(job, result);
	return true;
}

static const struct conduit_queue fal;

static void looked(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_json *found) {
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	struct conduit_object *input = conduit_object_create(turn);
	char *url = NULL;
	conduit_queue_input(input, turn, fal_input(conduit_json_get(found, "models.0")));
	if (asprintf(&url, "%s/%s", conduit_base_url(job), turn->model) < 0) {
		url = NULL;
	}
	conduit_queue_submit(job, &fal, url != NULL ? input : NULL,
			&(struct conduit_request){
					.method = "POST", .url = url, .headers = headers});
	conduit_object_destroy(input);
	free(url);
}

static const struct conduit_queue fal = {
		.service = "fal", .told = told, .result = result, .looked = looked};

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	char *query = NULL, *url = NULL;
	if (conduit_queue_resumed(job, turn, &fal)) {
		return;
	}
	char *id = fal_encoded(turn->model);
	if (id == NULL || asprintf(&query, "expand=openapi-3.0&endpoint_id=%s", id) < 0) {
		query = NULL;
	}
	url = query != NULL ? fal_catalogue(job, query) : NULL;
	if (url != NULL) {
		conduit_queue_look(job, turn, &fal, url);
	} else {
		conduit_fail_memory(job);
	}
	free(id);
	free(query);
	free(url);
}

static void reply(struct conduit_job *job, const struct conduit_reply *reply) {
	(fal_lists(job) ? fal_list_reply : conduit_queue_reply)(job, reply);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	(fal_lists(job) ? fal_list_data : conduit_queue_data)(job, bytes, size);
}

static void end(struct conduit_job *job) {
	(fal_lists(job) ? fal_list_end : conduit_queue_end)(job);
}

static void release(struct conduit_job *job) {
	(fal_lists(job) ? fal_list_release : conduit_queue_release)(job);
}

CONDUIT_PROVIDER(.name = "fal", .version = "1.0.0", .discover = fal_discover,
		.transform = transform, .reply = reply, .data = data, .end = end,
		.release = release)
