/* What a file is, by what is in it: never by its name. And whether a model takes it. */
#ifndef CORE_ENGINE_ATTACH_MEDIA_H
#define CORE_ENGINE_ATTACH_MEDIA_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model_record;

/* Kinds as a model's input_modalities name them; a bit each. */
enum media_kind {
	MEDIA_TEXT = 1,
	MEDIA_IMAGE = 2,
	MEDIA_AUDIO = 4,
	MEDIA_VIDEO = 8,
	MEDIA_FILE = 16, /* documents, and what nobody knows */
};

/* Bytes at a file's beginning that decide: the rest isn't looked at, so that it takes no longer for
 * a large one. */
#define MEDIA_PREFIX_MOST ((size_t)64 << 10)
#define MEDIA_TYPE_MOST 128

/* Knows types by libmagic's list, which is read at the first use. NULL without memory. */
struct media *media_create(void);
/* NULL is fine. */
void media_destroy(struct media *media);

/* The MIME type of what begins like this: "text/plain" for UTF-8 (whatever it is the source of),
 * "image/png", "application/pdf" …, "application/octet-stream" for what isn't known, and "" for
 * text that isn't UTF-8. `whole`: there is no more of it. */
void media_type(struct media *media, const void *bytes, size_t size, bool whole,
		char ret[MEDIA_TYPE_MOST]);
/* The same of a file; false with words when it can't be read. */
bool media_type_of(struct media *media, const char *path, char ret[MEDIA_TYPE_MOST],
		struct fail *fail);
enum media_kind media_kind_of(const char *type);
/* The extension that files of this type have: "png"; "bin" for one that isn't known. */
const char *media_extension(const char *type);
/* What something is that was said to be of the type `said` ("" when nothing was said) and begins as
 * one of the type `told` does: media are what they are, whatever was said. */
void media_settle(const char *said, const char *told, char ret[MEDIA_TYPE_MOST]);
/* Whether it is an image, sound, video or a document: what a prompt can be in place of text. */
bool media_is_known(const char *type);

/* Whether the model takes all kinds of a set; where its modalities aren't known, it does. */
bool media_taken(const struct model_record *record, unsigned kinds);
/* The first kind of a set that it doesn't take, as a catalogue calls it; NULL: it takes all. */
const char *media_untaken(const struct model_record *record, unsigned kinds);
/* What a catalogue calls the kind of such a file: "audio". Static. */
const char *media_modality(const char *type);
/* Such a kind in a sentence: "sound" for "audio"; what is none, as it is. */
const char *media_said(const char *modality);
/* Whether "text,image" lists it, as a whole word. */
bool media_lists(const char *modalities, const char *modality);
/* Refuses a file with EINVAL and words that name it, its kind, the model and what helps. `what` is
 * the file, as "attach/photo.jpg"; `converter` says who converts it (see converter.h), NULL that
 * nobody here is known to. False. */
bool media_refuse(const struct model_record *record, const char *what, const char *type,
		const char *converter, struct fail *fail);

#endif
