/* OpenRouter (https://openrouter.ai/docs): OpenAI's chat dialect, and a list of models that
 * states prices, modalities and parameters. */
#include <conduit/kit/videos.h>
#include <string.h>

/* Lyria is listed as making text and audio: a song, and its words. */
static const char *const songs[] = {"lyria", NULL};

static bool read_model(const struct conduit_json *entry, struct conduit_model *model) {
	const char *output = model->output_modalities;
	(void)entry;
	if (output != NULL && strstr(output, "audio") != NULL &&
			strstr(model->id, songs[0]) != NULL) {
		model->output_modalities = "audio";
	}
	return true;
}

/* Without the parameter the list holds only models that give text. Usage, with the cost, comes in
 * the last chunk unasked. */
static const struct conduit_openai dialect = {
		.service = "OpenRouter",
		.models_path = "/models?output_modalities=all",
		.prices = true,
		.parts = CONDUIT_OPENAI_PARTS_OPENROUTER,
		.fallback_models = "models",
		.cost_path = "/generation?id=",
		.cost_header = "x-generation-id",
		.media = CONDUIT_OPENAI_MEDIA_OPENROUTER,
		.sound = CONDUIT_OPENAI_SOUND_STREAMED,
		.only_sounds = songs,
		.model = read_model,
};

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, &dialect);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	if (!conduit_videos_transform(job, turn, CONDUIT_VIDEOS_OPENROUTER)) {
		conduit_openai_transform(job, turn, &dialect);
	}
}

CONDUIT_PROVIDER(.name = "openrouter", .version = "1.0.0", .discover = discover,
		.transform = transform, CONDUIT_VIDEOS_CALLBACKS)
