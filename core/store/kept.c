/* What retention asks: see kept.h. */
#include "core/store/kept.h"

#include "core/store/private.h"

#define COLUMNS "id, place, number, previous, finished"
#define ENDED "state NOT IN (1, 2, 3)"

static struct kept_turn read_turn(sqlite3_stmt *row) {
	return (struct kept_turn){
			.id = sqlite3_column_int64(row, 0),
			.place = sqlite3_column_int64(row, 1),
			.number = sqlite3_column_int64(row, 2),
			.previous = sqlite3_column_int64(row, 3),
			.finished = sqlite3_column_int64(row, 4),
	};
}

/* The rows of a statement whose parameters are these numbers, and then how many. */
static size_t read_turns(struct store *store, const char *sql, const int64_t *numbers,
		int n_numbers, struct kept_turn *ret, size_t most) {
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return 0;
	}
	for (int i = 0; i < n_numbers; i++) {
		sqlite3_bind_int64(statement, i + 1, numbers[i]);
	}
	sqlite3_bind_int64(statement, n_numbers + 1, (int64_t)most);
	size_t n = 0;
	while (n < most && store_step(store, statement, NULL) > 0) {
		ret[n++] = read_turn(statement);
	}
	return n;
}

size_t kept_oldest(struct store *store, int64_t finished, int64_t id, struct kept_turn *ret,
		size_t most) {
	static const char sql[] = "SELECT " COLUMNS " FROM turn WHERE finished>0 AND "
				  "(finished, id)>(?1, ?2) AND " ENDED
				  " ORDER BY finished, id LIMIT ?3";
	const int64_t numbers[] = {finished, id};
	return read_turns(store, sql, numbers, 2, ret, most);
}

size_t kept_of_place(struct store *store, int64_t place, int64_t after, int64_t until,
		struct kept_turn *ret, size_t most) {
	static const char sql[] = "SELECT " COLUMNS " FROM turn WHERE place=?1 AND number>?2 AND "
				  "number<=?3 AND " ENDED " ORDER BY number LIMIT ?4";
	const int64_t numbers[] = {place, after, until};
	return read_turns(store, sql, numbers, 3, ret, most);
}

bool kept_get(struct store *store, int64_t id, struct kept_turn *ret) {
	static const char sql[] = "SELECT " COLUMNS " FROM turn WHERE id=?1 AND " ENDED " LIMIT ?2";
	return read_turns(store, sql, &id, 1, ret, 1) == 1;
}

/* The first column of the first row, 0 when there is none. */
static int64_t number_of(struct store *store, const char *sql, int64_t first, int64_t second) {
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return 0;
	}
	sqlite3_bind_int64(statement, 1, first);
	sqlite3_bind_int64(statement, 2, second);
	return store_step(store, statement, NULL) > 0 ? sqlite3_column_int64(statement, 0) : 0;
}

bool kept_is_continued(struct store *store, int64_t id) {
	static const char sql[] =
			"SELECT 1 FROM turn WHERE previous=?1 AND previous<>0 AND ?2=0 LIMIT 1";
	return number_of(store, sql, id, 0) != 0;
}

int64_t kept_next_place(struct store *store, int64_t after) {
	static const char sql[] = "SELECT place FROM turn WHERE place>?1 AND ?2=0 "
				  "ORDER BY place LIMIT 1";
	return number_of(store, sql, after, 0);
}

int64_t kept_beyond(struct store *store, int64_t place, int64_t count) {
	/* Nearly always there can't be so many, which is known at once. */
	static const char room[] = "SELECT (SELECT max(number) FROM turn WHERE place=?1)"
				   "-(SELECT min(number) FROM turn WHERE place=?1)>=?2";
	if (number_of(store, room, place, count) == 0) {
		return 0;
	}
	static const char sql[] = "SELECT number FROM turn WHERE place=?1 "
				  "ORDER BY number DESC LIMIT 1 OFFSET ?2";
	return number_of(store, sql, place, count);
}

int64_t kept_bytes(struct store *store) {
	static const char sql[] = "SELECT bytes FROM kept WHERE ?1=0 AND ?2=0";
	return number_of(store, sql, 0, 0);
}
