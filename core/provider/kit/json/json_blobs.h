/* Of conduit/kit/json_blobs.h, what the kits themselves use beside it: huge strings in the chunks
 * of a stream, and what is left of a document that is large even so. All take NULL. */
#ifndef CORE_PROVIDER_KIT_JSON_JSON_BLOBS_H
#define CORE_PROVIDER_KIT_JSON_JSON_BLOBS_H

#include "core/base/buf.h"

#include <conduit/kit/json_blobs.h>

/* What is fed are server-sent events, each a document of its own on lines "data: …". */
void json_blobs_events(struct conduit_json_blobs *blobs);
/* Another bound for what is left. */
void json_blobs_limit(struct conduit_json_blobs *blobs, size_t most);
/* What is left of what was fed; the caller may take it out at any time, and clear it. */
struct buf *json_blobs_text(struct conduit_json_blobs *blobs);
/* In `begin`: the member "index" of the element of this array in which the blob stands, where it
 * came before the blob; else 0. */
unsigned json_blobs_index(const struct conduit_json_blobs *blobs, const char *array);

#endif
