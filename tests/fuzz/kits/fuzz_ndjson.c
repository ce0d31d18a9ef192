/* Fuzzes the parser of newline-delimited JSON: what it gives must not depend on where the bytes are
 * cut. */
#include "tests/fuzz/kits/cut.h"

#include <conduit/kit/ndjson.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void note(void *data, const char *text, size_t size) {
	struct buf *seen = data;
	buf_add_format(seen, "%zu ", size);
	buf_add(seen, text, size);
}

static void feed(const uint8_t *bytes, size_t size, size_t step, struct buf *seen) {
	struct conduit_ndjson *ndjson = conduit_ndjson_create(note, seen);
	for (size_t at = 0; ndjson != NULL && at < size; at += step) {
		conduit_ndjson_feed(ndjson, bytes + at, step < size - at ? step : size - at);
	}
	if (ndjson != NULL) {
		conduit_ndjson_end(ndjson);
	}
	conduit_ndjson_destroy(ndjson);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	return cut_anywhere(bytes, size, feed);
}
