/* Fuzzes the parser of newline-delimited JSON: what it gives must not depend on where the bytes are
 * cut. */
#include "core/base/buf.h"

#include <conduit/kit/ndjson.h>
#include <stdint.h>
#include <string.h>

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
	if (size < 2) {
		return 0;
	}
	cleanup_buf struct buf whole = {0};
	cleanup_buf struct buf cut = {0};
	feed(bytes + 1, size - 1, size, &whole);
	feed(bytes + 1, size - 1, 1 + bytes[0] % 16, &cut);
	if (whole.size != cut.size ||
			memcmp(buf_string(&whole), buf_string(&cut), whole.size) != 0) {
		abort();
	}
	return 0;
}
