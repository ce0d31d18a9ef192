/* The models, and what their settings take. */
#include "ffmpeg.h"

#include <conduit/kit/local.h>
#include <math.h>
#include <string.h>

static const char sounds[] = "mp3\nwav\nflac\nogg\nopus\nm4a", pictures[] = "png\njpg\nwebp",
		  images[] = "png\njpg\nwebp\ngif\nbmp\ntiff",
		  videos[] = "mp4\nwebm\nmkv\nmov\ngif";

static const char *const of_sound[] = {"format", "start", "duration", "bitrate", NULL};
static const char *const of_frames[] = {
		"format", "start", "duration", "fps", "width", "height", "scale", NULL};
static const char *const of_image[] = {"format", "width", "height", "scale", NULL};
static const char *const of_thumbnail[] = {"format", "start", "width", "height", NULL};
static const char *const of_video[] = {
		"format", "start", "duration", "fps", "width", "height", "scale", "bitrate", NULL};

static const struct model models[] = {
		{"extract-audio", "Sound of a video", "The sound of a video as a file of its own.",
				"video", "audio", of_sound, sounds, "mp3", true},
		{"convert-audio", "Sound in another form",
				"Sound in another form, or a piece of it.", "audio", "audio",
				of_sound, sounds, "mp3", true},
		{"extract-frames", "Pictures of a video",
				"Pictures of a video, one a second unless fps says otherwise, at "
				"most "
				"256: the first is the output, the rest are in artifacts/.",
				"video", "image", of_frames, pictures, "png", false},
		{"thumbnail", "A picture of a video",
				"One picture that shows what a video is of, or the one at start.",
				"video", "image", of_thumbnail, pictures, "jpg", false},
		{"convert-video", "Video in another form",
				"A video in another form or size, or a piece of it.", "video",
				"video", of_video, videos, "mp4", false},
		{"convert-image", "An image in another form", "An image in another form or size.",
				"image", "image", of_image, images, "png", false},
};

#define N_MODELS (sizeof(models) / sizeof(models[0]))

const struct model *find_model(const char *id) {
	for (size_t i = 0; i < N_MODELS; i++) {
		if (strcmp(models[i].id, id) == 0) {
			return &models[i];
		}
	}
	return NULL;
}

static struct conduit_limit limit_of(const struct model *model, const char *name) {
	struct conduit_limit limit = {.name = name, .least = NAN, .most = NAN};
	if (strcmp(name, "format") == 0) {
		limit.choices = model->formats;
		limit.standard = model->format;
		limit.help = "The form of the result.";
	} else if (strcmp(name, "width") == 0 || strcmp(name, "height") == 0) {
		limit.least = 1;
		limit.most = 16384;
		limit.help = "Of the result, in pixels; unset, as the other demands, or as it was.";
	} else if (strcmp(name, "fps") == 0) {
		limit.least = 0.001;
		limit.most = 240;
	}
	return limit;
}

static void emit_model(struct conduit_job *job, const struct model *model) {
	struct conduit_limit limits[16];
	size_t n = 0;
	while (model->settings[n] != NULL && n < sizeof(limits) / sizeof(limits[0])) {
		limits[n] = limit_of(model, model->settings[n]);
		n++;
	}
	conduit_local_model(job, &(struct conduit_model){
						 .id = model->id,
						 .name = model->name,
						 .description = model->description,
						 .input_modalities = model->input,
						 .output_modalities = model->output,
						 .limits = limits,
						 .n_limits = n,
				 });
}

void emit_models(struct conduit_job *job) {
	for (size_t i = 0; i < N_MODELS; i++) {
		emit_model(job, &models[i]);
	}
}
