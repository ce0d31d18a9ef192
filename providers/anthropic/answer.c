/* What comes back from /v1/messages, streamed or whole. */
#include "anthropic.h"

#include <conduit/kit/failure.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void answer_begin(struct answer *answer, struct conduit_job *job) {
	*answer = (struct answer){.job = job,
			.calls = conduit_tool_calls_create(),
			.usage = CONDUIT_USAGE_UNKNOWN,
			.uncached = -1};
}

void answer_finish(struct answer *answer) {
	conduit_tool_calls_destroy(answer->calls);
	answer->calls = NULL;
}

static void malformed(struct answer *answer, const char *what) {
	conduit_malformed(answer->job, "Anthropic's answer %s", what);
	answer->over = true;
}

static void emit_thinking(struct answer *answer, const char *text) {
	if (text != NULL && text[0] != '\0') {
		conduit_reasoning(answer->job, text, strlen(text));
	}
}

static void add_call(struct answer *answer, int64_t index, const char *id, const char *name,
		const char *arguments) {
	if (!conduit_tool_calls_add(answer->calls, index, id, name, arguments)) {
		malformed(answer, "holds more than 128 tool calls, or 16 MiB of them");
	}
}

/* ---- usage ---- */

static void take_count(const struct conduit_json *usage, const char *path, int64_t *count) {
	int64_t value;
	if (conduit_json_int64(usage, path, &value) && value >= 0 && value < (int64_t)1 << 50) {
		*count = value;
	}
}

/* Counts are cumulative, and not all are in each event. input_tokens are those that neither came
 * from a cache nor went into one. */
static void take_usage(struct answer *answer, const struct conduit_json *usage) {
	if (conduit_json_type(usage, NULL) != CONDUIT_JSON_OBJECT) {
		return;
	}
	take_count(usage, "input_tokens", &answer->uncached);
	take_count(usage, "cache_read_input_tokens", &answer->cached);
	take_count(usage, "cache_creation_input_tokens", &answer->stored);
	take_count(usage, "output_tokens", &answer->usage.completion_tokens);
	take_count(usage, "output_tokens_details.thinking_tokens", &answer->usage.reasoning_tokens);
	if (answer->uncached >= 0) {
		answer->usage.prompt_tokens = answer->uncached + answer->cached + answer->stored;
		answer->usage.cached_tokens = answer->cached;
	}
	conduit_usage(answer->job, &answer->usage);
}

/* ---- content ---- */

/* A block as it begins, or as a whole message holds it. What isn't named here (redacted thinking,
 * what the service's own tools did) is no answer. */
static void take_block(struct answer *answer, int64_t index, const struct conduit_json *block) {
	const char *type = conduit_json_string(block, "type");
	if (type == NULL) {
		return;
	}
	if (strcmp(type, "text") == 0) {
		conduit_tool_calls_text(
				answer->calls, answer->job, conduit_json_string(block, "text"));
	} else if (strcmp(type, "thinking") == 0) {
		emit_thinking(answer, conduit_json_string(block, "thinking"));
	} else if (strcmp(type, "tool_use") == 0) {
		const struct conduit_json *input = conduit_json_get(block, "input");
		/* While it streams, the input is an empty object and comes in pieces. */
		char *whole = conduit_json_first(input) != NULL ? conduit_json_print(input) : NULL;
		add_call(answer, index, conduit_json_string(block, "id"),
				conduit_json_string(block, "name"), whole);
		free(whole);
	}
}

static void take_delta(struct answer *answer, const struct conduit_json *event) {
	const char *type = conduit_json_string(event, "delta.type");
	int64_t index = 0;
	conduit_json_int64(event, "index", &index);
	if (type == NULL) {
		return;
	}
	if (strcmp(type, "text_delta") == 0) {
		conduit_tool_calls_text(answer->calls, answer->job,
				conduit_json_string(event, "delta.text"));
	} else if (strcmp(type, "thinking_delta") == 0) {
		emit_thinking(answer, conduit_json_string(event, "delta.thinking"));
	} else if (strcmp(type, "input_json_delta") == 0) {
		add_call(answer, index, NULL, NULL,
				conduit_json_string(event, "delta.partial_json"));
	}
}

/* ---- the end ---- */

/* `holder` holds stop_reason: a message, or a message_delta's delta. */
static void take_stop(struct answer *answer, const struct conduit_json *holder) {
	const char *stop = conduit_json_string(holder, "stop_reason");
	if (stop == NULL || answer->over) {
		return;
	}
	snprintf(answer->stop, sizeof(answer->stop), "%s", stop);
	if (strcmp(stop, "refusal") != 0) {
		return;
	}
	const char *why = conduit_json_string(holder, "stop_details.explanation");
	const char *category = conduit_json_string(holder, "stop_details.category");
	char words[2048];
	snprintf(words, sizeof(words), "the model refused to answer%s%s%s%s",
			category != NULL ? ", by its policy on " : "",
			category != NULL ? category : "", why != NULL ? ": " : "",
			why != NULL ? why : "");
	conduit_fail(answer->job, &(struct conduit_failure){
						  .kind = CONDUIT_FAIL_MODERATED,
						  .words = words,
				  });
	answer->over = true;
}

/* The stop reason in the words that all providers use; what has none stays as it is. */
static const char *finish_word(const char *stop) {
	static const char *const words[][2] = {{"end_turn", "stop"}, {"stop_sequence", "stop"},
			{"max_tokens", "length"}, {"model_context_window_exceeded", "length"},
			{"tool_use", "tool_calls"}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(stop, words[i][0]) == 0) {
			return words[i][1];
		}
	}
	return stop;
}

static void complete(struct answer *answer) {
	if (answer->over) {
		return;
	}
	if (conduit_tool_calls_count(answer->calls) != 0 &&
			!conduit_tool_calls_output(answer->calls, answer->job)) {
		malformed(answer, "holds tool calls that memory doesn't suffice for");
		return;
	}
	conduit_finish(answer->job, finish_word(answer->stop),
			answer->model[0] != '\0' ? answer->model : NULL);
	answer->over = true;
}

static void fail(struct answer *answer, const struct conduit_json *body) {
	conduit_json_failure(answer->job, 200, body);
	answer->over = true;
}

static void take_head(struct answer *answer, const struct conduit_json *message) {
	const char *model = conduit_json_string(message, "model");
	if (model != NULL && strlen(model) < sizeof(answer->model)) {
		strcpy(answer->model, model);
	}
	answer->understood = true;
	take_usage(answer, conduit_json_get(message, "usage"));
}

void answer_message(struct answer *answer, const struct conduit_json *message) {
	const char *type = conduit_json_string(message, "type");
	if (type != NULL && strcmp(type, "error") == 0) {
		fail(answer, message);
		return;
	}
	if (type == NULL || strcmp(type, "message") != 0) {
		malformed(answer, "is no message of this API");
		return;
	}
	take_head(answer, message);
	int64_t index = 0;
	const struct conduit_json *content = conduit_json_get(message, "content");
	if (conduit_json_type(content, NULL) == CONDUIT_JSON_ARRAY) {
		for (const struct conduit_json *block = conduit_json_first(content);
				block != NULL && !answer->over; block = conduit_json_next(block)) {
			take_block(answer, index++, block);
		}
	}
	take_stop(answer, message);
	answer_end(answer);
}

void answer_event(struct answer *answer, const struct conduit_json *event) {
	const char *type = conduit_json_string(event, "type");
	if (type == NULL || answer->over) {
		return;
	}
	if (strcmp(type, "message_start") == 0) {
		take_head(answer, conduit_json_get(event, "message"));
	} else if (strcmp(type, "content_block_start") == 0) {
		int64_t index = 0;
		conduit_json_int64(event, "index", &index);
		take_block(answer, index, conduit_json_get(event, "content_block"));
	} else if (strcmp(type, "content_block_delta") == 0) {
		take_delta(answer, event);
	} else if (strcmp(type, "message_delta") == 0) {
		take_usage(answer, conduit_json_get(event, "usage"));
		take_stop(answer, conduit_json_get(event, "delta"));
	} else if (strcmp(type, "error") == 0) {
		fail(answer, event);
	} else if (strcmp(type, "message_stop") == 0) {
		answer_end(answer);
	}
}

void answer_end(struct answer *answer) {
	if (answer->over) {
		return;
	}
	if (!answer->understood) {
		malformed(answer, "is no message of this API");
	} else if (answer->stop[0] == '\0') {
		malformed(answer, "was cut short: it ended without a stop reason");
	} else {
		complete(answer);
	}
}
