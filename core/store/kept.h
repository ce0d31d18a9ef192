/* Which turns are kept for how long: what retention asks of the index. Small questions, each of a
 * few rows, so that a million turns are gone through without anybody feeling it. */
#ifndef CORE_STORE_KEPT_H
#define CORE_STORE_KEPT_H

#include "core/store/store.h"

/* A turn that has ended. */
struct kept_turn {
	int64_t id, place, number, previous;
	int64_t finished; /* microseconds since the epoch */
};

/* The turns that ended first, from the one after `finished` and `id` on; returns how many. */
size_t kept_oldest(struct store *store, int64_t finished, int64_t id, struct kept_turn *ret,
		size_t most);
/* The turns of a place with a number above `after` and up to `until`, ascending. */
size_t kept_of_place(struct store *store, int64_t place, int64_t after, int64_t until,
		struct kept_turn *ret, size_t most);
/* False when there is none, or it hasn't ended. */
bool kept_get(struct store *store, int64_t id, struct kept_turn *ret);
/* Whether a stored turn continues this one. */
bool kept_is_continued(struct store *store, int64_t id);
/* The first place with turns whose id is above `after`; 0 at the end. */
int64_t kept_next_place(struct store *store, int64_t after);
/* The number of the newest turn of a place that isn't among its newest `count`; 0: none. */
int64_t kept_beyond(struct store *store, int64_t place, int64_t count);
/* Bytes that all turns take on the disk. */
int64_t kept_bytes(struct store *store);

#endif
