/* Kit: base64 decoded as it streams, cut anywhere (RFC 4648, with either alphabet, padded or not;
 * line breaks are passed over), so that a result of any size is never held.
 *
 *     struct conduit_base64 decoder = {0};
 *     size_t n = conduit_base64_decode(&decoder, text, size, bytes); … for each piece
 *     if (!conduit_base64_end(&decoder, last, &n)) { it wasn't base64, or was cut short } */
#ifndef CONDUIT_KIT_BASE64_H
#define CONDUIT_KIT_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins as zeros. */
struct conduit_base64 {
	uint32_t bits;
	unsigned char n; /* digits that wait for others, below 4 */
	unsigned char padding; /* "=" that came */
	bool wrong;
};

/* Decodes a piece into `ret`, which has room for CONDUIT_BASE64_ROOM(size) bytes; returns how many
 * came of it. After a fault nothing does any more. */
size_t conduit_base64_decode(
		struct conduit_base64 *decoder, const char *text, size_t size, void *ret);
#define CONDUIT_BASE64_ROOM(size) ((size) / 4 * 3 + 3)
/* All of it came: whether it was whole. At most 2 bytes more come of it. */
bool conduit_base64_end(struct conduit_base64 *decoder, void *ret, size_t *ret_size);

#endif
