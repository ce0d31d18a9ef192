/* The SQLite file itself: opening, its shape and its versions, its health. Knows nothing of what
 * the rows mean. */
#ifndef CORE_STORE_DATABASE_H
#define CORE_STORE_DATABASE_H

#include "core/base/fail.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#define DATABASE_NAME "conduitfs.db"

/* "cdfs": how file(1) and we ourselves tell this database from any other. */
#define DATABASE_APPLICATION_ID 0x63646673

/* The steps from each version to the next; a database's user_version is how many it has seen. */
extern const char *const database_steps[];
extern const size_t database_n_steps;

/* An errno for SQLite's last failure on `db` (which may be NULL: no memory), the words in `fail`.
 * Returns false. */
bool database_fail(sqlite3 *db, const char *path, struct fail *fail);
/* The database itself is broken, in contrast to a full disk or the like. */
bool database_broken(int code);

/* Opens or makes the file at `path` with the settings that every connection of ours has. NULL with
 * words, and `*ret_broken` when what is there isn't a sound database. Not to be used by two threads
 * at the same time. */
sqlite3 *database_connect(const char *path, bool *ret_broken, struct fail *fail);
/* Brings it to version `n`, each step in a transaction of its own. Refuses a newer version and
 * another program's database (EINVAL). */
bool database_migrate(sqlite3 *db, const char *path, const char *const *steps, size_t n,
		struct fail *fail);
/* PRAGMA quick_check. */
bool database_sound(sqlite3 *db);

/* Copies what can be read of the damaged file at `aside`, of the same version, into a new database;
 * how many rows. */
size_t database_salvage(sqlite3 *db, const char *aside);

/* Opens `directory`'s database: connects, checks it when `check`, migrates. One that is broken is
 * renamed to conduitfs.db.corrupt-TIME and a new one begun with what can still be read of it;
 * `*ret_notice` then says so in words that the caller frees, else it is NULL. */
sqlite3 *database_open(const char *directory, bool check, char **ret_notice, struct fail *fail);

#endif
