/* What can still be read of a damaged database goes into the new one: see database.h. A page that
 * is damaged costs the rows on it, and those that can be reached neither from the front nor from
 * the back of their table. */
#include "core/store/database.h"

#include "core/base/buf.h"

#include <string.h>
#include <unistd.h>

#define COLUMNS_MOST 64

/* Made by triggers, of what is copied. */
static bool is_derived(const char *table) {
	return strcmp(table, "usage") == 0 || strcmp(table, "kept") == 0;
}

static int64_t first_number(sqlite3 *db, const char *sql) {
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
			sqlite3_step(statement) == SQLITE_ROW) {
		number = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	return number;
}

/* "INSERT OR IGNORE INTO main.turn VALUES(?1, ?2, …)". */
static sqlite3_stmt *prepare_insert(sqlite3 *db, const char *table, int n_columns) {
	cleanup_buf struct buf sql = {0};
	sqlite3_stmt *statement = NULL;
	buf_add_format(&sql, "INSERT OR IGNORE INTO \"%s\" VALUES(", table);
	for (int i = 0; i < n_columns; i++) {
		buf_add_format(&sql, "%s?%d", i > 0 ? ", " : "", i + 1);
	}
	if (!buf_add_string(&sql, ")") ||
			sqlite3_prepare_v2(db, sql.data, -1, &statement, NULL) != SQLITE_OK) {
		return NULL;
	}
	return statement;
}

/* Copies rows until there are no more, or one can't be read; how many. */
static size_t copy_rows(sqlite3 *db, sqlite3_stmt *from, sqlite3_stmt *into) {
	int n_columns = sqlite3_column_count(from);
	size_t n = 0;
	while (sqlite3_step(from) == SQLITE_ROW) {
		for (int i = 0; i < n_columns; i++) {
			sqlite3_bind_value(into, i + 1, sqlite3_column_value(from, i));
		}
		/* A row that isn't of the table's types any more is left out. */
		if (sqlite3_step(into) == SQLITE_DONE) {
			n += (size_t)sqlite3_changes(db);
		}
		sqlite3_reset(into);
	}
	return n;
}

/* From the front, then from the back. */
static size_t copy_table(sqlite3 *db, sqlite3 *old, const char *table) {
	static const char *const orders[] = {" ORDER BY rowid", " ORDER BY rowid DESC"};
	size_t n = 0;
	for (int i = 0; i < 2; i++) {
		cleanup_buf struct buf sql = {0};
		sqlite3_stmt *from = NULL;
		buf_add_format(&sql, "SELECT * FROM \"%s\"", table);
		size_t plain = sql.size;
		buf_add_string(&sql, orders[i]);
		/* A table without row numbers is read in its own order. */
		if (sql.failed ||
				(sqlite3_prepare_v2(old, sql.data, -1, &from, NULL) != SQLITE_OK &&
						sqlite3_prepare_v2(old, sql.data, (int)plain, &from,
								NULL) != SQLITE_OK)) {
			continue;
		}
		int n_columns = sqlite3_column_count(from);
		sqlite3_stmt *into = n_columns > 0 && n_columns <= COLUMNS_MOST
						     ? prepare_insert(db, table, n_columns)
						     : NULL;
		n += into != NULL ? copy_rows(db, from, into) : 0;
		sqlite3_finalize(into);
		sqlite3_finalize(from);
	}
	return n;
}

static size_t copy_tables(sqlite3 *db, sqlite3 *old) {
	static const char sql[] = "SELECT name FROM sqlite_schema WHERE type='table' AND "
				  "name NOT LIKE 'sqlite_%' ORDER BY name='place' DESC, rowid";
	sqlite3_stmt *tables = NULL;
	size_t n = 0;
	if (sqlite3_prepare_v2(db, sql, -1, &tables, NULL) != SQLITE_OK) {
		return 0;
	}
	while (sqlite3_step(tables) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(tables, 0);
		n += is_derived(name) ? 0 : copy_table(db, old, name);
	}
	sqlite3_finalize(tables);
	return n;
}

static bool add_log_path(struct buf *path, const char *aside) {
	return buf_add_format(path, "%s-wal", aside);
}

static bool has_log(const char *aside) {
	cleanup_buf struct buf path = {0};
	return add_log_path(&path, aside) && access(path.data, F_OK) == 0;
}

/* Takes away what looking at it made. */
static void tidy(const char *aside, bool had_log) {
	cleanup_buf struct buf log = {0};
	cleanup_buf struct buf index = {0};
	if (buf_add_format(&index, "%s-shm", aside)) {
		unlink(index.data);
	}
	if (!had_log && add_log_path(&log, aside)) {
		unlink(log.data);
	}
}

size_t database_salvage(sqlite3 *db, const char *aside) {
	/* What was said at a place whose row is lost must not become another's. */
	static const char used[] = "UPDATE sqlite_sequence SET seq=max(seq, "
				   "ifnull((SELECT max(place) FROM turn), 0), "
				   "ifnull((SELECT max(place) FROM setting), 0), "
				   "ifnull((SELECT max(place) FROM ledger), 0)) WHERE name='place'";
	/* A model of which nothing is known comes with the next refresh, which is due at once. */
	static const char incomplete[] =
			"DELETE FROM refresh WHERE EXISTS(SELECT 1 FROM place WHERE model<>0 AND "
			"id NOT IN (SELECT place FROM record));"
			"UPDATE place SET model=0, hash=0 WHERE model<>0 AND "
			"id NOT IN (SELECT place FROM record)";
	sqlite3 *old = NULL;
	size_t n = 0;
	bool had_log = has_log(aside);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(aside, &old, flags, NULL) == SQLITE_OK &&
			/* It stays as it was found. */
			sqlite3_db_config(old, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) ==
					SQLITE_OK &&
			first_number(old, "PRAGMA user_version") ==
					first_number(db, "PRAGMA user_version") &&
			sqlite3_exec(db, "PRAGMA foreign_keys=OFF; BEGIN", NULL, NULL, NULL) ==
					SQLITE_OK) {
		n = copy_tables(db, old);
		sqlite3_exec(db, used, NULL, NULL, NULL);
		sqlite3_exec(db, incomplete, NULL, NULL, NULL);
		if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
			sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
			n = 0;
		}
		sqlite3_exec(db, "PRAGMA foreign_keys=ON", NULL, NULL, NULL);
	}
	sqlite3_close(old);
	tidy(aside, had_log);
	return n;
}
