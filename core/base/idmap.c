/* Ids to pointers: see idmap.h. */
#include "core/base/idmap.h"

#include <stdlib.h>

static size_t home(const struct idmap *map, int64_t id) {
	uint64_t mixed = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(mixed >> 32) & (map->n_slots - 1);
}

/* The slot of `id`, or the free one where it would go. */
static struct idmap_slot *find(const struct idmap *map, int64_t id) {
	size_t i = home(map, id);
	while (map->slots[i].id != 0 && map->slots[i].id != id) {
		i = (i + 1) & (map->n_slots - 1);
	}
	return &map->slots[i];
}

void idmap_finish(struct idmap *map) {
	free(map->slots);
	*map = (struct idmap){0};
}

void *idmap_get(const struct idmap *map, int64_t id) {
	return map->n_slots != 0 && id != 0 ? find(map, id)->value : NULL;
}

static bool grow(struct idmap *map) {
	struct idmap larger = {.n_slots = map->n_slots != 0 ? map->n_slots * 2 : 16};
	larger.slots = calloc(larger.n_slots, sizeof(*larger.slots));
	if (larger.slots == NULL) {
		return false;
	}
	for (size_t i = 0; i < map->n_slots; i++) {
		if (map->slots[i].id != 0) {
			*find(&larger, map->slots[i].id) = map->slots[i];
		}
	}
	larger.used = map->used;
	free(map->slots);
	*map = larger;
	return true;
}

bool idmap_set(struct idmap *map, int64_t id, void *value) {
	if ((map->used + 1) * 4 > map->n_slots * 3 && !grow(map)) {
		return false;
	}
	struct idmap_slot *slot = find(map, id);
	if (slot->id == 0) {
		slot->id = id;
		map->used++;
	}
	slot->value = value;
	return true;
}

void idmap_remove(struct idmap *map, int64_t id) {
	if (map->n_slots == 0) {
		return;
	}
	struct idmap_slot *slot = find(map, id);
	if (slot->id == 0) {
		return;
	}
	map->used--;
	*slot = (struct idmap_slot){0};
	/* Those behind it in the same run may have probed past this slot: put them in anew. */
	size_t i = (size_t)(slot - map->slots);
	for (i = (i + 1) & (map->n_slots - 1); map->slots[i].id != 0;
			i = (i + 1) & (map->n_slots - 1)) {
		struct idmap_slot moved = map->slots[i];
		map->slots[i] = (struct idmap_slot){0};
		*find(map, moved.id) = moved;
	}
}
