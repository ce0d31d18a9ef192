/* Settings of media models: see openai_offers.h. By the services' OpenAPI documents. */
#include "core/provider/kit/openai_offers.h"

#include <math.h>
#include <string.h>

#define SPEED                                                                                      \
	{ .name = "speed", .least = 0.25, .most = 4 }
#define FORMAT(first, more)                                                                        \
	{ .name = "format", .least = NAN, .most = NAN, .choices = first more, .standard = first }

static const struct conduit_limit openai_speech[] = {
		FORMAT("mp3", "\nopus\naac\nflac\nwav\npcm"), SPEED};
static const struct conduit_limit openrouter_speech[] = {FORMAT("mp3", "\npcm"), SPEED};
static const struct conduit_limit together_speech[] = {FORMAT("mp3", "\nwav\nraw")};
static const struct conduit_limit mistral_speech[] = {FORMAT("mp3", "\nwav\nflac\nopus\npcm")};
static const struct conduit_limit transcripts[] = {FORMAT("text", "\nsrt\nvtt\nverbose_json")};

#define LIMITS(array) array, sizeof(array) / sizeof((array)[0])

static const struct offer {
	const char *output;
	enum conduit_openai_media media;
	const char *parameters;
	const struct conduit_limit *limits;
	size_t n_limits;
} offers[] = {
		{"image", CONDUIT_OPENAI_MEDIA_OPENAI, "size,n,quality,background,style", NULL, 0},
		{"image", CONDUIT_OPENAI_MEDIA_OPENROUTER,
				"size,n,quality,background,aspect_ratio,resolution", NULL, 0},
		{"image", CONDUIT_OPENAI_MEDIA_TOGETHER, "size,n,steps,guidance,negative_prompt",
				NULL, 0},
		{"image", CONDUIT_OPENAI_MEDIA_HUGGINGFACE, "size,steps,guidance,negative_prompt",
				NULL, 0},
		{"video", CONDUIT_OPENAI_MEDIA_OPENAI, "size,duration", NULL, 0},
		{"video", CONDUIT_OPENAI_MEDIA_OPENROUTER, "size,duration,aspect_ratio,resolution",
				NULL, 0},
		{"speech", CONDUIT_OPENAI_MEDIA_OPENAI, "voice,speed,instructions,format",
				LIMITS(openai_speech)},
		{"speech", CONDUIT_OPENAI_MEDIA_OPENROUTER, "voice,speed,format",
				LIMITS(openrouter_speech)},
		{"speech", CONDUIT_OPENAI_MEDIA_TOGETHER, "voice,language,format",
				LIMITS(together_speech)},
		{"speech", CONDUIT_OPENAI_MEDIA_MISTRAL, "voice,format", LIMITS(mistral_speech)},
		{"transcription", CONDUIT_OPENAI_MEDIA_OPENAI, "language,task,timestamps,format",
				LIMITS(transcripts)},
		{"transcription", CONDUIT_OPENAI_MEDIA_OPENROUTER, "language", NULL, 0},
		{"transcription", CONDUIT_OPENAI_MEDIA_TOGETHER, "language,task,timestamps", NULL,
				0},
		{"transcription", CONDUIT_OPENAI_MEDIA_MISTRAL, "language", NULL, 0},
};

void media_offer(enum conduit_openai_media media, struct conduit_model *model) {
	const char *output = model->output_modalities != NULL ? model->output_modalities : "";
	size_t length = strcspn(output, ",");
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		const struct offer *offer = &offers[i];
		if (offer->media != media || strlen(offer->output) != length ||
				memcmp(output, offer->output, length) != 0) {
			continue;
		}
		model->parameters = offer->parameters;
		if (model->limits == NULL) {
			model->limits = offer->limits;
			model->n_limits = offer->n_limits;
		}
	}
}
