/* Groq (https://console.groq.com/docs): OpenAI's chat dialect; a failure in the middle of a stream
 * is an event of its own, and the list says which models are active. */
#include <conduit/kit/openai.h>

/* `active` is false for a model that is withdrawn. */
static bool complete(const struct conduit_json *entry, struct conduit_model *model) {
	bool active = true;
	conduit_json_bool(entry, "active", &active);
	return active && conduit_openai_guess_kind(entry, model);
}

/* What Groq's reference has no member for, or says that none of its models takes: either is
 * refused.
 */
static const char *const unknown[] = {"top_k", "min_p", "top_a", "repetition_penalty", "logit_bias",
		"logprobs", "top_logprobs", "verbosity", "reasoning", "web_search_options",
		"prediction", NULL};

/* Groq calls max_tokens deprecated. */
static const struct conduit_openai dialect = {
		.service = "Groq",
		.max_tokens = "max_completion_tokens",
		.include_usage = true,
		.without = unknown,
		.parameters = "reasoning_effort,include_reasoning,tools,tool_choice,"
			      "parallel_tool_calls,response_format",
		.model = complete,
};

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, &dialect);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform(job, turn, &dialect);
}

CONDUIT_PROVIDER(.name = "groq", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_OPENAI_CALLBACKS)
