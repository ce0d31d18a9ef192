/* SipHash-2-4: see siphash.h. */
#include "core/base/siphash.h"

#include <string.h>
#include <sys/random.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotated(uint64_t x, unsigned bits) {
	return (x << bits) | (x >> (64 - bits));
}

static void round_once(struct state *s) {
	s->v0 += s->v1;
	s->v1 = rotated(s->v1, 13) ^ s->v0;
	s->v0 = rotated(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotated(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotated(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotated(s->v1, 17) ^ s->v2;
	s->v2 = rotated(s->v2, 32);
}

static void absorb(struct state *s, uint64_t word) {
	s->v3 ^= word;
	round_once(s);
	round_once(s);
	s->v0 ^= word;
}

struct siphash_key siphash_random_key(void) {
	struct siphash_key key = {0};
	if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key)) {
		key.low = (uint64_t)(uintptr_t)&key; /* early boot: the stack's address must do */
	}
	return key;
}

uint64_t siphash(struct siphash_key key, const void *bytes, size_t size) {
	struct state s = {
			key.low ^ 0x736f6d6570736575,
			key.high ^ 0x646f72616e646f6d,
			key.low ^ 0x6c7967656e657261,
			key.high ^ 0x7465646279746573,
	};
	const unsigned char *in = bytes;
	size_t left = size;
	for (; left >= 8; left -= 8, in += 8) {
		uint64_t word = 0;
		for (unsigned i = 0; i < 8; i++) {
			word |= (uint64_t)in[i] << (8 * i);
		}
		absorb(&s, word);
	}
	uint64_t last = (uint64_t)size << 56;
	for (unsigned i = 0; i < left; i++) {
		last |= (uint64_t)in[i] << (8 * i);
	}
	absorb(&s, last);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++) {
		round_once(&s);
	}
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
