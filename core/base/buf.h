/* A growable run of bytes that remembers whether it ran out of memory or over its bound, so that
 * a caller appends freely and checks once. The bytes are always followed by a NUL that `size`
 * doesn't count. */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include "core/base/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL while empty; owned */
	size_t size;
	size_t capacity;
	size_t limit; /* most bytes it may hold; 0: BUF_LIMIT */
	bool failed; /* an append didn't fit; what was there before stays */
};

/* No buffer of ours grows past this without saying so in `limit`. */
#define BUF_LIMIT ((size_t)64 << 20)

/* Frees the bytes; the buffer is empty and usable again, its limit kept. */
void buf_finish(struct buf *buf);
/* Forgets the bytes and the failure, keeps the memory. */
void buf_clear(struct buf *buf);

/* Appending: false (and `failed`) when memory or the limit is short; then nothing was added. */
bool buf_add(struct buf *buf, const void *bytes, size_t size);
bool buf_add_byte(struct buf *buf, char byte);
bool buf_add_string(struct buf *buf, const char *string);
bool buf_add_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_add_vformat(struct buf *buf, const char *format, va_list args)
		__attribute__((format(printf, 2, 0)));
/* Makes room for `size` more bytes and returns where they go; the caller adds to `size`. */
char *buf_reserve(struct buf *buf, size_t size);
/* Drops the first `size` bytes. */
void buf_drop_front(struct buf *buf, size_t size);

/* The bytes as a string: "" while empty; valid until the next append. */
const char *buf_string(const struct buf *buf);
/* Hands out the bytes, NUL-terminated, to be freed by the caller; NULL after a failure. */
char *buf_take(struct buf *buf);

#define cleanup_buf cleanup(buf_finish)

#endif
