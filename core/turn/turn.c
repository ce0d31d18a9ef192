/* Turns in memory: see turn.h. */
#include "core/base/text.h"
#include "core/turn/table.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>

/* Turns that nobody holds but that stay at hand: enough for a listing that looks at each. */
#define UNUSED_MOST 512

int64_t now_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct turn_table *turn_table_create(struct store *store) {
	struct turn_table *table = calloc(1, sizeof(*table));
	if (table == NULL) {
		return NULL;
	}
	table->store = store;
	table->last_id = store_turn_last_id(store);
	list_init(&table->unused);
	return table;
}

static void close_files(struct turn *turn) {
	for (int i = 0; i < TURN_FILES; i++) {
		if (turn->fds[i] >= 0) {
			close(take_fd(&turn->fds[i]));
		}
	}
}

void turn_destroy(struct turn *turn) {
	idmap_remove(&turn->table->turns, turn->row.id);
	list_remove(&turn->link);
	close_files(turn);
	turn_row_finish(&turn->row);
	free(turn);
}

void turn_table_destroy(struct turn_table *table) {
	if (table == NULL) {
		return;
	}
	for (size_t i = 0; i < table->turns.n_slots;) {
		if (table->turns.slots[i].id != 0) {
			turn_destroy(table->turns.slots[i].value);
		} else {
			i++;
		}
	}
	for (size_t i = 0; i < table->newest.n_slots; i++) {
		free(table->newest.slots[i].value);
	}
	idmap_finish(&table->turns);
	idmap_finish(&table->newest);
	free(table);
}

struct newest *newest_of(struct turn_table *table, int64_t place) {
	struct newest *newest = idmap_get(&table->newest, place);
	if (newest != NULL) {
		return newest;
	}
	newest = calloc(1, sizeof(*newest));
	if (newest == NULL || !idmap_set(&table->newest, place, newest)) {
		free(newest);
		return NULL;
	}
	newest->id = store_turn_newest(table->store, place, &newest->number);
	newest->last = newest->id != 0 ? store_turn_last(table->store, place) : 0;
	return newest;
}

static struct turn *turn_new(struct turn_table *table) {
	struct turn *turn = calloc(1, sizeof(*turn));
	if (turn == NULL) {
		return NULL;
	}
	turn->table = table;
	turn->refs = 1;
	turn->share = NAN;
	for (int i = 0; i < TURN_FILES; i++) {
		turn->fds[i] = -1;
	}
	list_init(&turn->watches);
	return turn;
}

static bool row_begin(struct turn_row *row, int64_t id, int64_t place, int64_t number) {
	*row = (struct turn_row){
			.id = id,
			.place = place,
			.number = number,
			.prompt_tokens = -1,
			.completion_tokens = -1,
			.reasoning_tokens = -1,
			.cached_tokens = -1,
			.cost = -1,
			.words = strdup(""),
			.finish = strdup(""),
			.model = strdup(""),
			.provider = strdup(""),
			.cost_source = strdup("unknown"),
			.answer_key = strdup(""),
	};
	return row->words != NULL && row->finish != NULL && row->model != NULL &&
	       row->provider != NULL && row->cost_source != NULL && row->answer_key != NULL;
}

struct turn *turn_create(
		struct turn_table *table, int64_t place, enum turn_kind kind, struct fail *fail) {
	char path[PATH_MAX];
	struct newest *newest = newest_of(table, place);
	struct turn *turn = newest != NULL ? turn_new(table) : NULL;
	if (turn == NULL) {
		fail_set(fail, ENOMEM, "no memory for a turn");
		return NULL;
	}
	turn->kind = kind;
	int64_t id = table->last_id + 1;
	int64_t number = kind == TURN_REAL ? newest->number + 1 : 0;
	if (!row_begin(&turn->row, id, place, number) || !idmap_set(&table->turns, id, turn)) {
		fail_set(fail, ENOMEM, "no memory for a turn");
		turn_destroy(turn);
		return NULL;
	}
	if (kind == TURN_REAL &&
			(!store_turn_path(table->store, id, true, path, sizeof(path), fail) ||
					!store_turn_claim(table->store, id, place, number, fail))) {
		turn_destroy(turn);
		return NULL;
	}
	table->last_id = id;
	newest->number += kind == TURN_REAL;
	if (kind != TURN_NOTE) {
		newest->id = id;
	}
	return turn;
}

struct turn *turn_get(struct turn_table *table, int64_t id) {
	struct turn *turn = idmap_get(&table->turns, id);
	if (turn != NULL) {
		return turn->forgotten ? NULL : turn_hold(turn);
	}
	turn = turn_new(table);
	if (turn == NULL) {
		return NULL;
	}
	if (!store_turn_get(table->store, id, &turn->row, NULL)) {
		free(turn);
		return NULL;
	}
	turn->stored = true;
	if (!idmap_set(&table->turns, id, turn)) {
		turn_destroy(turn);
		return NULL;
	}
	return turn;
}

struct turn *turn_hold(struct turn *turn) {
	if (turn->refs++ == 0) {
		list_remove(&turn->link);
		turn->table->n_unused--;
	}
	return turn;
}

void turn_release(struct turn *turn) {
	if (turn == NULL || --turn->refs > 0) {
		return;
	}
	struct turn_table *table = turn->table;
	if (turn->forgotten) {
		turn_destroy(turn);
		return;
	}
	close_files(turn);
	list_append(&table->unused, &turn->link);
	if (++table->n_unused > UNUSED_MOST) {
		struct turn *oldest = list_entry(table->unused.next, struct turn, link);
		table->n_unused--;
		if (!oldest->stored) {
			newest_without(table, oldest->row.id, oldest->row.place);
		}
		turn_destroy(oldest);
	}
}

void turn_release_pointer(struct turn **turn) {
	turn_release(*turn);
}

int64_t turn_newest(struct turn_table *table, int64_t place) {
	struct newest *newest = newest_of(table, place);
	return newest != NULL ? newest->id : 0;
}

void turn_store(struct turn *turn) {
	struct newest *newest = newest_of(turn->table, turn->row.place);
	turn->stored = true;
	store_turn_claimed(turn->table->store, turn->row.id);
	if (newest != NULL) {
		newest->listed = now_us();
		newest->last = turn->row.id;
	}
}

int64_t turn_last(struct turn_table *table, int64_t place) {
	const struct newest *newest = newest_of(table, place);
	return newest != NULL ? newest->last : 0;
}

uint64_t turn_changes(struct turn_table *table, int64_t place) {
	const struct newest *newest = newest_of(table, place);
	return newest != NULL ? newest->changes : 0;
}

int64_t turn_listed(struct turn_table *table, int64_t place) {
	const struct newest *newest = idmap_get(&table->newest, place);
	return newest != NULL ? newest->listed : 0;
}

#define REFUSED "refused-"

void turn_name(const struct turn *turn, char ret[TURN_NAME_SIZE]) {
	if (turn->row.number != 0) {
		snprintf(ret, TURN_NAME_SIZE, "%06lld", (long long)turn->row.number);
	} else {
		snprintf(ret, TURN_NAME_SIZE, REFUSED "%lld", (long long)turn->row.id);
	}
}

bool turn_known(struct turn_table *table, int64_t id) {
	cleanup_turn struct turn *turn = turn_get(table, id);
	return turn != NULL;
}

/* An open or refused turn, which the store doesn't know. */
static int64_t find_in_memory(struct turn_table *table, int64_t place, const char *name) {
	for (size_t i = 0; i < table->turns.n_slots; i++) {
		const struct turn *turn = table->turns.slots[i].value;
		char own[TURN_NAME_SIZE];
		if (turn == NULL || turn->stored || turn->dropped || turn->row.place != place) {
			continue;
		}
		turn_name(turn, own);
		if (strcmp(own, name) == 0) {
			return turn->row.id;
		}
	}
	return 0;
}

int64_t turn_find(struct turn_table *table, int64_t place, const char *name) {
	int64_t id = 0, number = 0;
	char canonical[TURN_NAME_SIZE];
	if (!starts_with(name, REFUSED) && (!parse_int64(name, &number) || number <= 0)) {
		return 0;
	}
	snprintf(canonical, sizeof(canonical), "%06lld", (long long)number);
	if (number != 0 && strcmp(canonical, name) != 0) {
		return 0;
	}
	/* Nearly always it is the newest, which is at hand. */
	const struct newest *newest = idmap_get(&table->newest, place);
	const struct turn *turn = newest != NULL ? idmap_get(&table->turns, newest->id) : NULL;
	if (turn != NULL && turn->stored && turn->row.number == number) {
		return turn->row.id;
	}
	if (number != 0 && store_turn_find(table->store, place, number, &id)) {
		return id;
	}
	return find_in_memory(table, place, name);
}

bool turn_over(const struct turn *turn) {
	return turn->row.state >= TURN_DONE || turn->unsent;
}

int turn_error(const struct turn *turn) {
	switch (turn->row.state) {
	case TURN_FAILED:
		return turn->row.code != 0 ? turn->row.code : EIO;
	case TURN_CANCELLED:
		return ECANCELED;
	case TURN_INTERRUPTED:
		return turn->row.code != 0 ? turn->row.code : EIO;
	default:
		return turn->unsent ? ECANCELED : 0;
	}
}

bool turn_directory(const struct turn *turn, char *ret, size_t size) {
	return store_turn_path(turn->table->store, turn->row.id, false, ret, size, NULL);
}

void turn_table_watch(struct turn_table *table, void (*changed)(void *data), void *data) {
	table->changed = changed;
	table->data = data;
}

void turn_grew(struct turn *turn) {
	struct turn_watch *watch;
	list_for_each(watch, &turn->watches, link) {
		watch->changed(watch);
	}
}

void turn_changed(struct turn *turn) {
	struct turn_table *table = turn->table;
	struct newest *newest = idmap_get(&table->newest, turn->row.place);
	if (newest != NULL) {
		newest->changes++;
	}
	if (table->changed != NULL) {
		table->changed(table->data);
	}
	turn_grew(turn);
}

bool turn_words_set(char **field, const char *value) {
	char *copy = strdup(value);
	if (copy == NULL) {
		return false;
	}
	free(*field);
	*field = copy;
	return true;
}

void turn_set_words(struct turn *turn, int code, const char *words) {
	turn->row.code = code;
	turn_words_set(&turn->row.words, words);
}
