/* The catalogue's tree in memory: see tree.h. */
#include "core/store/tree.h"

#include "core/config/capability.h"
#include "core/store/delay.h"

#include <string.h>
#include <time.h>

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- found by name ---- */

enum place_kind tree_kind_below(const struct place *parent) {
	return parent->kind == PLACE_ROOT ? PLACE_PROVIDER : PLACE_COMPONENT;
}

static uint32_t hash_of(const struct catalogue *catalogue, const struct place *parent,
		enum place_kind kind, const char *name) {
	struct siphash_key key = catalogue->key;
	key.high ^= (uint64_t)parent->id;
	key.low ^= kind;
	return (uint32_t)siphash(key, name, strlen(name));
}

/* Where that place is, or the free slot where it would be. */
static struct place **slot_of(const struct catalogue *catalogue, uint32_t hash,
		const struct place *parent, enum place_kind kind, const char *name) {
	size_t i = hash & (catalogue->n_slots - 1);
	struct place *there;
	while ((there = catalogue->by_name[i]) != NULL &&
			(there->hash != hash || there->parent != parent || there->kind != kind ||
					strcmp(there->name, name) != 0)) {
		i = (i + 1) & (catalogue->n_slots - 1);
	}
	return &catalogue->by_name[i];
}

static bool grow_names(struct catalogue *catalogue) {
	if (catalogue->n_slots != 0 && catalogue->n_places * 4 < catalogue->n_slots * 3) {
		return true;
	}
	size_t n_old = catalogue->n_slots;
	struct place **old = catalogue->by_name;
	size_t n_new = n_old != 0 ? n_old * 2 : 256;
	struct place **slots = calloc(n_new, sizeof(*slots));
	if (slots == NULL) {
		return false;
	}
	for (size_t i = 0; i < n_old; i++) {
		if (old[i] != NULL) {
			size_t to = old[i]->hash & (n_new - 1);
			while (slots[to] != NULL) {
				to = (to + 1) & (n_new - 1);
			}
			slots[to] = old[i];
		}
	}
	catalogue->by_name = slots;
	catalogue->n_slots = n_new;
	free(old);
	return true;
}

struct place *tree_find(struct catalogue *catalogue, const struct place *parent,
		enum place_kind kind, const char *name) {
	return catalogue->n_slots != 0 ? *slot_of(catalogue, hash_of(catalogue, parent, kind, name),
							 parent, kind, name)
				       : NULL;
}

struct place *tree_add(struct catalogue *catalogue, int64_t id, struct place *parent,
		enum place_kind kind, const char *name) {
	size_t size = strlen(name) + 1;
	size_t counts = kind == PLACE_PROVIDER ? (size_t)n_capabilities * sizeof(uint32_t) : 0;
	if (catalogue->n_places >= PLACES_MOST || !grow_names(catalogue)) {
		return NULL;
	}
	struct place *place = calloc(1, sizeof(*place) + counts + size);
	if (place == NULL || !idmap_set(&catalogue->by_id, id, place)) {
		free(place);
		return NULL;
	}
	place->id = id;
	place->kind = kind;
	place->n_able = counts != 0 ? (uint32_t *)(place + 1) : NULL;
	place->name = memcpy((char *)(place + 1) + counts, name, size);
	place->parent = parent;
	place->changed = catalogue->root.changed;
	place->gone = true;
	place->hash = hash_of(catalogue, parent, kind, name);
	*slot_of(catalogue, place->hash, parent, kind, name) = place;
	catalogue->n_places++;
	return place;
}

bool tree_renumber(struct catalogue *catalogue, struct place *place, int64_t id) {
	if (!idmap_set(&catalogue->by_id, id, place)) {
		return false;
	}
	/* Its old id may be another place's by now: a session that was renamed. */
	if (idmap_get(&catalogue->by_id, place->id) == place) {
		idmap_remove(&catalogue->by_id, place->id);
	}
	place->id = id;
	return true;
}

/* What stands behind the slot that got free moves up, where it would be looked for. */
static void take_out(struct catalogue *catalogue, size_t hole) {
	size_t mask = catalogue->n_slots - 1;
	struct place **slots = catalogue->by_name;
	for (size_t i = (hole + 1) & mask; slots[i] != NULL; i = (i + 1) & mask) {
		if (((i - slots[i]->hash) & mask) >= ((i - hole) & mask)) {
			slots[hole] = slots[i];
			hole = i;
		}
	}
	slots[hole] = NULL;
}

void tree_forget(struct catalogue *catalogue, struct place *place) {
	struct place **slot = slot_of(
			catalogue, place->hash, place->parent, place->kind, place->name);
	take_out(catalogue, (size_t)(slot - catalogue->by_name));
	/* Its id may be another struct's by now: a session that was renamed. */
	if (idmap_get(&catalogue->by_id, place->id) == place) {
		idmap_remove(&catalogue->by_id, place->id);
	}
	catalogue->n_places--;
	place->gone = true;
	place->next_dead = catalogue->dead;
	catalogue->dead = place;
}

static void bury(struct place *dead) {
	while (dead != NULL) {
		struct place *next = dead->next_dead;
		free(dead->children);
		annexes_free(dead);
		free(dead);
		dead = next;
	}
}

void tree_finish(struct catalogue *catalogue) {
	bury(take(catalogue->dead));
	for (size_t i = 0; i < catalogue->n_slots; i++) {
		if (catalogue->by_name[i] != NULL) {
			free(catalogue->by_name[i]->children);
			annexes_free(catalogue->by_name[i]);
			free(catalogue->by_name[i]);
		}
	}
	free(catalogue->root.children);
	annexes_free(&catalogue->root);
	free(catalogue->by_name);
	free(catalogue->changed);
	idmap_finish(&catalogue->by_id);
}

/* ---- listings ---- */

/* The index of the first child whose id is above `after`. */
static size_t index_above(const struct place *place, int64_t after) {
	size_t low = 0, high = place->n_children;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (place->children[middle]->id > after) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

struct place *place_next(const struct place *place, int64_t after) {
	size_t i = index_above(place, after);
	return i < place->n_children ? place->children[i] : NULL;
}

static bool link_child(struct place *parent, struct place *child) {
	if (parent->n_children == parent->capacity) {
		/* Most have one child; big ones grow by half. */
		uint32_t capacity = parent->capacity + parent->capacity / 2 + 1;
		struct place **children = realloc(
				parent->children, capacity * sizeof(struct place *));
		if (children == NULL) {
			return false;
		}
		parent->children = children;
		parent->capacity = capacity;
	}
	/* Ids ascend, so a new place goes to the end; only one that returns goes between. */
	size_t at = index_above(parent, child->id);
	memmove(parent->children + at + 1, parent->children + at,
			(parent->n_children - at) * sizeof(struct place *));
	parent->children[at] = child;
	parent->n_children++;
	return true;
}

static void compact(struct place *place) {
	size_t kept = 0;
	for (size_t i = 0; i < place->n_children; i++) {
		if (!place->children[i]->gone) {
			place->children[kept++] = place->children[i];
		}
	}
	place->n_children = kept;
	place->holes = false;
}

void tree_compact(struct catalogue *catalogue) {
	for (size_t i = 0; i < catalogue->n_changed; i++) {
		if (catalogue->changed[i]->holes) {
			compact(catalogue->changed[i]);
		}
	}
}

/* What a subtree that appears or vanishes adds to those above it; a hidden provider keeps its
 * counts to itself. */
static void count(struct place *from, size_t models, size_t free_models) {
	for (struct place *place = from; place != NULL; place = place->parent) {
		place->n_models += models;
		place->n_free += free_models;
		if (place->kind == PLACE_PROVIDER && place->gone) {
			return;
		}
	}
}

bool tree_show(struct catalogue *catalogue, struct place *place) {
	while (place->gone) {
		struct place *parent = place->parent;
		if (parent->holes) {
			compact(parent);
		}
		if (!link_child(parent, place)) {
			return false;
		}
		place->gone = false;
		tree_changed(catalogue, parent);
		if (place->kind == PLACE_PROVIDER) {
			count(parent, place->n_models, place->n_free);
			return true;
		}
		place = parent;
		if (place->kind == PLACE_PROVIDER) {
			return true; /* shown by its own name only */
		}
	}
	return true;
}

static void count_able(const struct place *place, uint32_t able) {
	const struct place *provider = place;
	while (provider->n_able == NULL) {
		provider = provider->parent;
	}
	for (int i = 0; i < n_capabilities; i++) {
		provider->n_able[i] += (able >> i & 1) - (place->able >> i & 1);
	}
}

void tree_set_model(struct place *place, bool model, bool free_model, uint32_t able) {
	count_able(place, model ? able : 0);
	/* Unsigned, but what is taken away was added before. */
	count(place, (size_t)model - (size_t)place->model,
			(size_t)(model && free_model) - (size_t)(place->model && place->free));
	place->model = model;
	place->free = model && free_model;
	place->able = model ? able : 0;
}

struct place *tree_hide(struct catalogue *catalogue, struct place *place) {
	for (;;) {
		struct place *parent = place->parent;
		if (place->kind == PLACE_PROVIDER) {
			count(parent, -place->n_models, -place->n_free);
		}
		place->gone = true;
		parent->holes = true;
		tree_changed(catalogue, parent);
		if (parent->kind != PLACE_COMPONENT || parent->n_models != 0) {
			return parent;
		}
		place = parent;
	}
}

bool tree_listed(const struct place *place) {
	for (; place != NULL; place = place->parent) {
		if (place->gone) {
			return false;
		}
	}
	return true;
}

struct place *tree_walk(const struct place *top, struct place *place) {
	if (place->n_children != 0) {
		return place->children[0];
	}
	while (place != top) {
		struct place *next = place_next(place->parent, place->id);
		if (next != NULL) {
			return next;
		}
		place = place->parent;
	}
	return NULL;
}

/* ---- telling ---- */

void tree_changed(struct catalogue *catalogue, struct place *place) {
	place->changed = now();
	if (place->dirty) {
		return;
	}
	if (catalogue->n_changed == catalogue->changed_capacity) {
		size_t capacity = catalogue->changed_capacity * 2 + 16;
		struct place **changed = realloc(catalogue->changed, capacity * sizeof(*changed));
		if (changed == NULL) {
			/* Not told; the listing must be right all the same. */
			compact(place);
			return;
		}
		catalogue->changed = changed;
		catalogue->changed_capacity = capacity;
	}
	place->dirty = true;
	catalogue->changed[catalogue->n_changed++] = place;
	delay_arm(catalogue->notify, DELAY_NEXT_ROUND);
}

void tree_notify(struct catalogue *catalogue) {
	struct place **changed = catalogue->changed;
	struct place *dead = take(catalogue->dead);
	size_t n = catalogue->n_changed;
	tree_compact(catalogue);
	catalogue->changed = NULL;
	catalogue->n_changed = catalogue->changed_capacity = 0;
	delay_stop(catalogue->notify);
	for (size_t i = 0; i < n; i++) {
		changed[i]->dirty = false;
	}
	for (size_t i = 0; i < n && catalogue->watch != NULL; i++) {
		if (tree_listed(changed[i])) {
			catalogue->watch(catalogue->watch_data, changed[i]);
		}
	}
	free(changed);
	bury(dead);
}
