/* What a parser gives must not depend on where its bytes are cut: the first byte of an input says
 * how, the rest is parsed whole and in pieces of so many bytes. */
#ifndef TESTS_FUZZ_KITS_CUT_H
#define TESTS_FUZZ_KITS_CUT_H

#include "core/base/buf.h"

#include <stdint.h>
#include <string.h>

/* Parses in pieces of `step` bytes and notes what is given in `seen`. */
typedef void cut_feed(const uint8_t *bytes, size_t size, size_t step, struct buf *seen);

static inline int cut_anywhere(const uint8_t *bytes, size_t size, cut_feed *feed) {
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

#endif
