/* Command lines: what ffmpeg is told, and what it may open. Only files that hold media themselves
 * are read: playlists, scripts and lists of files, which name others, are none of the formats. */
#include "ffmpeg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a picture, in pixels. */
#define SIDE_MOST 16384

/* Demuxers of media, by ffmpeg's names. */
#define FORMATS                                                                                    \
	"mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,wav,w64,mp3," \
	"flac,aac,ac3,eac3,aiff,au,caf,amr,ape,wv,tta,m4v,h264,hevc,ivf,nut,gif,apng,png_pipe,"    \
	"jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,gif_pipe,qoi_pipe,jpegxl_pipe,pam_pipe,ppm_pipe,"  \
	"pgm_pipe,pbm_pipe"

static void set_trouble(struct command *command, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* The first that is wrong is told. */
static void set_trouble(struct command *command, const char *format, ...) {
	if (command->trouble[0] != '\0') {
		return;
	}
	va_list args;
	va_start(args, format);
	vsnprintf(command->trouble, sizeof(command->trouble), format, args);
	va_end(args);
}

static void add(struct command *command, struct conduit_argument argument) {
	if (command->n == ARGUMENTS_MOST) {
		set_trouble(command, "too many settings for one command");
		return;
	}
	command->arguments[command->n++] = argument;
}

static void add_word(struct command *command, const char *word) {
	add(command, (struct conduit_argument){CONDUIT_WORD, .text = word});
}

static void add_words(struct command *command, const char *const *words) {
	for (; *words != NULL; words++) {
		add_word(command, *words);
	}
}

static const char *print(struct command *command, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

static const char *print(struct command *command, const char *format, ...) {
	char *text = command->text + command->used;
	size_t room = sizeof(command->text) - command->used;
	va_list args;
	va_start(args, format);
	int size = vsnprintf(text, room, format, args);
	va_end(args);
	if (size < 0 || (size_t)size >= room) {
		set_trouble(command, "the settings are too long");
		return "";
	}
	command->used += (size_t)size + 1;
	return text;
}

/* ---- settings ---- */

static const char *setting(const struct conduit_turn *turn, const char *name) {
	const char *value = conduit_setting(turn, name);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* A number from 0 to `most`; 0 when it isn't set. */
static double number(struct command *command, const struct conduit_turn *turn, const char *name,
		double most) {
	const char *value = setting(turn, name);
	char *end = NULL;
	double found = value != NULL ? strtod(value, &end) : 0;
	if (value != NULL && (*end != '\0' || !(found >= 0 && found <= most))) {
		set_trouble(command, "the setting %s takes a number up to %g: correct config/%s",
				name, most, name);
		return 0;
	}
	return found;
}

/* The same of what can't be 0 where it is set. */
static double positive(struct command *command, const struct conduit_turn *turn, const char *name,
		double most) {
	double found = number(command, turn, name, most);
	if (found <= 0 && setting(turn, name) != NULL) {
		set_trouble(command,
				"the setting %s takes a number above 0, up to %g: correct "
				"config/%s",
				name, most, name);
	}
	return found;
}

/* The size's factor, rounded to whole pixels, to an even number for a video. */
static const char *scaled(struct command *command, const char *scale, bool video) {
	char *end;
	double factor = strtod(scale, &end);
	if (*end != '\0' || !(factor > 0 && factor <= 16)) {
		set_trouble(command, "the setting scale takes a factor above 0, up to 16, or "
				     "width:height, as 0.5 or 640:-2: correct config/scale");
		return "";
	}
	return video ? print(command,
				       "scale=max(2\\,trunc(iw*%.6f/2)*2):max(2\\,trunc(ih*%.6f/"
				       "2)*2)",
				       factor, factor)
		     : print(command, "scale=max(1\\,round(iw*%.6f)):max(1\\,round(ih*%.6f))",
				       factor, factor);
}

/* "W:H" of the filter scale, where any is wanted; "" else. A video's other side is even (-2), as
 * most codecs want both. */
static const char *size_of(struct command *command, const struct conduit_turn *turn, bool video) {
	int other = video ? -2 : -1;
	int width = (int)number(command, turn, "width", SIDE_MOST);
	int height = (int)number(command, turn, "height", SIDE_MOST);
	const char *scale = setting(turn, "scale");
	int w, h, used = 0;
	if (width > 0 || height > 0) {
		return print(command, "scale=%d:%d", width > 0 ? width : other,
				height > 0 ? height : other);
	}
	if (scale == NULL) {
		return "";
	}
	if (sscanf(scale, "%d:%d%n", &w, &h, &used) == 2 && scale[used] == '\0' && w >= -2 &&
			h >= -2 && w <= SIDE_MOST && h <= SIDE_MOST && (w > 0 || h > 0)) {
		return print(command, "scale=%d:%d", w > 0 ? w : other, h > 0 ? h : other);
	}
	return scaled(command, scale, video);
}

static void add_bitrate(
		struct command *command, const struct conduit_turn *turn, const char *option) {
	const char *bitrate = setting(turn, "bitrate");
	if (bitrate == NULL) {
		return;
	}
	size_t digits = strspn(bitrate, "0123456789");
	bool unit = bitrate[digits] != '\0' && strchr("kKM", bitrate[digits]) != NULL;
	if (digits == 0 || strtol(bitrate, NULL, 10) == 0 || digits > 9 ||
			bitrate[digits + unit] != '\0') {
		set_trouble(command, "the setting bitrate takes 128k, 2M or a number: correct "
				     "config/bitrate");
		return;
	}
	add_word(command, option);
	add_word(command, print(command, "%s", bitrate));
}

static const char *format_of(struct command *command, const struct model *model,
		const struct conduit_turn *turn) {
	const char *format = setting(turn, "format");
	if (format == NULL) {
		return model->format;
	}
	size_t size = strlen(format);
	for (const char *at = model->formats; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n' ? 1 : 0;
		if (strncmp(at, format, size) == 0 && (at[size] == '\n' || at[size] == '\0')) {
			return print(command, "%s", format);
		}
	}
	set_trouble(command, "the setting format takes one of info/formats: correct config/format");
	return model->format;
}

/* ---- commands ---- */

static void add_input(struct command *command, uint32_t file) {
	static const char *const whitelists[] = {"-protocol_whitelist", "file,pipe",
			"-format_whitelist", FORMATS, "-i", NULL};
	add_words(command, whitelists);
	add(command, (struct conduit_argument){CONDUIT_INPUT, .file = file});
}

void command_probe(struct command *command, uint32_t file) {
	static const char *const words[] = {"-v", "error", "-show_entries",
			"stream=codec_type:format=duration", "-of", "default=noprint_wrappers=1",
			NULL};
	*command = (struct command){0};
	add_words(command, words);
	add_input(command, file);
}

static void add_seconds(struct command *command, const char *option, double seconds) {
	if (seconds > 0) {
		add_word(command, option);
		add_word(command, print(command, "%.6f", seconds));
	}
}

/* The filters, one after the other; "" are left out. */
static void add_filters(struct command *command, const char *first, const char *second) {
	if (first[0] != '\0' || second[0] != '\0') {
		add_word(command, "-vf");
		add_word(command, print(command, "%s%s%s", first,
						  first[0] != '\0' && second[0] != '\0' ? "," : "",
						  second));
	}
}

static void add_sound(struct command *command, const struct conduit_turn *turn) {
	static const char *const words[] = {"-vn", "-sn", "-dn", "-map", "0:a:0", NULL};
	add_words(command, words);
	add_bitrate(command, turn, "-b:a");
}

static const char *frames_filter(struct command *command, const struct conduit_turn *turn) {
	double fps = number(command, turn, "fps", 240);
	/* Rounded up, a picture is what is seen at its time; the first is there however short it
	 * is. */
	return print(command, "fps=%g:round=up", fps > 0 ? fps : 1);
}

static void add_pictures(struct command *command, const struct model *model,
		const struct conduit_turn *turn, const char *format) {
	bool frames = strcmp(model->id, "extract-frames") == 0;
	bool thumbnail = strcmp(model->id, "thumbnail") == 0;
	const char *size = size_of(command, turn, false);
	if (frames) {
		add_filters(command, frames_filter(command, turn), size);
	} else if (thumbnail) {
		add_filters(command, command->start > 0 ? "" : "thumbnail",
				size[0] != '\0' ? size : "scale=min(320\\,iw):-1");
	} else {
		add_filters(command, size, "");
	}
	add_word(command, "-frames:v");
	add_word(command, frames ? print(command, "%d", FRAMES_MOST) : "1");
	if (strcmp(format, "webp") == 0) {
		static const char *const stills[] = {"-c:v", "libwebp", "-f", "image2", NULL};
		add_words(command, stills);
	}
	if (!frames && strcmp(format, "gif") != 0) {
		add_word(command, "-update");
		add_word(command, "1");
	}
	if (strcmp(format, "jpg") == 0) {
		add_word(command, "-q:v");
		add_word(command, "3");
	}
}

/* H.264 halves both sides for its colours. */
static void check_even(struct command *command, const char *format, const char *size) {
	int w, h;
	bool halved = strcmp(format, "gif") != 0 && strcmp(format, "webm") != 0;
	if (halved && sscanf(size, "scale=%d:%d", &w, &h) == 2 && (w % 2 > 0 || h % 2 > 0)) {
		set_trouble(command,
				"%s takes an even width and height: correct config/width, "
				"config/height or config/scale",
				format);
	}
}

static void add_video(
		struct command *command, const struct conduit_turn *turn, const char *format) {
	static const char *const streams[] = {"-map", "0:v:0", "-sn", "-dn", NULL};
	static const char *const sound[] = {"-map", "0:a:0?", "-pix_fmt", "yuv420p", NULL};
	static const char *const even = "scale=max(2\\,trunc(iw/2)*2):max(2\\,trunc(ih/2)*2)";
	bool gif = strcmp(format, "gif") == 0;
	double fps = number(command, turn, "fps", 240);
	const char *size = size_of(command, turn, true);
	check_even(command, format, size);
	add_words(command, streams);
	if (!gif) {
		add_words(command, sound);
	}
	add_filters(command, fps > 0 ? print(command, "fps=%g", fps) : "",
			size[0] != '\0' || gif ? size : even);
	add_bitrate(command, turn, "-b:v");
	if (strcmp(format, "mp4") == 0 || strcmp(format, "mov") == 0) {
		add_word(command, "-movflags");
		add_word(command, "+faststart");
	}
}

void command_make(struct command *command, const struct model *model,
		const struct conduit_turn *turn, uint32_t file) {
	static const char *const words[] = {"-nostdin", "-hide_banner", "-loglevel", "error",
			"-progress", "pipe:1", NULL};
	*command = (struct command){0};
	command->start = number(command, turn, "start", 1e9);
	command->duration = positive(command, turn, "duration", 1e9);
	const char *format = format_of(command, model, turn);
	add_words(command, words);
	add_seconds(command, "-ss", command->start);
	add_seconds(command, "-t", command->duration);
	add_input(command, file);
	if (strcmp(model->output, "audio") == 0) {
		add_sound(command, turn);
	} else if (strcmp(model->output, "video") == 0) {
		add_video(command, turn, format);
	} else {
		add_pictures(command, model, turn, format);
	}
	const char *name = strcmp(model->id, "extract-frames") == 0 ? "%06d" : "output";
	add(command, (struct conduit_argument){CONDUIT_RESULT,
				     .text = print(command, "%s.%s", name, format)});
}
