/* Together AI (https://docs.together.ai): OpenAI's chat dialect, and a list of models that is a
 * bare array with a type and prices a million tokens. */
#include <conduit/kit/openai.h>
#include <string.h>

/* `type` of an entry, and what such a model takes and gives. Only those that count in tokens have
 * a price here: of audio, images and video the same members hold a price of something else, or 0
 * where there is one. */
static const struct kind {
	const char *type;
	const char *input; /* NULL: the list doesn't say; a name may */
	const char *output;
	bool tokens;
} kinds[] = {
		{"chat", NULL, "text", true},
		{"language", NULL, "text", true},
		{"code", NULL, "text", true},
		{"moderation", "text", "moderation", true},
		{"embedding", "text", "embeddings", true},
		{"rerank", "text", "rerank", true},
		{"image", "text", "image", false},
		{"video", "text", "video", false},
		{"audio", "text", "speech", false},
		{"transcribe", "audio", "transcription", false},
};

static const struct kind *kind_of(const struct conduit_json *entry) {
	const char *type = conduit_json_string(entry, "type");
	for (size_t i = 0; type != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(type, kinds[i].type) == 0) {
			return &kinds[i];
		}
	}
	return NULL;
}

/* Prices of 0 stand for "none stated": the list gives 0 for models that are not free (video, agents
 * of several models) as for those that are. */
static size_t prices_of(const struct conduit_json *entry, struct conduit_price *prices) {
	double input;
	double output;
	double hourly = 0;
	conduit_json_number(entry, "pricing.hourly", &hourly);
	if (!conduit_json_number(entry, "pricing.input", &input) ||
			!conduit_json_number(entry, "pricing.output", &output) || input < 0 ||
			output < 0 || input + output <= 0 || hourly > 0) {
		return 0;
	}
	prices[0] = (struct conduit_price){"prompt", input / 1e6};
	prices[1] = (struct conduit_price){"completion", output / 1e6};
	return 2;
}

static bool complete(const struct conduit_json *entry, struct conduit_model *model) {
	static struct conduit_price prices[2];
	const struct kind *kind = kind_of(entry);
	if (kind == NULL) {
		return conduit_openai_guess_kind(entry, model);
	}
	model->input_modalities = kind->input;
	model->output_modalities = kind->output;
	if (kind->tokens) {
		model->prices = prices;
		model->n_prices = prices_of(entry, prices);
	}
	return conduit_openai_guess_kind(entry, model);
}

/* What the chat endpoint of Together's OpenAPI document has no member for. */
static const char *const unknown[] = {"top_a", "verbosity", "parallel_tool_calls",
		"include_reasoning", "web_search_options", "prediction", NULL};

/* Usage comes in the last chunk unasked. */
static const struct conduit_openai dialect = {
		.service = "Together AI",
		.parameters = "top_k,min_p,frequency_penalty,presence_penalty,repetition_penalty,"
			      "logit_bias,logprobs,top_logprobs,reasoning_effort,reasoning,tools,"
			      "tool_choice,"
			      "response_format",
		.model = complete,
		.without = unknown,
		.parts = CONDUIT_OPENAI_PARTS_TOGETHER,
		.logprobs_is_count = true,
		.media = CONDUIT_OPENAI_MEDIA_TOGETHER,
};

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, &dialect);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform(job, turn, &dialect);
}

CONDUIT_PROVIDER(.name = "together", .version = "1.0.0", .discover = discover,
		.transform = transform, CONDUIT_OPENAI_CALLBACKS)
