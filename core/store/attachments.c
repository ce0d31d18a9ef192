/* Attachments: see attachments.h. */
#include "core/store/attachments.h"

#include "core/base/text.h"
#include "core/store/private.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

bool store_attachment_path(struct store *store, int64_t id, bool make, char *ret, size_t size) {
	int length = snprintf(ret, size, "%s/attach", store->files);
	if (length < 0 || (size_t)length >= size) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (make && mkdir(ret, 0700) != 0 && errno != EEXIST) {
		return false;
	}
	int more = snprintf(ret + length, size - (size_t)length, "/%" PRId64, id);
	return more > 0 && (size_t)(length + more) < size;
}

bool store_attached_path(
		struct store *store, int64_t turn, const char *name, char *ret, size_t size) {
	if (!store_turn_path(store, turn, false, ret, size, NULL)) {
		return false;
	}
	size_t length = strlen(ret);
	int more = snprintf(ret + length, size - length, "/attachments%s%s",
			name[0] != '\0' ? "/" : "", name);
	return more > 0 && length + (size_t)more < size;
}

/* ---- those that wait ---- */

bool store_attachment_add(struct store *store, int64_t place, const char *name, const char *target,
		int64_t *ret_id, struct fail *fail) {
	static const char sql[] = "INSERT INTO attachment(place, turn, name, target, type) "
				  "VALUES(?1, 0, ?2, ?3, '')";
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place);
	sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, target, -1, SQLITE_STATIC);
	if (!store_run(store, statement, fail)) {
		return false;
	}
	*ret_id = sqlite3_last_insert_rowid(store->db);
	return true;
}

bool store_attachment_rename(struct store *store, int64_t id, int64_t place, const char *name,
		struct fail *fail) {
	static const char drop[] = "DELETE FROM attachment WHERE turn=0 AND place=?1 AND name=?2";
	static const char sql[] = "UPDATE attachment SET place=?2, name=?3 WHERE id=?1 AND turn=0";
	cleanup_statement sqlite3_stmt *dropping = store_statement(store, drop, fail);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (dropping == NULL || statement == NULL || !store_begin(store, fail)) {
		return false;
	}
	sqlite3_bind_int64(dropping, 1, place);
	sqlite3_bind_text(dropping, 2, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int64(statement, 2, place);
	sqlite3_bind_text(statement, 3, name, -1, SQLITE_STATIC);
	return store_end(store,
			store_run(store, dropping, fail) && store_run(store, statement, fail),
			fail);
}

bool store_attachment_remove(struct store *store, int64_t id, struct fail *fail) {
	static const char sql[] = "DELETE FROM attachment WHERE id=?1 AND turn=0";
	char path[PATH_MAX];
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, id);
	if (!store_run(store, statement, fail)) {
		return false;
	}
	if (store_attachment_path(store, id, false, path, sizeof(path))) {
		unlink(path);
	}
	return true;
}

/* ---- a turn's ---- */

static bool give(struct store *store, int64_t turn, const struct attachment_row *row,
		struct fail *fail) {
	static const char sql[] = "INSERT INTO attachment(place, turn, name, target, type) "
				  "VALUES(0, ?1, ?2, ?3, ?4)";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, turn);
	sqlite3_bind_text(statement, 2, row->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, row->target != NULL ? row->target : "", -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, row->type, -1, SQLITE_STATIC);
	return store_run(store, statement, fail);
}

bool store_attachments_give(struct store *store, int64_t place, int64_t turn,
		const struct attachment_row *rows, size_t n, struct fail *fail) {
	static const char sql[] = "DELETE FROM attachment WHERE place=?1 AND turn=0";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL || !store_begin(store, fail)) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place);
	bool given = place == 0 || store_run(store, statement, fail);
	for (size_t i = 0; given && i < n; i++) {
		given = give(store, turn, &rows[i], fail);
	}
	return store_end(store, given, fail);
}

bool store_attachments_return(struct store *store, int64_t turn, int64_t place, struct fail *fail) {
	static const char prompt[] = "DELETE FROM attachment WHERE turn=?1 AND name=''";
	static const char sql[] = "UPDATE attachment SET turn=0, place=?2, type='' WHERE turn=?1";
	cleanup_statement sqlite3_stmt *dropping = store_statement(store, prompt, fail);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (dropping == NULL || statement == NULL || !store_begin(store, fail)) {
		return false;
	}
	sqlite3_bind_int64(dropping, 1, turn);
	sqlite3_bind_int64(statement, 1, turn);
	sqlite3_bind_int64(statement, 2, place);
	return store_end(store,
			store_run(store, dropping, fail) && store_run(store, statement, fail),
			fail);
}

/* ---- looking ---- */

#define COLUMNS "id, place, turn, name, target, type"

static bool each(struct store *store, sqlite3_stmt *statement, store_attachment_visit *visit,
		void *data, struct fail *fail) {
	int step;
	while ((step = store_step(store, statement, fail)) > 0) {
		const struct attachment_row row = {
				.id = sqlite3_column_int64(statement, 0),
				.place = sqlite3_column_int64(statement, 1),
				.turn = sqlite3_column_int64(statement, 2),
				.name = column_text(statement, 3),
				.target = column_text(statement, 4),
				.type = column_text(statement, 5),
		};
		visit(data, &row);
	}
	return step == 0;
}

bool store_attachments_of(struct store *store, int64_t turn, store_attachment_visit *visit,
		void *data, struct fail *fail) {
	static const char sql[] = "SELECT " COLUMNS " FROM attachment WHERE turn=?1 ORDER BY id";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, turn);
	return turn == 0 || each(store, statement, visit, data, fail);
}

bool store_attachments_at(struct store *store, int64_t place, store_attachment_visit *visit,
		void *data, struct fail *fail) {
	static const char sql[] = "SELECT " COLUMNS " FROM attachment WHERE turn=0 AND place=?1 "
				  "ORDER BY id";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place);
	return each(store, statement, visit, data, fail);
}

struct found {
	store_attachment_visit *visit;
	void *data;
	bool any;
};

static void on_found(void *data, const struct attachment_row *row) {
	struct found *found = data;
	found->any = true;
	found->visit(found->data, row);
}

bool store_attachment_get(
		struct store *store, int64_t id, store_attachment_visit *visit, void *data) {
	static const char sql[] = "SELECT " COLUMNS " FROM attachment WHERE id=?1 AND turn<>0";
	struct found found = {.visit = visit, .data = data};
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, id);
	return each(store, statement, on_found, &found, NULL) && found.any;
}

/* Files whose row is gone: the daemon died between the two. */
static void remove_orphans(struct store *store) {
	static const char sql[] = "SELECT 1 FROM attachment WHERE id=?1 AND turn=0";
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/attach", store->files);
	cleanup_closedir DIR *directory = length > 0 && (size_t)length < sizeof(path)
							  ? opendir(path)
							  : NULL;
	struct dirent *entry;
	int64_t id;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
		if (statement == NULL || !parse_int64(entry->d_name, &id)) {
			continue;
		}
		sqlite3_bind_int64(statement, 1, id);
		if (store_step(store, statement, NULL) == 0) {
			unlinkat(dirfd(directory), entry->d_name, 0);
		}
	}
}

/* What was to go with a turn that it was never given to: the daemon died before. */
static void remove_untaken(struct store *store) {
	static const char sql[] = "SELECT id FROM turn WHERE state IN (1, 2, 3) AND "
				  "id NOT IN (SELECT turn FROM attachment)";
	char path[PATH_MAX];
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	while (statement != NULL && store_step(store, statement, NULL) > 0) {
		int64_t turn = sqlite3_column_int64(statement, 0);
		cleanup_closedir DIR *directory = store_attached_path(store, turn, "", path,
								  sizeof(path))
								  ? opendir(path)
								  : NULL;
		struct dirent *entry;
		while (directory != NULL && (entry = readdir(directory)) != NULL) {
			unlinkat(dirfd(directory), entry->d_name, 0);
		}
		rmdir(path);
	}
}

bool store_attachments_waiting(
		struct store *store, store_attachment_visit *visit, void *data, struct fail *fail) {
	static const char ended[] = "DELETE FROM attachment WHERE turn=0 AND place NOT IN "
				    "(SELECT id FROM place)";
	static const char sql[] = "SELECT " COLUMNS " FROM attachment WHERE turn=0 ORDER BY id";
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *ending = store_statement(store, ended, fail);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (ending == NULL || statement == NULL) {
		return false;
	}
	/* On a disk that takes nothing they wait on. */
	store_run(store, ending, NULL);
	remove_orphans(store);
	remove_untaken(store);
	return each(store, statement, visit, data, fail);
}
