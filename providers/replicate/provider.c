/* Replicate's predictions (https://replicate.com/docs/reference/http). A model is looked up before
 * it is run: an official one is run by its name, another by its newest version, and its schema
 * tells each input's name. */
#include "replicate.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *text, const char *word) {
	return text != NULL && strcmp(text, word) == 0;
}

/* The last "42%|" of a progress bar in the logs; NAN when there is none. */
static double share_of(const char *logs) {
	double share = __builtin_nan("");
	for (const char *at = logs; at != NULL && (at = strstr(at, "%|")) != NULL; at += 2) {
		const char *digit = at;
		while (digit > logs && digit[-1] >= '0' && digit[-1] <= '9' && at - digit < 3) {
			digit--;
		}
		if (digit < at) {
			share = strtod(digit, NULL) / 100;
		}
	}
	return share;
}

static bool failed(struct conduit_job *job, const struct conduit_json *reply) {
	const char *error = conduit_json_string(reply, "error");
	conduit_on_cancel(job, NULL);
	conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_UPSTREAM,
					  .retry = CONDUIT_RETRY_NEVER,
					  .words = error != NULL && error[0] != '\0'
								   ? error
								   : "the prediction failed, and "
								     "Replicate doesn't say why"});
	return false;
}

static bool has_output(const struct conduit_json *reply) {
	enum conduit_json_type type = conduit_json_type(reply, "output");
	return type != CONDUIT_JSON_NONE && type != CONDUIT_JSON_NULL;
}

static bool told(struct conduit_job *job, const struct conduit_json *reply,
		struct conduit_queue_told *ret) {
	const char *status = conduit_json_string(reply, "status");
	bool removed = false;
	ret->poll = conduit_json_string(reply, "urls.get");
	ret->cancel = conduit_json_string(reply, "urls.cancel");
	ret->cancel_method = "POST";
	ret->stream = conduit_json_string(reply, "urls.stream");
	if (is(status, "failed")) {
		return failed(job, reply);
	}
	if (is(status, "canceled") || is(status, "aborted")) {
		conduit_on_cancel(job, NULL);
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_UPSTREAM,
						  .retry = CONDUIT_RETRY_NEVER,
						  .words = "the prediction was cancelled at "
							   "Replicate"});
		return false;
	}
	conduit_json_bool(reply, "data_removed", &removed);
	if (is(status, "succeeded") && removed && !has_output(reply)) {
		conduit_on_cancel(job, NULL);
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_GONE,
						  .words = "the result has expired: Replicate "
							   "keeps one for an hour"});
		return false;
	}
	/* With `Prefer: wait` an output comes while the status still says processing, whole or
	 * not: only a poll tells. */
	ret->done = is(status, "succeeded");
	ret->doing = is(status, "starting") ? "starting" : "processing";
	ret->share = share_of(conduit_json_string(reply, "logs"));
	if (status == NULL) {
		conduit_malformed(job, "Replicate's reply names no status of the prediction");
	}
	return status != NULL;
}

static bool result(struct conduit_job *job, const struct conduit_json *result) {
	conduit_queue_found(job, conduit_json_get(result, "output"));
	return true;
}

static const struct conduit_queue replicate;

/* An id may name a version: owner/name:version. */
static void submit(struct conduit_job *job, const struct conduit_turn *turn, const char *version,
		const struct conduit_json *schema) {
	/* Not for long: until the reply names the job nobody can cancel it or pick it up. */
	static const char *const headers[] = {
			"Content-Type: application/json", "Prefer: wait=1", NULL};
	/* A text is streamed instead. */
	static const char *const at_once[] = {"Content-Type: application/json", NULL};
	size_t length = strlen(turn->capability);
	bool text = length > 8 && strcmp(turn->capability + length - 8, "-to-text") == 0;
	struct conduit_object *input = conduit_object_create(turn);
	char *url = NULL, *before = NULL;
	int made = version != NULL ? asprintf(&url, "%s/predictions", conduit_base_url(job))
				   : asprintf(&url, "%s/models/%s/predictions",
						     conduit_base_url(job), turn->model);
	int begun = version != NULL ? asprintf(&before,
						      "{\"version\":\"%.128s\",\"input\":", version)
				    : asprintf(&before, "{\"input\":");
	if (made < 0 || begun < 0) {
		url = made < 0 ? NULL : url;
		before = begun < 0 ? NULL : before;
		conduit_fail_memory(job);
	} else {
		conduit_object_wrap(input, before, "}");
		conduit_queue_input(input, turn, schema);
		conduit_queue_submit(job, &replicate, input,
				&(struct conduit_request){.method = "POST",
						.url = url,
						.headers = text ? at_once : headers});
	}
	conduit_object_destroy(input);
	free(url);
	free(before);
}

/* Letters, digits and the few signs that a version's name has: it goes into JSON as it is. */
static bool is_version(const char *text) {
	return text != NULL && text[0] != '\0' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
			       strlen(text);
}

static void looked(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_json *found) {
	const char *colon = strchr(turn->model, ':');
	const char *newest = conduit_json_string(found, "latest_version.id");
	bool official = false;
	conduit_json_bool(found, "is_official", &official);
	const char *version = colon != NULL ? colon + 1 : official ? NULL : newest;
	submit(job, turn, is_version(version) ? version : NULL,
			conduit_json_get(found, "latest_version.openapi_schema.components.schemas."
						"Input.properties"));
}

static const struct conduit_queue replicate = {
		.service = "Replicate", .told = told, .result = result, .looked = looked};

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	char *url = NULL;
	if (conduit_queue_resumed(job, turn, &replicate)) {
		return;
	}
	if (asprintf(&url, "%s/models/%.*s", conduit_base_url(job), (int)strcspn(turn->model, ":"),
			    turn->model) < 0) {
		conduit_fail_memory(job);
		return;
	}
	conduit_queue_look(job, turn, &replicate, url);
	free(url);
}

static void reply(struct conduit_job *job, const struct conduit_reply *reply) {
	(replicate_lists(job) ? replicate_list_reply : conduit_queue_reply)(job, reply);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	(replicate_lists(job) ? replicate_list_data : conduit_queue_data)(job, bytes, size);
}

static void end(struct conduit_job *job) {
	(replicate_lists(job) ? replicate_list_end : conduit_queue_end)(job);
}

static void release(struct conduit_job *job) {
	(replicate_lists(job) ? replicate_list_release : conduit_queue_release)(job);
}

CONDUIT_PROVIDER(.name = "replicate", .version = "1.0.0", .discover = replicate_discover,
		.transform = transform, .reply = reply, .data = data, .end = end,
		.release = release, .look_up = replicate_look_up)
