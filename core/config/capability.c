/* Names of capabilities: see capability.h. */
#include "core/config/capability.h"

#include "core/base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* MediaConduit's fourteen, and two that services list besides. */
static const char *const names[] = {"text-to-text", "text-to-image", "image-to-image",
		"image-to-text", "text-to-video", "image-to-video", "video-to-video",
		"video-to-image", "video-to-audio", "text-to-audio", "audio-to-text",
		"audio-to-audio", "text-to-3d", "image-to-3d", "text-to-embedding",
		"text-to-rerank"};

const int n_capabilities = sizeof(names) / sizeof(names[0]);

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

const char *capability_name(int number) {
	return names[number];
}

int capability_number(const char *name) {
	for (int i = 0; i < n_capabilities; i++) {
		if (strcmp(names[i], name) == 0) {
			return i;
		}
	}
	return -1;
}

/* Other words of services for what a capability's name says. */
static const struct {
	const char *modality, *means;
} modalities[] = {
		{"speech", "audio"},
		{"music", "audio"},
		{"transcription", "text"},
		{"embeddings", "embedding"},
};

static bool is_word(const char *text, size_t length, const char *word) {
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool means(const char *modality, size_t length, const char *word, size_t word_length) {
	if (length == word_length && memcmp(modality, word, length) == 0) {
		return true;
	}
	for (size_t i = 0; i < LENGTH(modalities); i++) {
		if (is_word(modality, length, modalities[i].modality) &&
				is_word(word, word_length, modalities[i].means)) {
			return true;
		}
	}
	return false;
}

/* Whether one of a comma-separated list means this word. */
static bool lists(const char *list, const char *word, size_t word_length) {
	bool listed = false;
	size_t n = 0;
	while (*(list += strspn(list, ", ")) != '\0') {
		size_t length = strcspn(list, ", ");
		listed = listed || means(list, length, word, word_length);
		list += length;
		n++;
	}
	return n != 0 ? listed : is_word(word, word_length, "text");
}

uint32_t capabilities_of(const char *inputs, const char *outputs) {
	static const char between[] = "-to-";
	uint32_t able = 0;
	for (int i = 0; i < n_capabilities; i++) {
		const char *middle = strstr(names[i], between);
		const char *to = middle + strlen(between);
		if (lists(inputs, names[i], (size_t)(middle - names[i])) &&
				lists(outputs, to, strlen(to))) {
			able |= UINT32_C(1) << i;
		}
	}
	return able;
}

void capability_add_unknown(struct faults *faults, int line, const char *text, const char *where) {
	char wanted[64];
	cleanup_buf struct buf known = {0};
	normalize(text, wanted);
	const char *near = nearest_name(wanted, names, LENGTH(names));
	if (near != NULL) {
		buf_add_format(&known, ", did you mean '%s'?", near);
	}
	for (size_t i = 0; near == NULL && i < LENGTH(names); i++) {
		buf_add_format(&known, "%s%s", i == 0 ? ": the known ones are " : ", ", names[i]);
	}
	faults_add(faults, line, "unknown capability '%s'%s%s%s", text,
			where[0] != '\0' ? " of " : "", where, buf_string(&known));
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
