/* The table of settings: see settings.h. Names and ranges are those of OpenRouter's and OpenAI's
 * chat completions, which most services share. */
#include "core/config/settings.h"

#include "core/base/text.h"

#include <math.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Rows of the table: where they are found, and whether a provider is told. */
#define EVERYWHERE .everywhere = true
#define TOLD .to_provider = true
#define ROUTING .routing = true

/* Ten years. */
#define CACHE_MOST 315360000.0

/* What counts of tokens accept: services take 32-bit numbers. */
#define COUNT_MOST 2147483647.0

static const char *const efforts[] = {
		"none", "minimal", "low", "medium", "high", "xhigh", "max", NULL};
static const char *const verbosities[] = {"low", "medium", "high", NULL};
static const char *const tool_choices[] = {"auto", "none", "required", "any", NULL};

static const char *const policies[] = {
		"listed", "free", "cheapest", "fastest", "local-first", NULL};

static const char *const tasks[] = {"transcribe", "translate", NULL};
static const char *const timestamps[] = {"none", "segment", "word", NULL};

const struct setting_spec setting_specs[] = {
		{"system", SETTING_TEXT, .standard = "", EVERYWHERE,
				.help = "Instructions that come before every conversation."},
		{"temperature", SETTING_NUMBER, 0, 2, .standard = "", EVERYWHERE, TOLD,
				.help = "How much chance there is in the answer: 0 always picks "
					"the "
					"likeliest word."},
		{"top_p", SETTING_NUMBER, 0, 1, .standard = "", EVERYWHERE, TOLD,
				.help = "Words are chosen among the likeliest that together have "
					"this "
					"probability."},
		{"max_tokens", SETTING_INTEGER, 1, COUNT_MOST, .standard = "", EVERYWHERE, TOLD,
				.help = "The answer ends after so many tokens; unset, the model's "
					"own "
					"limit, at most 16384."},
		{"seed", SETTING_INTEGER, -INFINITY, INFINITY, .standard = "", EVERYWHERE, TOLD,
				.help = "The same seed and prompt give the same answer where the "
					"model "
					"can."},
		{"stop", SETTING_LINES, .standard = "", EVERYWHERE, TOLD,
				.help = "The answer ends before any of these texts, one a line."},
		{"schema", SETTING_OBJECT, .standard = "", EVERYWHERE, TOLD,
				.help = "A JSON Schema that the answer follows."},
		{"extra", SETTING_OBJECT, .standard = "", EVERYWHERE, TOLD,
				.help = "A JSON object merged into the request as it is."},
		{"timeout_connect", SETTING_SECONDS, SETTING_SECONDS_LEAST, SETTING_SECONDS_MOST,
				.standard = "15", EVERYWHERE,
				.help = "Seconds until the connection stands."},
		{"timeout_first_byte", SETTING_SECONDS, SETTING_SECONDS_LEAST, SETTING_SECONDS_MOST,
				.standard = "300", EVERYWHERE,
				.help = "Seconds from the request's end to the reply's first "
					"byte."},
		{"timeout_idle", SETTING_SECONDS, SETTING_SECONDS_LEAST, SETTING_SECONDS_MOST,
				.standard = "120", EVERYWHERE,
				.help = "Seconds between two bytes of the reply."},
		{"timeout_total", SETTING_SECONDS, SETTING_SECONDS_LEAST, SETTING_SECONDS_MOST,
				.standard = "3600", EVERYWHERE,
				.help = "Seconds that the whole request may take."},
		{"retries", SETTING_INTEGER, 0, SETTING_RETRIES_MOST, .standard = "4", EVERYWHERE,
				.help = "How often a request that failed before its first byte is "
					"repeated."},
		{"top_k", SETTING_INTEGER, 0, COUNT_MOST, .standard = "", TOLD,
				.help = "Words are chosen among so many of the likeliest; 0 for "
					"all."},
		{"min_p", SETTING_NUMBER, 0, 1, .standard = "", TOLD,
				.help = "Words less likely than this share of the likeliest are "
					"left "
					"out."},
		{"top_a", SETTING_NUMBER, 0, 1, .standard = "", TOLD,
				.help = "As min_p, by the square of the likeliest word's "
					"probability."},
		{"frequency_penalty", SETTING_NUMBER, -2, 2, .standard = "", TOLD,
				.help = "Above 0, words are avoided the more often they were "
					"used."},
		{"presence_penalty", SETTING_NUMBER, -2, 2, .standard = "", TOLD,
				.help = "Above 0, words that were used once are avoided."},
		{"repetition_penalty", SETTING_NUMBER, 0, 2, .standard = "", TOLD,
				.help = "Above 1, words of the prompt and the answer are avoided."},
		{"logit_bias", SETTING_OBJECT, .standard = "", TOLD,
				.help = "A JSON object of token ids and what is added to their "
					"likelihood, -100 to 100."},
		{"logprobs", SETTING_BOOL, .standard = "", TOLD,
				.help = "Whether the response tells each token's probability."},
		{"top_logprobs", SETTING_INTEGER, 0, 20, .standard = "", TOLD,
				.help = "For how many alternatives of each token the response "
					"tells it."},
		{"reasoning_effort", SETTING_CHOICE, .choices = efforts, .standard = "", TOLD,
				.help = "How much the model thinks before it answers."},
		{"reasoning", SETTING_OBJECT, .standard = "", TOLD,
				.help = "A JSON object that says how the model thinks: effort, "
					"max_tokens, exclude, enabled."},
		{"include_reasoning", SETTING_BOOL, .standard = "", TOLD,
				.help = "Whether the response tells what the model thought."},
		{"verbosity", SETTING_CHOICE, .choices = verbosities, .standard = "", TOLD,
				.help = "How long an answer the model tends to."},
		{"tools", SETTING_ARRAY, .standard = "", TOLD,
				.help = "A JSON array of the functions that the model may ask "
					"for."},
		{"tool_choice", SETTING_JSON, .choices = tool_choices, .standard = "", TOLD,
				.help = "Whether it must ask for one: auto, none, required, any, "
					"or a "
					"JSON object that names it."},
		{"parallel_tool_calls", SETTING_BOOL, .standard = "", TOLD,
				.help = "Whether it may ask for several functions at once."},
		{"response_format", SETTING_OBJECT, .standard = "", TOLD,
				.help = "A JSON object that says the answer's form; `schema` is "
					"the "
					"shorter way."},
		{"structured_outputs", SETTING_BOOL, .standard = "", TOLD,
				.help = "Whether the answer must follow the schema strictly."},
		{"web_search_options", SETTING_OBJECT, .standard = "", TOLD,
				.help = "A JSON object for models that search the web."},
		{"prediction", SETTING_OBJECT, .standard = "", TOLD,
				.help = "A JSON object with a text much of which will be in the "
					"answer."},
		{"max_completion_tokens", SETTING_INTEGER, 1, COUNT_MOST, .standard = "", TOLD,
				.help = "As max_tokens, counting what the model thinks as well."},
		{"width", SETTING_INTEGER, 1, 65536, .standard = "", TOLD,
				.help = "Columns of a picture, or of a line of text."},
		{"lines", SETTING_BOOL, .standard = "no", TOLD,
				.help = "Whether each line of the prompt is one of its own: a "
					"vector a line."},
		{"format", SETTING_WORD, .standard = "", TOLD,
				.help = "What the result is written as; info/formats names what "
					"the model can."},
		{"cache", SETTING_SECONDS, 0, CACHE_MOST, .standard = "", EVERYWHERE,
				.help = "For how long the same request is answered again with the "
					"answer it had, for nothing; 0: never."},
		{"policy", SETTING_CHOICE, .choices = policies, .standard = "listed", ROUTING,
				.help = "Whom a route asks first among the models that one of its "
					"patterns names."},
		{"max_price", SETTING_NUMBER, 0, 1e6, .standard = "", ROUTING,
				.help = "USD a million tokens, of prompt or answer: a route passes "
					"over what is dearer."},
		{"voice", SETTING_WORD, .standard = "", TOLD,
				.help = "Whose voice speaks; info/voices names those that the "
					"model has."},
		{"size", SETTING_WORD, .standard = "", TOLD,
				.help = "Width and height of a picture, as in 1024x1024."},
		{"aspect_ratio", SETTING_WORD, .standard = "", TOLD,
				.help = "How wide to how high, as in 16:9."},
		{"resolution", SETTING_WORD, .standard = "", TOLD,
				.help = "How fine a picture or a video is, as in 720p."},
		{"quality", SETTING_WORD, .standard = "", TOLD,
				.help = "How much care is taken, as in low or high."},
		{"background", SETTING_WORD, .standard = "", TOLD,
				.help = "What is behind a picture's subject, as in transparent."},
		{"n", SETTING_INTEGER, 1, 1000, .standard = "", TOLD,
				.help = "How many results are made of one prompt."},
		{"steps", SETTING_INTEGER, 1, 10000, .standard = "", TOLD,
				.help = "How many steps a picture is refined in."},
		{"guidance", SETTING_NUMBER, 0, 1000, .standard = "", TOLD,
				.help = "How closely the prompt is followed."},
		{"negative_prompt", SETTING_TEXT, .standard = "", TOLD,
				.help = "What should not be in the result."},
		{"language", SETTING_WORD, .standard = "", TOLD,
				.help = "The language that is spoken or written, as in en."},
		{"task", SETTING_CHOICE, .choices = tasks, .standard = "", TOLD,
				.help = "Whether speech is written down as it is or in English."},
		{"timestamps", SETTING_CHOICE, .choices = timestamps, .standard = "", TOLD,
				.help = "How finely a transcript tells when each part was said."},
		{"start", SETTING_SECONDS, 0, SETTING_SECONDS_MOST, .standard = "", TOLD,
				.help = "Where in a recording or a video to begin, in seconds."},
		{"duration", SETTING_SECONDS, 0, SETTING_SECONDS_MOST, .standard = "", TOLD,
				.help = "How many seconds are taken or made."},
		{"fps", SETTING_NUMBER, 0, 1000, .standard = "", TOLD,
				.help = "Pictures of a video in a second."},
		{"height", SETTING_INTEGER, 1, 65536, .standard = "", TOLD,
				.help = "Rows of a picture or a video."},
		{"bitrate", SETTING_WORD, .standard = "", TOLD,
				.help = "Bits that a second of sound or video takes, as in 128k."},
		{"speed", SETTING_NUMBER, 0, 100, .standard = "", TOLD,
				.help = "How fast is spoken: 1 as usual, 2 twice as fast."},
		{"strength", SETTING_NUMBER, 0, 100, .standard = "", TOLD,
				.help = "How far the result may leave what it is made from."},
		{"instructions", SETTING_TEXT, .standard = "", TOLD,
				.help = "How the voice should speak."},
		{"scale", SETTING_WORD, .standard = "", TOLD,
				.help = "How much larger or smaller the result is, as in 2 or "
					"640:-1."},
		{"style", SETTING_WORD, .standard = "", TOLD,
				.help = "The manner of the result, as in vivid or natural."},
		{"num_ctx", SETTING_INTEGER, 1, COUNT_MOST, .standard = "", TOLD,
				.help = "The tokens of context that a local model is loaded with; "
					"unset, its server's own choice."},
};

const size_t n_setting_specs = LENGTH(setting_specs);

int setting_find(const char *name) {
	for (size_t i = 0; i < LENGTH(setting_specs); i++) {
		if (strcmp(setting_specs[i].name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

const char *setting_nearest(const char *wrong) {
	const char *names[LENGTH(setting_specs)];
	for (size_t i = 0; i < LENGTH(setting_specs); i++) {
		names[i] = setting_specs[i].name;
	}
	return nearest_name(wrong, names, LENGTH(names));
}

bool setting_listed(int index, const char *parameters) {
	const struct setting_spec *spec = &setting_specs[index];
	size_t length = strlen(spec->name);
	for (const char *at = parameters; at != NULL;) {
		const char *comma = strchrnul(at, ',');
		if ((size_t)(comma - at) == length && memcmp(at, spec->name, length) == 0) {
			return true;
		}
		at = *comma != '\0' ? comma + 1 : NULL;
	}
	return false;
}

bool setting_offered(int index, const char *parameters) {
	return setting_specs[index].everywhere || setting_listed(index, parameters);
}
