/* Settings of media models: see offers.h. By the services' OpenAPI documents. */
#include "core/provider/kit/openai/offers.h"

#include <math.h>
#include <string.h>

#define SPEED                                                                                      \
	{ .name = "speed", .least = 0.25, .most = 4 }
#define CHOICES(setting, list)                                                                     \
	{ .name = setting, .least = NAN, .most = NAN, .choices = list }
#define STANDARD(setting, value)                                                                   \
	{ .name = setting, .least = NAN, .most = NAN, .standard = value }
#define FORMAT(first, more)                                                                        \
	{ .name = "format", .least = NAN, .most = NAN, .choices = first more, .standard = first }

/* What a document says of a service's models all alike; what differs by model isn't said here. */
static const struct conduit_limit openrouter_images[] = {
		{.name = "n", .least = 1, .most = 10},
		CHOICES("quality", "auto\nlow\nmedium\nhigh"),
		CHOICES("background", "auto\ntransparent\nopaque"),
		CHOICES("aspect_ratio",
				"1:1\n1:2\n1:4\n1:8\n2:1\n2:3\n3:2\n3:4\n4:1\n4:3\n4:5\n5:4\n"
				"8:1\n9:16\n16:9\n9:19.5\n19.5:9\n9:20\n20:9\n9:21\n21:9\n"
				"auto"),
		CHOICES("resolution", "512\n1K\n2K\n4K"),
		CHOICES("format", "png\njpeg\nwebp\nsvg"),
};
static const struct conduit_limit together_images[] = {STANDARD("n", "1"), STANDARD("steps", "20"),
		STANDARD("guidance", "3.5"), FORMAT("jpeg", "\npng")};
static const struct conduit_limit openrouter_videos[] = {
		{.name = "duration", .least = 1, .most = NAN},
		CHOICES("aspect_ratio", "16:9\n9:16\n1:1\n4:3\n3:4\n3:2\n2:3\n21:9\n9:21"),
		CHOICES("resolution", "480p\n720p\n768p\n1080p\n1K\n2K\n4K"),
};
static const struct conduit_limit openai_speech[] = {
		FORMAT("mp3", "\nopus\naac\nflac\nwav\npcm"), SPEED};
static const struct conduit_limit openrouter_speech[] = {FORMAT("mp3", "\npcm"), SPEED};
static const struct conduit_limit together_speech[] = {FORMAT("mp3", "\nwav\nraw"),
		{.name = "language",
				.least = NAN,
				.most = NAN,
				.choices = "en\nde\nfr\nes\nhi\nit\nja\nko\nnl\npl\npt\nru\nsv\ntr"
					   "\nzh",
				.standard = "en"}};
static const struct conduit_limit together_transcripts[] = {STANDARD("language", "en")};
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
				"size,n,quality,background,aspect_ratio,resolution,format",
				LIMITS(openrouter_images)},
		{"image", CONDUIT_OPENAI_MEDIA_TOGETHER,
				"size,n,steps,guidance,negative_prompt,format",
				LIMITS(together_images)},
		{"image", CONDUIT_OPENAI_MEDIA_HUGGINGFACE, "size,steps,guidance,negative_prompt",
				NULL, 0},
		{"video", CONDUIT_OPENAI_MEDIA_OPENAI, "size,duration", NULL, 0},
		{"video", CONDUIT_OPENAI_MEDIA_OPENROUTER, "size,duration,aspect_ratio,resolution",
				LIMITS(openrouter_videos)},
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
		{"transcription", CONDUIT_OPENAI_MEDIA_TOGETHER, "language,task,timestamps",
				LIMITS(together_transcripts)},
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

/* By OpenAI's document; custom voices have ids of their own. */
static const struct conduit_limit whole_sound[] = {FORMAT("mp3", "\nwav\nflac\nopus\npcm"),
		{.name = "voice",
				.choices = "alloy\nash\nballad\ncoral\necho\nfable\nnova\nonyx\n"
					   "sage\nshimmer\nverse\nmarin\ncedar\n*",
				.standard = "alloy"}};
/* By OpenRouter's, "available voices vary by model"; so do formats, but a WAV file or bare samples
 * can be made of what streams. */
static const struct conduit_limit streamed_sound[] = {FORMAT("wav", "\npcm\n*"),
		{.name = "voice",
				.choices = "alloy\necho\nfable\nonyx\nnova\nshimmer\n*",
				.standard = "alloy"}};

static bool lists(const char *list, const char *word) {
	size_t length = strlen(word);
	for (; *list != '\0'; list += strspn(list, ",")) {
		size_t size = strcspn(list, ",");
		if (size == length && memcmp(list, word, length) == 0) {
			return true;
		}
		list += size;
	}
	return false;
}

void sound_offer(const struct conduit_json *entry, const struct conduit_openai *dialect,
		struct conduit_model *model) {
	const char *output = model->output_modalities != NULL ? model->output_modalities : "";
	bool streamed = dialect->sound == CONDUIT_OPENAI_SOUND_STREAMED;
	if (dialect->sound == CONDUIT_OPENAI_SOUND_NONE || model->limits != NULL ||
			!lists(output, "text") || !lists(output, "audio")) {
		return;
	}
	model->limits = streamed ? streamed_sound : whole_sound;
	/* Without the voices, where the list names the model's own. */
	bool named = conduit_json_first(conduit_json_get(entry, "supported_voices")) != NULL;
	model->n_limits = named ? 1 : 2;
}
