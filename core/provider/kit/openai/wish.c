/* What a chat is to answer with: see wish.h. */
#include "core/provider/kit/openai/wish.h"

#include <string.h>

/* A voice that all of OpenAI's models have; the service wants one named. */
#define VOICE "alloy"

/* What config/format may say, what services call it, and what that is. */
static const struct format {
	const char *name, *word, *type;
} formats[] = {
		{"mp3", "mp3", "audio/mpeg"},
		{"wav", "wav", "audio/wav"},
		{"flac", "flac", "audio/flac"},
		{"opus", "opus", "audio/ogg"},
		{"aac", "aac", "audio/aac"},
		{"pcm", "pcm16", "audio/pcm"},
		{"pcm16", "pcm16", "audio/pcm"},
};

static const struct format *find(const char *name) {
	for (size_t i = 0; name != NULL && i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, name) == 0) {
			return &formats[i];
		}
	}
	return NULL;
}

static bool is_set(const struct conduit_turn *turn, const char *setting) {
	const char *value = conduit_setting(turn, setting);
	return value != NULL && value[0] != '\0';
}

static bool is_wanted(const struct conduit_turn *turn, const char *kind) {
	const char *wanted = conduit_setting(turn, "wanted");
	return wanted != NULL && strcmp(wanted, kind) == 0;
}

bool openai_only_sounds(const struct conduit_openai *dialect, const char *model) {
	const char *const *part = dialect->only_sounds;
	for (; part != NULL && *part != NULL; part++) {
		if (strcasestr(model, *part) != NULL) {
			return true;
		}
	}
	return false;
}

/* What is asked for by name; the service judges a name that isn't known here. */
static void choose_format(struct openai_wish *wish, const char *name) {
	const struct format *known = find(name);
	wish->format = known != NULL ? known->word : name;
	wish->type = known != NULL ? known->type : NULL;
}

/* As a stream sound comes without a header ("does not support 'wav' when stream=true. Supported
 * values are: 'pcm16'"); what has one is given to it here. */
static void choose_streamed(struct openai_wish *wish, const char *name) {
	choose_format(wish, name);
	if (strcmp(name, "wav") == 0) {
		wish->format = "pcm16";
		wish->adds_header = true;
	}
}

struct openai_wish openai_wish(
		const struct conduit_turn *turn, const struct conduit_openai *dialect) {
	struct openai_wish wish = {.makes = OPENAI_MAKES_TEXT};
	/* The format of pictures asks for no sound. */
	bool asks = is_set(turn, "voice") || find(conduit_setting(turn, "format")) != NULL;
	bool only = openai_only_sounds(dialect, turn->model);
	const char *format = is_set(turn, "format") ? conduit_setting(turn, "format") : NULL;
	if (dialect->sound != CONDUIT_OPENAI_SOUND_NONE &&
			(asks || only || is_wanted(turn, "audio"))) {
		wish.makes = OPENAI_MAKES_SOUND;
	} else if (is_wanted(turn, "image") && dialect->media == CONDUIT_OPENAI_MEDIA_OPENROUTER) {
		wish.makes = OPENAI_MAKES_PICTURES;
	}
	if (wish.makes != OPENAI_MAKES_SOUND) {
		return wish;
	}
	wish.whole = dialect->sound == CONDUIT_OPENAI_SOUND_WHOLE;
	if (wish.whole) {
		choose_format(&wish, format != NULL ? format : "mp3");
	} else if (!only || asks) {
		choose_streamed(&wish, format != NULL ? format : "wav");
	}
	return wish;
}

const char *openai_wish_remedy(const struct conduit_openai *dialect, const char *refusal) {
	static const char words[] =
			"This model requires that either input content or output modality contain "
			"audio";
	return dialect->sound != CONDUIT_OPENAI_SOUND_NONE && strstr(refusal, words) != NULL
			       ? "this model takes text only where it may answer with sound: set "
				 "config/voice for that, or put a recording into attach/"
			       : NULL;
}

void openai_wish_put(struct conduit_object *object, const struct openai_wish *wish,
		const struct conduit_openai *dialect) {
	struct conduit_body *body = conduit_object_body(object);
	if (wish->makes != OPENAI_MAKES_TEXT && conduit_object_member(object, "modalities")) {
		conduit_body_text(body, wish->makes == OPENAI_MAKES_SOUND ? "[\"text\",\"audio\"]"
									  : "[\"image\",\"text\"]");
	}
	if (wish->format == NULL || !conduit_object_open(object, "audio")) {
		return;
	}
	if (conduit_object_has(object, "voice")) {
		conduit_object_setting(object, "voice", "voice", CONDUIT_FORM_STRING);
	} else if (conduit_object_member(object, "voice")) {
		const char *voice = dialect->voice != NULL ? dialect->voice : VOICE;
		conduit_body_string(body, voice, strlen(voice));
	}
	if (conduit_object_member(object, "format")) {
		conduit_body_string(body, wish->format, strlen(wish->format));
	}
	conduit_object_close(object);
}
