/* What comes back from /api/chat: a line of JSON a piece, the last of which says that it is done.
 */
#include "ollama.h"

#include <conduit/kit/failure.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void answer_begin(struct answer *answer, struct conduit_job *job) {
	*answer = (struct answer){.job = job, .calls = conduit_tool_calls_create()};
}

void answer_finish(struct answer *answer) {
	conduit_tool_calls_destroy(answer->calls);
	answer->calls = NULL;
}

static void malformed(struct answer *answer, const char *what) {
	conduit_malformed(answer->job, "Ollama's answer %s", what);
	answer->over = true;
}

/* A call comes whole, its arguments as an object; versions before 0.12 give it no id. */
static void take_call(struct answer *answer, const struct conduit_json *call) {
	const struct conduit_json *arguments = conduit_json_get(call, "function.arguments");
	char *text = conduit_json_print(arguments);
	char made[32];
	const char *id = conduit_json_string(call, "id");
	snprintf(made, sizeof(made), "call_%lld", (long long)answer->n_calls);
	if (!conduit_tool_calls_add(answer->calls, answer->n_calls++,
			    id != NULL && id[0] != '\0' ? id : made,
			    conduit_json_string(call, "function.name"), text)) {
		malformed(answer, "holds more than 128 tool calls, or 16 MiB of them");
	}
	free(text);
}

static void take_message(struct answer *answer, const struct conduit_json *message) {
	const char *thinking = conduit_json_string(message, "thinking");
	if (thinking != NULL && thinking[0] != '\0') {
		conduit_reasoning(answer->job, thinking, strlen(thinking));
	}
	conduit_tool_calls_text(
			answer->calls, answer->job, conduit_json_string(message, "content"));
	const struct conduit_json *call = conduit_json_first(
			conduit_json_get(message, "tool_calls"));
	for (; call != NULL && !answer->over; call = conduit_json_next(call)) {
		take_call(answer, call);
	}
}

/* A count of 0 is left out of what the server says. */
static int64_t count(const struct conduit_json *line, const char *name) {
	int64_t value = 0;
	return conduit_json_int64(line, name, &value) && value > 0 ? value : 0;
}

static void complete(struct answer *answer, const struct conduit_json *line) {
	struct conduit_usage usage = CONDUIT_USAGE_UNKNOWN;
	const char *reason = conduit_json_string(line, "done_reason");
	bool calls = conduit_tool_calls_count(answer->calls) != 0;
	usage.prompt_tokens = count(line, "prompt_eval_count");
	usage.completion_tokens = count(line, "eval_count");
	conduit_usage(answer->job, &usage);
	if (calls && !conduit_tool_calls_output(answer->calls, answer->job)) {
		malformed(answer, "holds tool calls that memory doesn't suffice for");
		return;
	}
	conduit_finish(answer->job,
			calls		 ? "tool_calls"
			: reason != NULL ? reason
					 : "stop",
			answer->model[0] != '\0' ? answer->model : NULL);
	answer->over = true;
}

static void take_object(struct answer *answer, const struct conduit_json *line) {
	const char *model = conduit_json_string(line, "model");
	bool done = false;
	if (conduit_json_type(line, "error") >= CONDUIT_JSON_STRING) {
		conduit_json_failure(answer->job, 200, line);
		answer->over = true;
		return;
	}
	if (conduit_json_type(line, "message") != CONDUIT_JSON_OBJECT) {
		malformed(answer, "holds a line without a message");
		return;
	}
	if (model != NULL && strlen(model) < sizeof(answer->model)) {
		strcpy(answer->model, model);
	}
	take_message(answer, conduit_json_get(line, "message"));
	if (!answer->over && conduit_json_bool(line, "done", &done) && done) {
		complete(answer, line);
	}
}

void answer_line(struct answer *answer, const char *text, size_t size) {
	if (answer->over) {
		return;
	}
	struct conduit_json *line = conduit_json_parse(text, size);
	if (line == NULL) {
		malformed(answer, "holds a line that isn't JSON, or was cut short");
	} else {
		take_object(answer, line);
	}
	conduit_json_free(line);
}

void answer_end(struct answer *answer) {
	if (!answer->over) {
		malformed(answer, "was cut short: it ended without a line that says it is done");
	}
}
