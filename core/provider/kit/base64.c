/* Base64 as it streams: see conduit/kit/base64.h. */
#include <conduit/kit/base64.h>

/* A digit's value, or -1. */
static int value_of(char c) {
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Whole bytes wait among the digits: two digits hold one, three two. */
static size_t put(struct conduit_base64 *decoder, unsigned char *to, unsigned digits) {
	for (unsigned i = 0; i + 1 < digits; i++) {
		to[i] = (unsigned char)(decoder->bits >> (16 - 8 * i));
	}
	decoder->bits = 0;
	decoder->n = 0;
	return digits - 1;
}

static void take_padding(struct conduit_base64 *decoder) {
	decoder->padding++;
	decoder->wrong = decoder->wrong || decoder->n < 2 || decoder->n + decoder->padding > 4;
}

size_t conduit_base64_decode(
		struct conduit_base64 *decoder, const char *text, size_t size, void *ret) {
	unsigned char *to = ret;
	size_t n = 0;
	for (size_t i = 0; i < size && !decoder->wrong; i++) {
		int value = value_of(text[i]);
		if (text[i] == '\n' || text[i] == '\r') {
			continue;
		}
		if (text[i] == '=') {
			take_padding(decoder);
			continue;
		}
		if (value < 0 || decoder->padding != 0) {
			decoder->wrong = true;
			break;
		}
		decoder->bits |= (uint32_t)value << (18 - 6 * decoder->n);
		if (++decoder->n == 4) {
			n += put(decoder, to + n, 4);
		}
	}
	return n;
}

bool conduit_base64_end(struct conduit_base64 *decoder, void *ret, size_t *ret_size) {
	bool whole = !decoder->wrong && decoder->n != 1 &&
		     (decoder->padding == 0 || decoder->n + decoder->padding == 4);
	*ret_size = whole && decoder->n != 0 ? put(decoder, ret, decoder->n) : 0;
	return whole;
}
