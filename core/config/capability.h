/* What a provider can do, by the names that are directories of capabilities/. */
#ifndef CORE_CONFIG_CAPABILITY_H
#define CORE_CONFIG_CAPABILITY_H

#include "core/config/yaml/faults.h"

#include <stdint.h>

/* The canonical name ("text-to-text") of one as manifests have it: in upper case, with underscores,
 * or an alias (speech-to-text, transcription …). Static; NULL for an unknown one. */
const char *capability_find(const char *text);
/* The fault of an unknown one, in a table or "": with the nearest, or else with all there are. */
void capability_add_unknown(struct faults *faults, int line, const char *text, const char *where);

/* What a model does with a text, by the catalogue's word for what it makes ("embeddings", "speech",
 * "image"; of a list the first counts, "" is text): "text-to-embedding". What has no canonical name
 * keeps the catalogue's ("text-to-ocr"). A model that transcribes hears: "audio-to-text". The
 * caller frees; NULL without memory. */
char *capability_of_text(const char *output);

/* The canonical names by number. Sets of capabilities are kept as bits by these numbers, and inode
 * numbers hold them: new ones go to the end, none ever leaves, and there are never more than 31. */
extern const int n_capabilities;
const char *capability_name(int number);
/* The number of a canonical name, or -1. */
int capability_number(const char *name);
/* What a model can do that takes and gives these modalities, comma-separated as services list them
 * ("text,image"; speech and music are audio, a transcription is text made of audio). Where nothing
 * is listed, that is text. */
uint32_t capabilities_of(const char *inputs, const char *outputs);

#endif
