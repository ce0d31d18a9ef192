/* Hugging Face's router (https://huggingface.co/docs/inference-providers): OpenAI's chat dialect in
 * front of many providers. A model is served by several at once, each with its own price and
 * context; which of them answers is the router's choice. */
#include "look_up.h"

#include <conduit/kit/openai.h>
#include <string.h>

/* What holds whichever of a model's live providers answers. */
struct offer {
	int live;
	int64_t context_length; /* the longest: another may be shorter, and then refuses with words
				 */
	bool priced; /* each states its price */
	double input; /* the dearest, USD a million tokens: a budget must hold in any case */
	double output;
};

/* A price of 0 is none unless the entry says that it is free of charge. */
static bool take_price(struct offer *offer, const struct conduit_json *provider) {
	double input = 0;
	double output = 0;
	bool is_free = false;
	bool stated = conduit_json_number(provider, "pricing.input", &input) &&
		      conduit_json_number(provider, "pricing.output", &output);
	conduit_json_bool(provider, "is_free", &is_free);
	if (input < 0 || output < 0 || (stated ? input + output <= 0 && !is_free : !is_free)) {
		return false;
	}
	offer->input = input > offer->input ? input : offer->input;
	offer->output = output > offer->output ? output : offer->output;
	return true;
}

static struct offer offer_of(const struct conduit_json *entry) {
	struct offer offer = {.priced = true};
	for (const struct conduit_json *provider =
					conduit_json_first(conduit_json_get(entry, "providers"));
			provider != NULL; provider = conduit_json_next(provider)) {
		const char *status = conduit_json_string(provider, "status");
		if (status == NULL || strcmp(status, "live") != 0) {
			continue;
		}
		int64_t length = 0;
		conduit_json_int64(provider, "context_length", &length);
		offer.context_length = length > offer.context_length ? length
								     : offer.context_length;
		offer.priced = take_price(&offer, provider) && offer.priced;
		offer.live++;
	}
	return offer;
}

/* An entry of the Hub's own list states its task. */
static const struct task {
	const char *tag, *input, *output;
} tasks[] = {
		{"feature-extraction", "text", "embeddings"},
		{"sentence-similarity", "text", "embeddings"},
		{"text-to-image", "text", "image"},
		{"automatic-speech-recognition", "audio", "transcription"},
};

/* Of the Hub: fills in what the model does; false when that is nothing of ours. */
static bool complete_task(const char *tag, struct conduit_model *model) {
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		if (strcmp(tag, tasks[i].tag) == 0) {
			model->input_modalities = tasks[i].input;
			model->output_modalities = tasks[i].output;
			return true;
		}
	}
	return false;
}

/* A model that nobody serves at the moment is left out: it couldn't be asked. */
static bool complete(const struct conduit_json *entry, struct conduit_model *model) {
	static struct conduit_price prices[2];
	const char *tag = conduit_json_string(entry, "pipeline_tag");
	if (tag != NULL) {
		return complete_task(tag, model);
	}
	struct offer offer = offer_of(entry);
	bool listed = conduit_json_type(entry, "providers") == CONDUIT_JSON_ARRAY;
	if (listed && offer.live == 0) {
		return false;
	}
	if (offer.context_length > 0) {
		model->context_length = offer.context_length;
	}
	if (listed && offer.priced) {
		prices[0] = (struct conduit_price){"prompt", offer.input / 1e6};
		prices[1] = (struct conduit_price){"completion", offer.output / 1e6};
		model->prices = prices;
		model->n_prices = 2;
	}
	return conduit_openai_guess_kind(entry, model);
}

/* What the chat completions of Hugging Face's documents have no member for; of the providers behind
 * the router some refuse what they don't know. */
static const char *const unknown[] = {"top_k", "min_p", "top_a", "repetition_penalty", "logit_bias",
		"verbosity", "parallel_tool_calls", "reasoning", "include_reasoning",
		"web_search_options", "prediction", NULL};

/* Models that embed are asked by their task, at Hugging Face's own inference. */
static const struct conduit_openai_embeddings embeddings = {
		.before = "/hf-inference/models/",
		.after = "/pipeline/feature-extraction",
		.input = "inputs",
};

#define PARAMETERS                                                                                 \
	"frequency_penalty,presence_penalty,logprobs,top_logprobs,reasoning_effort,tools,"         \
	"tool_choice,response_format"

/* The router lists chat models alone: those of other tasks are in the Hub's list, the most used
 * ones of its several thousand. */
#define HUB_LIST(task)                                                                             \
	"https://huggingface.co/api/models?inference_provider=hf-inference&pipeline_tag=" task     \
	"&sort=downloads&direction=-1&limit=100"

static const char *const hub_lists[] = {HUB_LIST("feature-extraction"),
		HUB_LIST("sentence-similarity"), HUB_LIST("text-to-image"),
		HUB_LIST("automatic-speech-recognition"), NULL};

#define DIALECT                                                                                    \
	.service = "Hugging Face", .include_usage = true, .without = unknown,                      \
	.parameters = PARAMETERS, .model = complete, .embeddings = &embeddings,                    \
	.media = CONDUIT_OPENAI_MEDIA_HUGGINGFACE

static const struct conduit_openai router = {DIALECT, .more_models = hub_lists};
/* At an address of the user's own the Hub has no say. */
static const struct conduit_openai elsewhere = {DIALECT};

static const struct conduit_openai *dialect_of(const struct conduit_job *job) {
	static const char own[] = "https://router.huggingface.co/";
	return strncmp(conduit_base_url(job), own, strlen(own)) == 0 ? &router : &elsewhere;
}

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, dialect_of(job));
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform(job, turn, dialect_of(job));
}

CONDUIT_PROVIDER(.name = "huggingface", .version = "1.0.0", .discover = discover,
		.transform = transform, LOOK_UP_CALLBACKS)
