/* Kit: an incremental parser of server-sent events (WHATWG HTML, 9.2.6), fed bytes cut anywhere.
 *
 *     struct conduit_sse *sse = conduit_sse_create(event, data);
 *     conduit_sse_feed(sse, bytes, size);      … from `data`
 *     conduit_sse_end(sse);                    … from `end`
 *     conduit_sse_destroy(sse);
 *
 * Lines end with LF, CRLF or CR; a line that starts with ':' is a comment; one space after a
 * field's colon is dropped; several data lines of one event are joined with LF; a byte order mark
 * at the start is skipped; `id`, `retry` and unknown fields are ignored. */
#ifndef CONDUIT_KIT_SSE_H
#define CONDUIT_KIT_SSE_H

#include <stdbool.h>
#include <stddef.h>

/* The most bytes one event may have (a generated image may come in one). */
#define CONDUIT_SSE_LIMIT ((size_t)64 << 20)

struct conduit_sse;

/* An event: `name` is "message" when the stream gave none (cut at 63 bytes); `text` is its data,
 * followed by a NUL, valid until the callback returns. Must not feed or destroy the parser. */
typedef void conduit_sse_event(void *data, const char *name, const char *text, size_t size);

/* NULL without memory. */
struct conduit_sse *conduit_sse_create(conduit_sse_event *event, void *data);
/* NULL is fine. */
void conduit_sse_destroy(struct conduit_sse *sse);

/* False, then and ever after, when an event has outgrown the limit or memory. */
bool conduit_sse_feed(struct conduit_sse *sse, const void *bytes, size_t size);
/* The stream ended: what stands without its closing blank line is delivered as well. The standard
 * would drop it, but services forget that line; whoever receives it sees by its JSON whether it is
 * whole. */
bool conduit_sse_end(struct conduit_sse *sse);

#endif
