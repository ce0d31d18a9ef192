/* Forgetting turns: see store.h. A turn's row goes first, in slices, and leaves its id behind; its
 * files go on the pool, and then the id. So a crash in between forgets nothing by half: what is
 * left is taken up at the next start. */
#include "core/store/delay.h"
#include "core/store/private.h"

/* Rows that the loop doesn't feel. */
#define SLICE_ROWS "200"

struct forgetting {
	struct store *store;
	struct delay *delay;
};

/* Rows of places that ended: how many went, 0 at the end, -1 when it can't go on now. */
static int forget_rows(struct store *store) {
	static const char rows[] = "DELETE FROM turn WHERE id IN (SELECT turn.id FROM ended "
				   "JOIN turn ON turn.place=ended.place LIMIT " SLICE_ROWS ")";
	static const char over[] = "DELETE FROM ended";
	static const char any[] = "SELECT 1 FROM ended";
	cleanup_statement sqlite3_stmt *looking = store_statement(store, any, NULL);
	if (looking == NULL || store_step(store, looking, NULL) <= 0) {
		return 0;
	}
	statement_release(&looking);
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, rows, NULL);
	if (statement == NULL || !store_run(store, statement, NULL)) {
		return -1;
	}
	int went = sqlite3_changes(store->db);
	/* Off the record the places' earlier turns aren't seen: they go at the next start. */
	if (went == 0 && store->off_record) {
		return 0;
	}
	cleanup_statement sqlite3_stmt *ending = store_statement(store, over, NULL);
	return went != 0 || (ending != NULL && store_run(store, ending, NULL)) ? went : -1;
}

static size_t forgotten(struct store *store, int64_t turns[static UPKEEP_GONE_MOST]) {
	static const char sql[] = "SELECT turn FROM forgotten ORDER BY turn LIMIT ?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	size_t n = 0;
	if (statement != NULL) {
		sqlite3_bind_int(statement, 1, UPKEEP_GONE_MOST);
	}
	while (statement != NULL && n < UPKEEP_GONE_MOST &&
			store_step(store, statement, NULL) > 0) {
		turns[n++] = sqlite3_column_int64(statement, 0);
	}
	return n;
}

void forgetting_go_on(struct forgetting *forgetting) {
	int64_t turns[UPKEEP_GONE_MOST];
	if (forget_rows(forgetting->store) > 0) {
		delay_arm(forgetting->delay, DELAY_NEXT_ROUND);
	}
	upkeep_remove(forgetting->store->upkeep, turns, forgotten(forgetting->store, turns));
}

void forgetting_removed(struct forgetting *forgetting, const int64_t *turns, size_t n) {
	static const char sql[] = "DELETE FROM forgotten WHERE turn=?1";
	struct store *store = forgetting->store;
	bool gone = store_batch(store, NULL);
	for (size_t i = 0; gone && i < n; i++) {
		cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
		gone = statement != NULL &&
		       sqlite3_bind_int64(statement, 1, turns[i]) == SQLITE_OK &&
		       store_run(store, statement, NULL);
		store_batch_row(store);
	}
	/* On a disk that takes nothing it would go round for ever. */
	if (gone) {
		delay_arm(forgetting->delay, DELAY_NEXT_ROUND);
	}
}

static void due(void *data) {
	forgetting_go_on(data);
}

struct forgetting *forgetting_create(struct store *store) {
	struct forgetting *forgetting = calloc(1, sizeof(*forgetting));
	if (forgetting == NULL) {
		return NULL;
	}
	forgetting->store = store;
	forgetting->delay = delay_create(store->loop, due, forgetting, true);
	if (forgetting->delay == NULL) {
		free(forgetting);
		return NULL;
	}
	delay_arm(forgetting->delay, DELAY_NEXT_ROUND);
	return forgetting;
}

void forgetting_destroy(struct forgetting *forgetting) {
	if (forgetting != NULL) {
		delay_destroy(forgetting->delay);
		free(forgetting);
	}
}

bool store_turn_forget(struct store *store, int64_t id, struct fail *fail) {
	static const char sql[] = "DELETE FROM turn WHERE id=?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL || !store_batch(store, fail)) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, id);
	bool done = store_run(store, statement, fail);
	store_batch_row(store);
	delay_arm(store->forgetting->delay, DELAY_NEXT_ROUND);
	return done;
}
