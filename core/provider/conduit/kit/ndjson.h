/* Kit: newline-delimited JSON (one document a line, as Ollama streams), fed bytes cut anywhere.
 * Lines end with LF or CRLF; blank ones are skipped. */
#ifndef CONDUIT_KIT_NDJSON_H
#define CONDUIT_KIT_NDJSON_H

#include <stdbool.h>
#include <stddef.h>

/* The most bytes one line may have. */
#define CONDUIT_NDJSON_LIMIT ((size_t)64 << 20)

struct conduit_ndjson;

/* A line without its end; no NUL follows. Must not feed or destroy the parser. */
typedef void conduit_ndjson_line(void *data, const char *line, size_t size);

/* NULL without memory. */
struct conduit_ndjson *conduit_ndjson_create(conduit_ndjson_line *line, void *data);
/* NULL is fine. */
void conduit_ndjson_destroy(struct conduit_ndjson *ndjson);

/* False, then and ever after, when a line has outgrown the limit or memory. */
bool conduit_ndjson_feed(struct conduit_ndjson *ndjson, const void *bytes, size_t size);
/* The stream ended: a last line without its end is delivered as well. */
bool conduit_ndjson_end(struct conduit_ndjson *ndjson);

#endif
