/* Walks the fields of a message, writing or reading them: one description of a message serves both
 * directions, so that they can't disagree. A coder that failed stays failed and touches nothing
 * more; what it would have read is left zero or "". */
#ifndef CORE_WIRE_CODER_H
#define CORE_WIRE_CODER_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct coder {
	struct buf *out; /* writing: appended to; NULL while reading */
	const uint8_t *at; /* reading: what is left */
	size_t left;
	bool failed;
};

void code_u8(struct coder *coder, uint8_t *value, uint8_t most);
void code_bool(struct coder *coder, bool *value);
void code_u32(struct coder *coder, uint32_t *value, uint32_t most);
void code_i32(struct coder *coder, int32_t *value);
void code_u64(struct coder *coder, uint64_t *value);
void code_i64(struct coder *coder, int64_t *value);
void code_double(struct coder *coder, double *value);
/* A string without NULs inside, of at most `most` bytes. */
void code_string(struct coder *coder, const char **string, size_t most);
/* Text of a given size, which may hold NULs and is followed by one. */
void code_text(struct coder *coder, const char **text, uint32_t *size, size_t most);
/* Bytes that nothing follows. */
void code_bytes(struct coder *coder, const void **bytes, uint32_t *size, size_t most);

#endif
