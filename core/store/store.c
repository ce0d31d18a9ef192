/* The open store: directory, lock, statements and batches. See store.h. */
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/store/database.h"
#include "core/store/delay.h"
#include "core/store/ledger.h"
#include "core/store/lock.h"
#include "core/store/private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* A slice that the loop doesn't feel: 200 rows are about a millisecond. */
#define BATCH_ROWS 200

static bool make_directory(const char *directory, struct fail *fail) {
	cleanup_buf struct buf path = {0};
	if (directory[0] != '/') {
		return fail_set(fail, EINVAL, "the state directory '%s' must be an absolute path",
				directory);
	}
	if (!buf_add_string(&path, directory)) {
		return fail_set(fail, ENOMEM, "no memory for the path of %s", directory);
	}
	for (size_t i = 1; i <= path.size; i++) {
		if (path.data[i] == '/' || path.data[i] == '\0') {
			char kept = path.data[i];
			path.data[i] = '\0';
			if (mkdir(path.data, 0700) < 0 && errno != EEXIST) {
				return fail_set(fail, errno,
						"%s: %s: `state:` in config.yml names another "
						"place",
						path.data, strerror(errno));
			}
			path.data[i] = kept;
		}
	}
	struct stat st;
	if (stat(directory, &st) < 0 || !S_ISDIR(st.st_mode)) {
		return fail_set(fail, ENOTDIR, "%s is not a directory", directory);
	}
	/* What lies in it is private by its own modes; but nobody else may put files there. A
	 * directory that is the user's is never given other modes. */
	if ((st.st_mode & S_IWOTH) != 0) {
		return fail_set(fail, EPERM,
				"%s can be written by everybody: chmod 700 it, or name another "
				"`state:` in "
				"config.yml",
				directory);
	}
	return true;
}

static int wal_grew(void *data, sqlite3 *db, const char *schema, int pages) {
	struct store *store = data;
	(void)db;
	(void)schema;
	upkeep_wrote(store->upkeep, pages);
	return SQLITE_OK;
}

static void batch_due(void *data) {
	store_batch_commit(data);
}

static bool read_last_turn(struct store *store, struct fail *fail) {
	static const char sql[] = "SELECT max(ifnull((SELECT max(id) FROM turn), 0), "
				  "ifnull((SELECT seq FROM sqlite_sequence WHERE name='turn'), 0))";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL || store_step(store, statement, fail) < 0) {
		return false;
	}
	int64_t stored = sqlite3_column_int64(statement, 0);
	/* A power cut may have kept a turn's files and lost its row. */
	int64_t found = files_last_turn(store->directory);
	/* And the ledger outlives turns. */
	int64_t booked = ledger_last_turn(store);
	store->turn_last_id = stored > found ? stored : found;
	store->turn_last_id = booked > store->turn_last_id ? booked : store->turn_last_id;
	return true;
}

static bool open_all(struct store *store, bool history, struct fail *fail) {
	bool unclean;
	if (!make_directory(store->directory, fail)) {
		return false;
	}
	store->lock = lock_take(store->directory, &unclean, fail);
	if (store->lock < 0) {
		return false;
	}
	store->db = database_open(store->directory, unclean, &store->notice, fail);
	if (store->db == NULL) {
		return false;
	}
	store->batch_timer = delay_create(store->loop, batch_due, store, true);
	if (store->batch_timer == NULL) {
		return fail_set(fail, ENOMEM, "no memory to open %s", store->directory);
	}
	if (!read_last_turn(store, fail) || !off_record_clean(store, fail) ||
			(!history && !off_record_begin(store, fail))) {
		return false;
	}
	store->upkeep = upkeep_create(store);
	store->forgetting = forgetting_create(store);
	if (store->upkeep != NULL) {
		sqlite3_wal_hook(store->db, wal_grew, store);
	}
	return (store->forgetting != NULL && store->upkeep != NULL) ||
	       fail_set(fail, ENOMEM, "no memory to open %s", store->directory);
}

static struct store *open_as(
		uv_loop_t *loop, const char *directory, bool history, struct fail *fail) {
	struct store *store = calloc(1, sizeof(*store));
	char *copy = strdup(directory), *files = strdup(directory);
	if (store == NULL || copy == NULL || files == NULL) {
		free(store);
		free(copy);
		free(files);
		fail_set(fail, ENOMEM, "no memory to open %s", directory);
		return NULL;
	}
	store->loop = loop;
	store->directory = copy;
	store->files = files;
	store->lock = -1;
	if (!open_all(store, history, fail)) {
		store_close(store);
		return NULL;
	}
	return store;
}

struct store *store_open(uv_loop_t *loop, const char *directory, struct fail *fail) {
	return open_as(loop, directory, true, fail);
}

struct store *store_open_off_record(uv_loop_t *loop, const char *directory, struct fail *fail) {
	return open_as(loop, directory, false, fail);
}

void store_close(struct store *store) {
	if (store == NULL) {
		return;
	}
	bool opened = store->db != NULL;
	if (opened) {
		store_batch_commit(store);
		sqlite3_wal_hook(store->db, NULL, NULL);
	}
	delay_destroy(store->batch_timer);
	forgetting_destroy(store->forgetting);
	upkeep_destroy(store->upkeep);
	if (store->off_record) {
		off_record_end(store);
	}
	for (size_t i = 0; i < store->n_statements; i++) {
		sqlite3_finalize(store->statements[i].statement);
	}
	if (opened && sqlite3_close(store->db) == SQLITE_OK && !store->damaged) {
		lock_mark_clean(store->lock);
	}
	if (store->lock >= 0) {
		close(store->lock);
	}
	free(store->notice);
	free(store->directory);
	free(store->files);
	free(store);
}

bool store_keeps_turns(const struct store *store) {
	return !store->off_record;
}

const char *store_notice(const struct store *store) {
	static const char damaged[] =
			"the database in the state directory is damaged: what can't be read of it "
			"is missing here; unmount, and the next mount saves what can be read";
	return store->damaged ? damaged : store->notice;
}

const char *store_directory(const struct store *store) {
	return store->directory;
}

/* ---- statements ---- */

bool store_failed(struct store *store, struct fail *fail) {
	if (database_broken(sqlite3_errcode(store->db))) {
		store->damaged = true;
	}
	return database_fail(store->db, store->directory, fail);
}

sqlite3_stmt *store_statement(struct store *store, const char *sql, struct fail *fail) {
	for (size_t i = 0; i < store->n_statements; i++) {
		if (store->statements[i].sql == sql) {
			return store->statements[i].statement;
		}
	}
	sqlite3_stmt *statement = NULL;
	if (store->n_statements == STATEMENTS_MOST) {
		fail_set(fail, ENOMEM, "more than %d prepared statements", STATEMENTS_MOST);
		return NULL;
	}
	if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
			SQLITE_OK) {
		store_failed(store, fail);
		return NULL;
	}
	store->statements[store->n_statements].sql = sql;
	store->statements[store->n_statements++].statement = statement;
	return statement;
}

int store_step(struct store *store, sqlite3_stmt *statement, struct fail *fail) {
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		store_failed(store, fail);
		return -1;
	}
}

bool store_run(struct store *store, sqlite3_stmt *statement, struct fail *fail) {
	return store_step(store, statement, fail) >= 0;
}

const char *column_text(sqlite3_stmt *statement, int i) {
	const char *text = (const char *)sqlite3_column_text(statement, i);
	return text != NULL && utf8_valid(text, strlen(text)) ? text : "";
}

char *column_copy(sqlite3_stmt *statement, int i) {
	return strdup(column_text(statement, i));
}

/* ---- batches ---- */

static bool batch_open(struct store *store) {
	return sqlite3_get_autocommit(store->db) == 0;
}

/* SQLite rolls an open batch back by itself when the disk is full. */
static void notice_rollback(struct store *store) {
	if (store->batch_rows != 0) {
		store->batches_failed++;
		store->batch_rows = 0;
	}
}

bool store_batch(struct store *store, struct fail *fail) {
	if (batch_open(store)) {
		return true;
	}
	notice_rollback(store);
	static const char sql[] = "BEGIN IMMEDIATE";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL || !store_run(store, statement, fail)) {
		return false;
	}
	delay_arm(store->batch_timer, DELAY_NEXT_ROUND);
	return true;
}

void store_batch_row(struct store *store) {
	if (++store->batch_rows >= BATCH_ROWS) {
		store_batch_commit(store);
	}
}

bool store_begin(struct store *store, struct fail *fail) {
	static const char sql[] = "BEGIN IMMEDIATE";
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	return statement != NULL && store_run(store, statement, fail);
}

bool store_end(struct store *store, bool done, struct fail *fail) {
	static const char sql[] = "COMMIT";
	cleanup_statement sqlite3_stmt *statement = done ? store_statement(store, sql, fail) : NULL;
	done = statement != NULL && store_run(store, statement, fail);
	/* A full disk may have rolled it back already. */
	if (!done && batch_open(store)) {
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	}
	return done;
}

void store_batch_commit(struct store *store) {
	if (!batch_open(store)) {
		notice_rollback(store);
		return;
	}
	static const char sql[] = "COMMIT";
	cleanup_fail struct fail fail = {0};
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, &fail);
	bool done = statement != NULL && store_run(store, statement, &fail);
	if (!done) {
		store->batches_failed++;
		if (!store->failing) {
			log_warning("models can't be stored: %s", fail_words(&fail));
		}
		if (batch_open(store)) {
			sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		}
	}
	store->failing = !done;
	store->batch_rows = 0;
	delay_stop(store->batch_timer);
}
