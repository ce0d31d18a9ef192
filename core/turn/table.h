/* The table of turns as its own files share it; nobody else includes it. */
#ifndef CORE_TURN_TABLE_H
#define CORE_TURN_TABLE_H

#include "core/turn/turn.h"

struct turn_table {
	struct store *store;
	struct idmap turns; /* id → struct turn */
	struct idmap newest; /* place → struct newest */
	struct list unused; /* the longest unused first */
	size_t n_unused;
	int64_t last_id;
	void (*changed)(void *data); /* see turn_table_watch; NULL: nobody cares */
	void *data;
};

/* What is known of a model's turns and numbering; open and refused turns count, which the store
 * doesn't know. */
struct newest {
	int64_t id; /* 0: none yet */
	int64_t number; /* the last given out */
	int64_t listed; /* when one came into the store; 0: none did yet */
	int64_t last; /* the one that was submitted last; 0: none */
	uint64_t changes;
};

/* Of a place, from the store at first; NULL without memory. */
struct newest *newest_of(struct turn_table *table, int64_t place);
/* A turn that the store doesn't know (any more) goes: if it was the newest, the one before it is
 * again. */
void newest_without(struct turn_table *table, int64_t id, int64_t place);
/* Closes its files and frees it; it isn't counted any more. */
void turn_destroy(struct turn *turn);

#endif
