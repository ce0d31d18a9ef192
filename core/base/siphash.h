/* SipHash-2-4 (Aumasson and Bernstein, 2012): with a random key a hash table that names from
 * outside can't flood; with a fixed one a fingerprint that stays the same across runs. */
#ifndef CORE_BASE_SIPHASH_H
#define CORE_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t low, high;
};

/* A key of this process: random where the kernel gives randomness, which is always after boot. */
struct siphash_key siphash_random_key(void);
uint64_t siphash(struct siphash_key key, const void *bytes, size_t size);

#endif
