/* Finding the turn that answered the same request: see store.h. */
#include "core/store/private.h"

#include <sys/random.h>

bool store_answer_find(struct store *store, const char *key, int64_t since, int64_t until,
		int64_t *ret_id) {
	/* The comparison with '' is for SQLite to see that the partial index serves. */
	_Static_assert(TURN_DONE == 4, "the numbers of the states are part of the database");
	static const char sql[] =
			"SELECT id FROM turn WHERE answer_key=?1 AND answer_key<>'' "
			"AND state=4 AND finished BETWEEN ?2 AND ?3 ORDER BY finished DESC LIMIT 1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, since);
	sqlite3_bind_int64(statement, 3, until);
	if (store_step(store, statement, NULL) <= 0) {
		return false;
	}
	*ret_id = sqlite3_column_int64(statement, 0);
	return true;
}

static bool read_secret(struct store *store, const char *name, uint64_t *ret) {
	static const char sql[] = "SELECT value FROM mark WHERE name=?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	if (store_step(store, statement, NULL) <= 0) {
		return false;
	}
	*ret = (uint64_t)sqlite3_column_int64(statement, 0);
	return true;
}

static bool make_secret(struct store *store, const char *name, uint64_t *ret) {
	static const char sql[] = "INSERT INTO mark(name, value) VALUES(?1, ?2)";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL || getrandom(ret, sizeof(*ret), GRND_NONBLOCK) != sizeof(*ret)) {
		return false;
	}
	store_batch_commit(store);
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, (int64_t)*ret);
	return store_run(store, statement, NULL);
}

bool store_answer_secret(struct store *store, uint64_t ret[static 2]) {
	static const char *const names[] = {"answers_low", "answers_high"};
	for (int i = 0; i < 2; i++) {
		if (!read_secret(store, names[i], &ret[i]) &&
				!make_secret(store, names[i], &ret[i])) {
			return false;
		}
	}
	return true;
}
