/* A map from 64-bit ids to pointers: open addressing, grows as needed. Ids are never 0. */
#ifndef CORE_BASE_IDMAP_H
#define CORE_BASE_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap {
	struct idmap_slot {
		int64_t id; /* 0: free */
		void *value;
	} * slots;
	size_t n_slots; /* a power of two, or 0 */
	size_t used;
};

void idmap_finish(struct idmap *map);
/* NULL when it isn't there. */
void *idmap_get(const struct idmap *map, int64_t id);
/* Replaces what was there; false without memory. `value` is never NULL. */
bool idmap_set(struct idmap *map, int64_t id, void *value);
void idmap_remove(struct idmap *map, int64_t id);

#endif
