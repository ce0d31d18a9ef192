/* Settings of places and the user's own links: see store.h. */
#include "core/store/private.h"

#include <time.h>

/* A session that goes with the mount, whose settings aren't to be found afterwards either. */
static bool is_private(struct store *store, int64_t place) {
	static const char sql[] = "SELECT 1 FROM place WHERE id=?1 AND kind=3";
	if (!store->off_record || place <= store->private_from) {
		return false;
	}
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place);
	return store_step(store, statement, NULL) > 0;
}

bool store_setting_set(struct store *store, int64_t place, const char *name, const char *value,
		struct fail *fail) {
	static const char set[] = "INSERT INTO setting(place, name, value) VALUES(?1, ?2, ?3) "
				  "ON CONFLICT DO UPDATE SET value=?3";
	static const char drop[] = "DELETE FROM setting WHERE place=?1 AND name=?2";
	if (is_private(store, place)) {
		return true;
	}
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *statement = store_statement(
			store, value != NULL ? set : drop, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place);
	sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
	if (value != NULL) {
		sqlite3_bind_text(statement, 3, value, -1, SQLITE_STATIC);
	}
	return store_run(store, statement, fail);
}

bool store_settings_each(
		struct store *store, store_setting_visit *visit, void *data, struct fail *fail) {
	static const char sql[] = "SELECT place, name, value FROM setting ORDER BY place, name";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	int step = -1;
	while (statement != NULL && (step = store_step(store, statement, fail)) > 0) {
		visit(data, sqlite3_column_int64(statement, 0), column_text(statement, 1),
				column_text(statement, 2));
	}
	return step == 0;
}

bool store_link_set(struct store *store, int64_t parent, const char *name, const char *target,
		int64_t *ret_id, struct fail *fail) {
	/* REPLACE deletes the old row, so that the new one takes a new id. */
	static const char set[] = "INSERT OR REPLACE INTO link(parent, name, target, made) "
				  "VALUES(?1, ?2, ?3, ?4)";
	static const char drop[] = "DELETE FROM link WHERE parent=?1 AND name=?2";
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *statement = store_statement(
			store, target != NULL ? set : drop, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, parent);
	sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
	if (target != NULL) {
		sqlite3_bind_text(statement, 3, target, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 4, time(NULL));
	}
	if (!store_run(store, statement, fail)) {
		return false;
	}
	if (ret_id != NULL) {
		*ret_id = target != NULL ? sqlite3_last_insert_rowid(store->db) : 0;
	}
	return true;
}

bool store_link_is_alias(struct store *store, int64_t id, struct fail *fail) {
	static const char sql[] = "UPDATE link SET alias=1 WHERE id=?1";
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, id);
	return store_run(store, statement, fail);
}

bool store_links_each(struct store *store, store_link_visit *visit, void *data, struct fail *fail) {
	static const char sql[] = "SELECT id, parent, name, target, made, alias FROM link "
				  "ORDER BY id";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	int step = -1;
	while (statement != NULL && (step = store_step(store, statement, fail)) > 0) {
		visit(data, sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
				column_text(statement, 2), column_text(statement, 3),
				sqlite3_column_int64(statement, 4),
				sqlite3_column_int(statement, 5) != 0);
	}
	return step == 0;
}
