/* Who makes something of a file that its model takes: sound to text, a video to sound. Or else who
 * takes such a file in the model's place. */
#ifndef CORE_ENGINE_ATTACH_CONVERTER_H
#define CORE_ENGINE_ATTACH_CONVERTER_H

#include "core/base/buf.h"

struct engine;
struct model_record;

/* Appends "providers/NAME/models/ID makes text of it", for something of this MIME type that
 * `record` doesn't take: the model that a route would ask now. Where there is none, "… takes it and
 * makes sound": one that makes what `record` makes. False when there is neither, or without memory.
 */
bool converter_find(struct engine *engine, const struct model_record *record, const char *type,
		struct buf *out);

#endif
