/* Fuzzes the parser of event streams: what it gives must not depend on where the bytes are cut. */
#include "tests/fuzz/kits/cut.h"

#include <conduit/kit/sse.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void note(void *data, const char *name, const char *text, size_t size) {
	struct buf *seen = data;
	buf_add_format(seen, "%zu %s ", size, name);
	buf_add(seen, text, size);
}

static void feed(const uint8_t *bytes, size_t size, size_t step, struct buf *seen) {
	struct conduit_sse *sse = conduit_sse_create(note, seen);
	for (size_t at = 0; sse != NULL && at < size; at += step) {
		conduit_sse_feed(sse, bytes + at, step < size - at ? step : size - at);
	}
	if (sse != NULL) {
		conduit_sse_end(sse);
	}
	conduit_sse_destroy(sse);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	return cut_anywhere(bytes, size, feed);
}
