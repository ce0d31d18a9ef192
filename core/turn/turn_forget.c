/* Turns that go: dropped before they were submitted, or forgotten for good. See turn.h. */
#include "core/turn/table.h"

#include <limits.h>

/* Whether a turn may be a model's newest. */
static bool counts(const struct turn *turn) {
	return turn->kind != TURN_NOTE && !turn->dropped;
}

void newest_without(struct turn_table *table, int64_t id, int64_t place) {
	struct newest *newest = idmap_get(&table->newest, place);
	if (newest == NULL || newest->id != id) {
		return;
	}
	newest->id = store_turn_newest(table->store, place, NULL);
	for (size_t i = 0; i < table->turns.n_slots; i++) {
		const struct turn *turn = table->turns.slots[i].value;
		if (turn != NULL && turn->row.id != id && turn->row.place == place &&
				counts(turn) && turn->row.id > newest->id) {
			newest->id = turn->row.id;
		}
	}
}

bool turn_in_use(struct turn_table *table, int64_t id) {
	for (size_t i = 0; i < table->turns.n_slots; i++) {
		const struct turn *turn = table->turns.slots[i].value;
		bool itself = turn != NULL && turn->row.id == id && turn->refs > 0;
		bool continues = turn != NULL && turn->row.previous == id && !turn->stored &&
				 !turn->dropped;
		if (itself || continues) {
			return true;
		}
	}
	return false;
}

void turn_forget(struct turn_table *table, int64_t id, int64_t place) {
	struct turn *turn = idmap_get(&table->turns, id);
	struct newest *newest = idmap_get(&table->newest, place);
	if (newest != NULL && newest->last == id) {
		newest->last = store_turn_last(table->store, place);
	}
	if (newest != NULL && newest->id == id) {
		newest_without(table, id, place);
	}
	if (newest != NULL) {
		newest->listed = now_us();
		newest->changes++;
	}
	if (turn != NULL) {
		table->n_unused--;
		turn_destroy(turn);
	}
}

void turn_forget_place(struct turn_table *table, int64_t place) {
	for (size_t i = 0; i < table->turns.n_slots; i++) {
		struct turn *turn = table->turns.slots[i].value;
		if (turn != NULL && turn->row.place == place && !turn->forgotten) {
			if (turn->row.state == TURN_OPEN && !turn->dropped) {
				turn_drop(turn);
			}
			turn->forgotten = true;
		}
	}
	struct turn *turn;
	list_for_each(turn, &table->unused, link) {
		if (turn->forgotten) {
			table->n_unused--;
			turn_destroy(turn);
		}
	}
	free(idmap_get(&table->newest, place));
	idmap_remove(&table->newest, place);
	if (table->changed != NULL) {
		table->changed(table->data);
	}
}

void turn_drop(struct turn *turn) {
	char path[PATH_MAX];
	struct newest *newest = newest_of(turn->table, turn->row.place);
	newest_without(turn->table, turn->row.id, turn->row.place);
	if (newest != NULL && newest->number == turn->row.number) {
		newest->number--;
	}
	static const enum turn_file files[] = {TURN_PROMPT, TURN_HISTORY};
	for (size_t i = 0; i < 2; i++) {
		if (turn_file_path(turn, files[i], path, sizeof(path))) {
			unlink(path);
		}
	}
	store_turn_claimed(turn->table->store, turn->row.id);
	if (turn_directory(turn, path, sizeof(path))) {
		rmdir(path);
	}
	turn->dropped = true;
	turn->row.state = TURN_CANCELLED;
	turn_changed(turn);
}
