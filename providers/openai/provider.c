/* OpenAI's chat dialect at any base URL: OpenAI itself, llama.cpp, vLLM, LM Studio and the many
 * services that call themselves compatible. */
#include <conduit/kit/openai.h>
#include <string.h>

/* These lists don't say what a model makes; where its name does, in a way that is well known, that
 * is believed. What no name gives away is taken to chat. */
static const struct {
	const char *part; /* of the id */
	const char *input;
	const char *output;
} kinds[] = {
		{"embed", "text", "embeddings"},
		{"rerank", "text", "rerank"},
		{"whisper", "audio", "transcription"},
		{"transcribe", "audio", "transcription"},
		{"moderation", "text,image", "moderation"},
		{"dall-e", "text", "image"},
		{"gpt-image", "text,image", "image"},
		{"chatgpt-image", "text,image", "image"},
		{"sora-", "text,image", "video"},
		{"tts-", "text", "speech"},
		{"-tts", "text", "speech"},
		{"gpt-audio", "text,audio", "text,audio"},
		{"-audio-preview", "text,audio", "text,audio"},
		{"realtime", "text,audio", "text,audio"},
};

static bool guess_kind(const struct conduit_json *entry, struct conduit_model *model) {
	(void)entry;
	if (model->output_modalities != NULL) {
		return true;
	}
	model->output_modalities = "text";
	if (model->input_modalities == NULL) {
		model->input_modalities = "text";
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strstr(model->id, kinds[i].part) != NULL) {
			model->input_modalities = kinds[i].input;
			model->output_modalities = kinds[i].output;
			break;
		}
	}
	return true;
}

/* OpenAI's reasoning models refuse max_tokens; the local servers know no other name. */
static const struct conduit_openai openai = {
		.service = "OpenAI",
		.max_tokens = "max_completion_tokens",
		.include_usage = true,
		.model = guess_kind,
};

static const struct conduit_openai compatible = {
		.include_usage = true,
		.model = guess_kind,
};

static const struct conduit_openai *dialect_of(const struct conduit_job *job) {
	const char *host = "https://api.openai.com/";
	return strncmp(conduit_base_url(job), host, strlen(host)) == 0 ? &openai : &compatible;
}

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, dialect_of(job));
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform(job, turn, dialect_of(job));
}

CONDUIT_PROVIDER(.name = "openai", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_OPENAI_CALLBACKS)
