/* What a model makes, told by its name: see conduit/kit/openai.h. */
#include <conduit/kit/openai.h>
#include <string.h>

/* These lists don't say what a model makes; where its name does, in a way that is well known, that
 * is believed. What no name gives away is taken to chat. */
static const struct {
	const char *part; /* of the id */
	const char *input;
	const char *output;
} kinds[] = {
		{"rerank", "text", "rerank"},
		{"embed", "text", "embeddings"},
		{"bge-", "text", "embeddings"},
		{"gte-", "text", "embeddings"},
		{"MiniLM", "text", "embeddings"},
		{"multilingual-e5", "text", "embeddings"},
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
		{"orpheus", "text", "speech"},
};

/* llama.cpp's server says "text" of every model, also of one that it was started to embed with. */
static bool says_text_of_all(const struct conduit_json *entry) {
	const char *owner = conduit_json_string(entry, "owned_by");
	return owner != NULL && strcmp(owner, "llamacpp") == 0;
}

static bool makes_numbers(const char *output) {
	return strcmp(output, "embeddings") == 0 || strcmp(output, "rerank") == 0;
}

bool conduit_openai_guess_kind(const struct conduit_json *entry, struct conduit_model *model) {
	bool stated = model->output_modalities != NULL;
	if (stated && !says_text_of_all(entry)) {
		return true;
	}
	model->output_modalities = "text";
	if (model->input_modalities == NULL) {
		model->input_modalities = "text";
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strstr(model->id, kinds[i].part) != NULL) {
			if (!stated || makes_numbers(kinds[i].output)) {
				model->input_modalities = kinds[i].input;
				model->output_modalities = kinds[i].output;
			}
			break;
		}
	}
	return true;
}
