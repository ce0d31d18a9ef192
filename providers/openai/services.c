/* How the services of OpenAI's dialect differ: see services.h. What one of them refuses is left out
 * of a request: OpenAI by its OpenAPI document, the others by their references. */
#include "services.h"

#include <ctype.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- OpenAI ---- */

static const char *const openai_without[] = {"top_k", "min_p", "top_a", "repetition_penalty",
		"reasoning", "include_reasoning", NULL};

/* As its document names them; custom voices have ids of their own. */
static const struct conduit_limit speech_limits[] = {
		{.name = "voice",
				.choices = "alloy\nash\nballad\ncoral\necho\nfable\nnova\nonyx\n"
					   "sage\nshimmer\nverse\nmarin\ncedar\n*",
				.standard = "alloy"},
		{.name = "format", .choices = "mp3\nopus\naac\nflac\nwav\npcm", .standard = "mp3"},
		{.name = "speed", .least = 0.25, .most = 4, .standard = "1"},
};

/* What differs by model isn't said: one takes sizes of any kind, another one picture at a time. */
static const struct conduit_limit image_limits[] = {
		{.name = "n", .least = 1, .most = 10, .standard = "1"},
		{.name = "quality",
				.choices = "standard\nhd\nlow\nmedium\nhigh\nauto",
				.standard = "auto"},
		{.name = "background", .choices = "transparent\nopaque\nauto"},
		{.name = "style", .choices = "vivid\nnatural"},
};
static const struct conduit_limit video_limits[] = {
		{.name = "size",
				.choices = "720x1280\n1280x720\n1024x1792\n1792x1024",
				.standard = "720x1280"},
		{.name = "duration", .choices = "4\n8\n12", .standard = "4"},
};

static bool openai_model(const struct conduit_json *entry, struct conduit_model *model) {
	static const struct {
		const char *output;
		const struct conduit_limit *limits;
		size_t n;
	} known[] = {
			{"speech", speech_limits, COUNT(speech_limits)},
			{"image", image_limits, COUNT(image_limits)},
			{"video", video_limits, COUNT(video_limits)},
	};
	bool kept = conduit_openai_guess_kind(entry, model);
	const char *output = model->output_modalities;
	for (size_t i = 0; kept && output != NULL && i < COUNT(known); i++) {
		if (strcmp(output, known[i].output) == 0) {
			model->limits = known[i].limits;
			model->n_limits = known[i].n;
		}
	}
	return kept;
}

/* Its reasoning models refuse max_tokens. */
static const struct conduit_openai openai = {
		.service = "OpenAI",
		.voice = "alloy",
		.sound = CONDUIT_OPENAI_SOUND_WHOLE,
		.max_tokens = "max_completion_tokens",
		.include_usage = true,
		.without = openai_without,
		.parameters = "frequency_penalty,presence_penalty,logit_bias,logprobs,top_logprobs,"
			      "reasoning_effort,verbosity,tools,tool_choice,parallel_tool_calls,"
			      "response_format,web_search_options,prediction",
		.model = openai_model,
};

/* ---- Google ---- */

/* An unknown member is an invalid request: "Unknown name \"seed\": Cannot find field". */
static const char *const google_without[] = {"seed", "top_k", "min_p", "top_a", "frequency_penalty",
		"presence_penalty", "repetition_penalty", "logit_bias", "logprobs", "top_logprobs",
		"verbosity", "parallel_tool_calls", "reasoning", "include_reasoning",
		"web_search_options", "prediction", NULL};

/* The list gives "models/gemini-…"; a request takes it without the prefix too. */
static bool google_model(const struct conduit_json *entry, struct conduit_model *model) {
	static const char prefix[] = "models/";
	const size_t length = sizeof(prefix) - 1;
	if (model->id_size > length && memcmp(model->id, prefix, length) == 0) {
		model->id += length;
		model->id_size -= length;
	}
	return conduit_openai_guess_kind(entry, model);
}

static const struct conduit_openai google = {
		.service = "Google",
		.include_usage = true,
		.without = google_without,
		.parameters = "reasoning_effort,tools,tool_choice,response_format",
		.model = google_model,
};

/* ---- others ---- */

/* "These fields will result in a 400 error", says Cerebras of the penalties, logit_bias and
 * parallel_tool_calls. */
static const char *const cerebras_without[] = {"top_k", "min_p", "top_a", "frequency_penalty",
		"presence_penalty", "repetition_penalty", "logit_bias", "verbosity",
		"parallel_tool_calls", "reasoning", "include_reasoning", "web_search_options",
		NULL};

static const struct conduit_openai cerebras = {
		.service = "Cerebras",
		.max_tokens = "max_completion_tokens",
		.include_usage = true,
		.without = cerebras_without,
		.parameters = "logprobs,top_logprobs,reasoning_effort,tools,tool_choice,"
			      "response_format,prediction",
		.model = conduit_openai_guess_kind,
};

static const char *const deepseek_without[] = {"seed", "top_k", "min_p", "top_a",
		"repetition_penalty", "logit_bias", "verbosity", "parallel_tool_calls", "reasoning",
		"include_reasoning", "web_search_options", "prediction", NULL};

static const struct conduit_openai deepseek = {
		.service = "DeepSeek",
		.include_usage = true,
		.without = deepseek_without,
		.parameters = "frequency_penalty,presence_penalty,logprobs,top_logprobs,"
			      "reasoning_effort,tools,tool_choice,response_format",
		.model = conduit_openai_guess_kind,
};

/* The cost comes with the usage, in units of its own, which the kit knows. */
static const char *const xai_without[] = {"top_k", "min_p", "top_a", "repetition_penalty",
		"verbosity", "reasoning", "include_reasoning", "prediction", NULL};

static const struct conduit_openai xai = {
		.service = "xAI",
		.max_tokens = "max_completion_tokens",
		.include_usage = true,
		.without = xai_without,
		.parameters = "frequency_penalty,presence_penalty,logit_bias,logprobs,top_logprobs,"
			      "reasoning_effort,tools,tool_choice,parallel_tool_calls,"
			      "response_format,web_search_options",
		.model = conduit_openai_guess_kind,
};

static const char *const fireworks_without[] = {
		"top_a", "verbosity", "include_reasoning", "reasoning", "web_search_options", NULL};

static const struct conduit_openai fireworks = {
		.service = "Fireworks AI",
		.include_usage = true,
		.without = fireworks_without,
		.parameters = "top_k,min_p,frequency_penalty,presence_penalty,repetition_penalty,"
			      "logit_bias,logprobs,top_logprobs,reasoning_effort,tools,tool_choice,"
			      "parallel_tool_calls,response_format,prediction",
		.model = conduit_openai_guess_kind,
};

/* It searches before it answers; usage with the cost comes unasked. */
static const char *const perplexity_without[] = {"seed", "stop", "min_p", "top_a",
		"repetition_penalty", "logit_bias", "logprobs", "top_logprobs", "verbosity",
		"tools", "tool_choice", "parallel_tool_calls", "reasoning", "include_reasoning",
		"prediction", NULL};

static const struct conduit_openai perplexity = {
		.service = "Perplexity",
		.without = perplexity_without,
		.parameters = "top_k,frequency_penalty,presence_penalty,reasoning_effort,"
			      "response_format,web_search_options",
		.model = conduit_openai_guess_kind,
};

/* ---- servers of one's own ---- */

#define OWN_PARAMETERS                                                                             \
	"top_k,min_p,frequency_penalty,presence_penalty,repetition_penalty,logit_bias,logprobs,"   \
	"top_logprobs,reasoning_effort,tools,tool_choice,parallel_tool_calls,response_format"

static const struct conduit_openai own = {
		.voice = "alloy",
		.sound = CONDUIT_OPENAI_SOUND_WHOLE,
		.include_usage = true,
		.parameters = OWN_PARAMETERS,
		.model = conduit_openai_guess_kind,
};

/* A gateway to OpenAI's reasoning models, which know max_tokens under another name only. */
static const struct conduit_openai own_reasoning = {
		.max_tokens = "max_completion_tokens",
		.include_usage = true,
		.parameters = OWN_PARAMETERS,
		.model = conduit_openai_guess_kind,
};

/* "o3-mini", "gpt-5.2", also behind a vendor's name: "openai/o4-mini". */
static bool wants_completion_tokens(const char *model) {
	const char *slash = strrchr(model, '/');
	const char *name = slash != NULL ? slash + 1 : model;
	return (name[0] == 'o' && isdigit((unsigned char)name[1])) ||
	       (strncmp(name, "gpt-", 4) == 0 && name[4] >= '5' && name[4] <= '9');
}

const struct conduit_openai *service_dialect(const char *base_url, const char *model) {
	static const struct {
		const char *host;
		const struct conduit_openai *dialect;
	} services[] = {
			{"https://api.openai.com", &openai},
			{"https://generativelanguage.googleapis.com", &google},
			{"https://api.cerebras.ai", &cerebras},
			{"https://api.deepseek.com", &deepseek},
			{"https://api.x.ai", &xai},
			{"https://api.fireworks.ai", &fireworks},
			{"https://api.perplexity.ai", &perplexity},
	};
	for (size_t i = 0; i < COUNT(services); i++) {
		size_t length = strlen(services[i].host);
		if (strncmp(base_url, services[i].host, length) == 0 &&
				(base_url[length] == '/' || base_url[length] == '\0')) {
			return services[i].dialect;
		}
	}
	return model != NULL && wants_completion_tokens(model) ? &own_reasoning : &own;
}
