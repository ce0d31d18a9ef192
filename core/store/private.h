/* What the files of core/store share of the open store; nobody else includes it. */
#ifndef CORE_STORE_PRIVATE_H
#define CORE_STORE_PRIVATE_H

#include "core/store/store.h"

#include <sqlite3.h>

struct delay;
struct forgetting;
struct upkeep;

/* Each caller of store_statement has one SQL text; this many at most. */
#define STATEMENTS_MOST 96

struct store {
	uv_loop_t *loop;
	char *directory;
	char *files; /* the directory that holds turns/: `directory`, or a private one */
	bool off_record; /* nothing is kept beyond the mount */
	int64_t private_from; /* then: sessions with higher ids go with the mount */
	char *notice;
	int lock;
	sqlite3 *db;
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} statements[STATEMENTS_MOST];
	size_t n_statements;
	struct delay *batch_timer;
	size_t batch_rows;
	size_t batches_failed;
	bool damaged; /* SQLite met a broken page: the next opening checks */
	bool failing; /* the last batch failed: said once in the log */
	struct upkeep *upkeep;
	struct forgetting *forgetting;
	int64_t turn_last_id;
};

/* The prepared statement of `sql`, made at its first use. `sql` is a constant: its address is the
 * key. To be released with cleanup_statement. NULL with words. */
sqlite3_stmt *store_statement(struct store *store, const char *sql, struct fail *fail);

/* Runs a statement that returns no row. */
bool store_run(struct store *store, sqlite3_stmt *statement, struct fail *fail);
/* Steps to a row: 1 there is one, 0 none (left), -1 failed. */
int store_step(struct store *store, sqlite3_stmt *statement, struct fail *fail);
/* Sets `fail` from SQLite's last error; returns false. */
bool store_failed(struct store *store, struct fail *fail);

static inline void statement_release(sqlite3_stmt **statement) {
	if (*statement != NULL) {
		sqlite3_reset(*statement);
		sqlite3_clear_bindings(*statement);
	}
}

#define cleanup_statement cleanup(statement_release)

/* ---- batches: rows that may be lost with the daemon, committed together ---- */

/* Before a row of a batch: opens the transaction, which ends after 200 rows, before any durable
 * write, or when the loop comes round, whichever is first. */
bool store_batch(struct store *store, struct fail *fail);
/* After each row. */
void store_batch_row(struct store *store);
/* Commits what is open; every durable write calls it first, to be a transaction of its own. A batch
 * that can't be committed is rolled back, logged and counted in batches_failed. */
void store_batch_commit(struct store *store);

/* ---- transactions of more than one row ---- */

/* Commits an open batch and begins one. */
bool store_begin(struct store *store, struct fail *fail);
/* Commits when `done`, else takes everything back; true when all of it is durable. */
bool store_end(struct store *store, bool done, struct fail *fail);

/* ---- parts of a transaction ---- */

/* store_turn_update without a transaction of its own. */
bool turns_update(struct store *store, const struct turn_row *row, struct fail *fail);
/* After a start: enters what was noted as sent and never ended, at an unknown cost of at most what
 * was noted, and what was never sent, at none. */
bool ledger_recover(struct store *store, int64_t now);

/* ---- upkeep: fsync and checkpoints on the pool ---- */

struct upkeep *upkeep_create(struct store *store);
/* Waits for what runs on the pool, syncs what is still asked for, checkpoints. NULL is fine. */
void upkeep_destroy(struct upkeep *upkeep);
/* A commit happened; the WAL holds so many pages now. */
void upkeep_wrote(struct upkeep *upkeep, int wal_pages);

/* Turns' directories to be removed on the pool, at most UPKEEP_GONE_MOST; forgetting_removed is
 * told when they are. False while it still has others to remove. */
#define UPKEEP_GONE_MOST 64
bool upkeep_remove(struct upkeep *upkeep, const int64_t *turns, size_t n);

/* ---- off_record.c: `history: off` ---- */

/* Removes what a mount left that kept nothing and died. */
bool off_record_clean(struct store *store, struct fail *fail);
/* From here on what is known of turns goes to memory, and their files to a private directory. */
bool off_record_begin(struct store *store, struct fail *fail);
/* Before the database closes: takes all of it away. */
void off_record_end(struct store *store);

/* ---- forgetting: turns of places that ended, and what was taken out of the index ---- */

/* Goes on with what was begun before. NULL without memory. */
struct forgetting *forgetting_create(struct store *store);
/* What isn't done is done after the next opening. NULL is fine. */
void forgetting_destroy(struct forgetting *forgetting);
/* Rows were taken away, or a place ended: a slice at once, the rest from the loop. */
void forgetting_go_on(struct forgetting *forgetting);
/* These turns have no files any more. */
void forgetting_removed(struct forgetting *forgetting, const int64_t *turns, size_t n);

/* Takes away a turn's directory with all that is in it, from any thread. */
void files_remove_turn(const char *directory, int64_t turn);
/* Takes away what its programs left unfinished as the daemon died: the directories work-*. */
void files_remove_work(const char *directory, int64_t turn);
/* The highest id of a turn that has a directory; 0 when there is none. */
int64_t files_last_turn(const char *directory);
/* Calls for each turn that has a directory, of those above `after` and few others. */
void files_each_turn(const char *directory, int64_t after, void (*visit)(void *data, int64_t turn),
		void *data);
/* Fsyncs a turn's files and directories, from any thread; false when the disk refused one. */
bool files_sync_turn(const char *directory, int64_t turn);

/* Column `i` as text up to its first NUL, "" for NULL and what isn't UTF-8; valid until the
 * statement moves. */
const char *column_text(sqlite3_stmt *statement, int i);
/* The same, copied; NULL without memory. */
char *column_copy(sqlite3_stmt *statement, int i);

#endif
