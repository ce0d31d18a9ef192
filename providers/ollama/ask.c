/* The requests of a job: its models listed, shown and pulled, its turn answered. */
#include "ollama.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/ndjson.h>
#include <stdio.h>
#include <string.h>

#define URL_MOST 2048

static bool url_of(struct conduit_job *job, const char *path, char url[URL_MOST]) {
	int length = snprintf(url, URL_MOST, "%s%s", conduit_base_url(job), path);
	if (length < 0 || length >= URL_MOST) {
		conduit_fail_with(job, CONDUIT_FAIL_OTHER, "the base URL is too long");
		return false;
	}
	return true;
}

void request_tags(struct conduit_job *job, struct state *state) {
	static const char *const headers[] = {"Accept: application/json", NULL};
	char url[URL_MOST];
	state->step = STEP_TAGS;
	if (url_of(job, "/api/tags", url)) {
		conduit_request(job, &(struct conduit_request){
						     .method = "GET",
						     .url = url,
						     .headers = headers,
				     });
	}
}

static const char *const json_headers[] = {"Content-Type: application/json",
		"Accept: application/x-ndjson, application/json", NULL};

/* What is asked is a model, and what else stands in `more`. */
static void post_model(
		struct conduit_job *job, const char *path, const char *model, const char *more) {
	char url[URL_MOST];
	if (!url_of(job, path, url)) {
		return;
	}
	struct conduit_body *body = conduit_body_create();
	conduit_body_text(body, "{\"model\":");
	conduit_body_string(body, model, strlen(model));
	conduit_body_text(body, more);
	conduit_body_text(body, "}");
	conduit_body_send(body, job,
			&(struct conduit_request){
					.method = "POST", .url = url, .headers = json_headers});
	conduit_body_destroy(body);
}

void request_show(struct conduit_job *job, struct state *state, const char *model) {
	state->step = STEP_SHOW;
	post_model(job, "/api/show", model, "");
}

/* The reply is a line of JSON after the other. */
static bool expect_lines(struct conduit_job *job, struct state *state, enum step step) {
	state->step = step;
	conduit_ndjson_destroy(state->lines);
	state->lines = conduit_ndjson_create(take_line, job);
	if (state->lines == NULL) {
		conduit_fail_memory(job);
	}
	return state->lines != NULL;
}

void request_chat(struct conduit_job *job, struct state *state) {
	char url[URL_MOST];
	struct conduit_request request = {.method = "POST", .url = url, .headers = json_headers};
	if (!expect_lines(job, state, STEP_CHAT) || !url_of(job, "/api/chat", url)) {
		return;
	}
	if (state->pulls) {
		/* The object was closed as it was sent first. */
		conduit_body_send(conduit_object_body(state->request), job, &request);
	} else {
		conduit_object_send(state->request, job, &request);
	}
}

void request_pull(struct conduit_job *job, struct state *state) {
	state->pulls = true;
	conduit_log(job, "%s isn't there yet: Ollama pulls it", state->pull.model);
	if (expect_lines(job, state, STEP_PULL)) {
		post_model(job, "/api/pull", state->pull.model, ",\"stream\":true");
	}
}

/* The cloud has what it has. */
bool may_pull(struct conduit_job *job, const struct state *state) {
	const char *error = state->reply.body != NULL ? state->reply.body : "";
	return state->reply.status == 404 && !state->pulls && !is_cloud(job) &&
	       state->pull.model[0] != '\0' && pull_would_help(error);
}
