/* What a model makes, told by its name: see conduit/kit/openai.h. */
#include <conduit/kit/openai.h>
#include <string.h>

/* These lists don't say what a model makes; where its name does, in a way that is well known, that
 * is believed. What no name gives away is taken to chat. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *part; /* of the id */
	const char *input;
	const char *output;
} kinds[] = {
		{"rerank", "text", "rerank"},
		{"embed", "text", "embeddings"},
		{"bge-", "text", "embeddings"},
		{"gte-", "text", "embeddings"},
		{"minilm", "text", "embeddings"},
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

/* Models that chat and are well known to take more than text. */
static const struct {
	const char *part; /* of the id */
	const char *input;
} senses[] = {
		{"gpt-4o", "text,image,file"},
		{"gpt-4.1", "text,image,file"},
		{"gpt-5", "text,image,file"},
		{"claude-", "text,image,file"},
		{"gemini-", "text,image,audio"},
		{"grok-4", "text,image"},
		{"llama-4", "text,image"},
		{"gemma-3", "text,image"},
		{"pixtral", "text,image"},
		{"llava", "text,image"},
		{"vision", "text,image"},
		{"-vl", "text,image"},
};

/* llama.cpp's server says "text" of every model, also of one that it was started to embed with. */
static bool says_text_of_all(const struct conduit_json *entry) {
	const char *owner = conduit_json_string(entry, "owned_by");
	return owner != NULL && strcmp(owner, "llamacpp") == 0;
}

static bool makes_numbers(const char *output) {
	return strcmp(output, "embeddings") == 0 || strcmp(output, "rerank") == 0;
}

/* True when a name says what is made: not where the list does, unless that is known to be wrong. */
static bool guess_output(const struct conduit_json *entry, struct conduit_model *model) {
	bool stated = model->output_modalities != NULL;
	for (size_t i = 0; (!stated || says_text_of_all(entry)) && i < COUNT(kinds); i++) {
		if (strcasestr(model->id, kinds[i].part) == NULL) {
			continue;
		}
		if (!stated || makes_numbers(kinds[i].output)) {
			model->input_modalities = kinds[i].input;
			model->output_modalities = kinds[i].output;
			return true;
		}
		return false;
	}
	return false;
}

bool conduit_openai_guess_kind(const struct conduit_json *entry, struct conduit_model *model) {
	if (guess_output(entry, model)) {
		return true;
	}
	if (model->output_modalities == NULL) {
		model->output_modalities = "text";
	}
	bool chats = strcmp(model->output_modalities, "text") == 0;
	for (size_t i = 0; chats && model->input_modalities == NULL && i < COUNT(senses); i++) {
		if (strcasestr(model->id, senses[i].part) != NULL) {
			model->input_modalities = senses[i].input;
		}
	}
	return true;
}
