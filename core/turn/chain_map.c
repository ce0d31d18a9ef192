/* The map of recorded chains: see chain_map.h.
 *
 * An entry is one process at one place, with its last few turns. Entries hang in a hash table to be
 * found, in a list of all of them to be evicted in the order in which they were recorded, and in
 * their place's list to be searched when a turn is taken back. */
#include "core/turn/chain_map.h"

#include "core/base/idmap.h"
#include "core/base/list.h"

#include <stdlib.h>
#include <string.h>

struct place {
	int64_t id;
	struct list entries;
	size_t n_entries;
	int64_t newest; /* recorded last; 0: unknown, that one was taken back */
	bool one_answer; /* it is the newest of every entry: a reader's chain doesn't matter */
};

struct entry {
	struct entry *next; /* in its bucket */
	struct list age;
	struct list sibling;
	struct place *place;
	struct process_id process;
	int64_t turns[CHAIN_MAP_TURNS]; /* newest first; 0: none */
};

struct chain_map {
	struct entry **buckets;
	size_t n_buckets; /* a power of two */
	struct list ages; /* the one recorded longest ago first */
	size_t n, most;
	struct idmap places;
};

struct chain_map *chain_map_create(size_t most) {
	struct chain_map *map = calloc(1, sizeof(*map));
	if (map == NULL) {
		return NULL;
	}
	/* A chain is never evicted by its own record. */
	map->most = most > CHAIN_MOST ? most : CHAIN_MOST;
	map->n_buckets = 1;
	while (map->n_buckets < map->most) {
		map->n_buckets *= 2;
	}
	list_init(&map->ages);
	map->buckets = calloc(map->n_buckets, sizeof(struct entry *));
	if (map->buckets == NULL) {
		free(map);
		return NULL;
	}
	return map;
}

/* splitmix64's finisher: neighbouring pids and places spread over the table. */
static uint64_t mix(uint64_t value) {
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

/* The link that leads to the entry, or that a new one would be put at. */
static struct entry **slot(struct chain_map *map, int64_t place, const struct process_id *process) {
	uint64_t hash = mix(mix(mix((uint64_t)place) + (uint64_t)process->pid) + process->start);
	struct entry **at = &map->buckets[hash & (map->n_buckets - 1)];
	while (*at != NULL && ((*at)->place->id != place || (*at)->process.pid != process->pid ||
					      (*at)->process.start != process->start)) {
		at = &(*at)->next;
	}
	return at;
}

static void place_drop_if_empty(struct chain_map *map, struct place *place) {
	if (place->n_entries == 0) {
		idmap_remove(&map->places, place->id);
		free(place);
	}
}

/* Leaves the place, even an empty one, to the caller. */
static void entry_destroy(struct chain_map *map, struct entry *entry) {
	struct place *place = entry->place;
	*slot(map, place->id, &entry->process) = entry->next;
	list_remove(&entry->age);
	list_remove(&entry->sibling);
	place->n_entries--;
	map->n--;
	free(entry);
}

static void evict_oldest(struct chain_map *map) {
	struct entry *oldest = list_entry(map->ages.next, struct entry, age);
	struct place *place = oldest->place;
	entry_destroy(map, oldest);
	place_drop_if_empty(map, place);
}

void chain_map_destroy(struct chain_map *map) {
	if (map == NULL) {
		return;
	}
	while (map->n > 0) {
		evict_oldest(map);
	}
	idmap_finish(&map->places);
	free(map->buckets);
	free(map);
}

static struct place *place_get(struct chain_map *map, int64_t id) {
	struct place *place = idmap_get(&map->places, id);
	if (place != NULL) {
		return place;
	}
	place = calloc(1, sizeof(*place));
	if (place == NULL || !idmap_set(&map->places, id, place)) {
		free(place);
		return NULL;
	}
	place->id = id;
	list_init(&place->entries);
	return place;
}

static struct entry *entry_get(
		struct chain_map *map, struct place *place, const struct process_id *process) {
	struct entry **at = slot(map, place->id, process);
	if (*at != NULL) {
		return *at;
	}
	struct entry *entry = calloc(1, sizeof(*entry));
	if (entry == NULL) {
		return NULL;
	}
	entry->place = place;
	entry->process = *process;
	*at = entry;
	list_append(&place->entries, &entry->sibling);
	place->n_entries++;
	map->n++;
	return entry;
}

static void forget_in_entry(struct entry *entry, int64_t turn) {
	for (size_t i = 0; i < CHAIN_MAP_TURNS; i++) {
		if (entry->turns[i] == turn) {
			memmove(&entry->turns[i], &entry->turns[i + 1],
					(CHAIN_MAP_TURNS - i - 1) * sizeof(turn));
			entry->turns[CHAIN_MAP_TURNS - 1] = 0;
			return;
		}
	}
}

static void record_in_entry(struct chain_map *map, struct entry *entry, int64_t turn) {
	forget_in_entry(entry, turn);
	memmove(&entry->turns[1], &entry->turns[0], (CHAIN_MAP_TURNS - 1) * sizeof(turn));
	entry->turns[0] = turn;
	list_remove(&entry->age);
	list_append(&map->ages, &entry->age);
}

bool chain_map_record(
		struct chain_map *map, int64_t place_id, const struct chain *chain, int64_t turn) {
	struct place *place = chain->n > 0 ? place_get(map, place_id)
					   : idmap_get(&map->places, place_id);
	if (place == NULL) {
		return chain->n == 0;
	}
	bool whole = true;
	for (size_t i = 0; i < chain->n; i++) {
		struct entry *entry = entry_get(map, place, &chain->ids[i]);
		if (entry == NULL) {
			whole = false;
			continue;
		}
		record_in_entry(map, entry, turn);
	}
	place->newest = turn;
	place->one_answer = whole && place->n_entries == chain->n;
	while (map->n > map->most) {
		evict_oldest(map);
	}
	place_drop_if_empty(map, place);
	return whole;
}

bool chain_map_resolve(struct chain_map *map, int64_t place_id, pid_t id, int64_t *ret_turn) {
	const struct place *place = idmap_get(&map->places, place_id);
	if (place == NULL) {
		return false;
	}
	if (place->one_answer) {
		*ret_turn = place->newest;
		return true;
	}
	struct chain_walk walk;
	struct process_id process;
	chain_walk_begin(&walk, id);
	while (chain_walk_next(&walk, &process)) {
		const struct entry *entry = *slot(map, place_id, &process);
		if (entry != NULL) {
			*ret_turn = entry->turns[0];
			return true;
		}
	}
	return false;
}

void chain_map_forget(struct chain_map *map, int64_t place_id, int64_t turn) {
	struct place *place = idmap_get(&map->places, place_id);
	if (place == NULL) {
		return;
	}
	if (place->newest == turn) {
		/* What was newest before may have had no chain: nobody here knows. */
		place->newest = 0;
		place->one_answer = false;
	}
	struct entry *entry;
	list_for_each(entry, &place->entries, sibling) {
		forget_in_entry(entry, turn);
		if (entry->turns[0] == 0) {
			entry_destroy(map, entry);
		}
	}
	place_drop_if_empty(map, place);
}
