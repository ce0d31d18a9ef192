/* What the files of this provider share: its models, and a command line for one of them. */
#ifndef FFMPEG_H
#define FFMPEG_H

#include <conduit/provider.h>

/* Files that a turn may have. */
#define FRAMES_MOST 256

struct model {
	const char *id, *name, *description;
	const char *input, *output; /* modalities */
	const char *const *settings; /* ended by NULL */
	const char *formats; /* choices, one a line */
	const char *format; /* what is made unless `format` says otherwise */
	bool sound; /* the input must have sound; else pictures */
};

const struct model *find_model(const char *id);
void emit_models(struct conduit_job *job);

#define ARGUMENTS_MOST 64

struct command {
	struct conduit_argument arguments[ARGUMENTS_MOST];
	size_t n;
	char text[4096]; /* what they point to */
	size_t used;
	double start, duration; /* seconds; 0 for none */
	char trouble[256]; /* why there is none, "" when there is */
};

/* ffmpeg's arguments for a turn over this file; `trouble` says what is wrong with a setting. */
void command_make(struct command *command, const struct model *model,
		const struct conduit_turn *turn, uint32_t file);
/* ffprobe's: a line "codec_type=audio" or video for each stream, and "duration=12.5". */
void command_probe(struct command *command, uint32_t file);

#endif
