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
		{"orpheus", "text", "speech"},
};

bool conduit_openai_guess_kind(const struct conduit_json *entry, struct conduit_model *model) {
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
