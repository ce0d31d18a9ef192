/* Names of capabilities: see capability.h. */
#include "core/config/capability.h"

#include "core/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* MediaConduit's fourteen, and two that services list besides. */
static const char *const names[] = {"text-to-text", "text-to-image", "image-to-image",
		"image-to-text", "text-to-video", "image-to-video", "video-to-video",
		"video-to-image", "video-to-audio", "text-to-audio", "audio-to-text",
		"audio-to-audio", "text-to-3d", "image-to-3d", "text-to-embedding",
		"text-to-rerank"};

static const struct {
	const char *alias, *name;
} aliases[] = {
		{"speech-to-text", "audio-to-text"},
		{"transcription", "audio-to-text"},
		{"translation", "audio-to-text"},
		{"text-to-speech", "text-to-audio"},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Lower case, dashes; the rest of a name that is too long is of no interest. */
static void normalize(const char *text, char ret[static 64]) {
	size_t length = strnlen(text, 63);
	for (size_t i = 0; i < length; i++) {
		ret[i] = text[i] == '_' ? '-' : (char)tolower((unsigned char)text[i]);
	}
	ret[length] = '\0';
}

const char *capability_find(const char *text) {
	char wanted[64];
	normalize(text, wanted);
	for (size_t i = 0; i < LENGTH(names); i++) {
		if (strcmp(names[i], wanted) == 0) {
			return names[i];
		}
	}
	for (size_t i = 0; i < LENGTH(aliases); i++) {
		if (strcmp(aliases[i].alias, wanted) == 0) {
			return aliases[i].name;
		}
	}
	return NULL;
}

const char *capability_nearest(const char *text) {
	char wanted[64];
	normalize(text, wanted);
	return nearest_name(wanted, names, LENGTH(names));
}

char *capability_of_text(const char *output) {
	static const struct {
		const char *output, *name;
	} known[] = {
			{"", "text-to-text"},
			{"embeddings", "text-to-embedding"},
			{"speech", "text-to-audio"},
			{"transcription", "audio-to-text"},
	};
	size_t length = strcspn(output, ",");
	for (size_t i = 0; i < LENGTH(known); i++) {
		if (strlen(known[i].output) == length &&
				memcmp(output, known[i].output, length) == 0) {
			return strdup(known[i].name);
		}
	}
	char *name = NULL;
	return asprintf(&name, "text-to-%.*s", (int)length, output) < 0 ? NULL : name;
}
