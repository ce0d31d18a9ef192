/* The SQLite file: see database.h. */
#include "core/store/database.h"

#include "core/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* While opening another program may look at the file; on the loop nothing ever waits. */
#define OPEN_BUSY_MILLISECONDS 2000

static int errno_of(sqlite3 *db) {
	if (db == NULL) {
		return ENOMEM;
	}
	int system = sqlite3_system_errno(db);
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	case SQLITE_CONSTRAINT:
		return EEXIST;
	case SQLITE_TOOBIG:
		return E2BIG;
	case SQLITE_CANTOPEN:
		return system != 0 ? system : EACCES;
	case SQLITE_IOERR:
		return system == ENOSPC || system == EDQUOT || system == EROFS ? system : EIO;
	default:
		return EIO;
	}
}

static const char *remedy(int code, bool broken) {
	if (broken) {
		return "; it will be checked, and set aside if need be, at the next mount";
	}
	switch (code) {
	case ENOSPC:
	case EDQUOT:
		return "; free some space there";
	case EROFS:
	case EACCES:
		return "; make it writable, or name another `state:` in config.yml";
	case EBUSY:
		return "; another program holds it open for writing: end that one";
	default:
		return "";
	}
}

bool database_broken(int code) {
	return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

bool database_fail(sqlite3 *db, const char *path, struct fail *fail) {
	int code = errno_of(db);
	bool broken = db != NULL && database_broken(sqlite3_errcode(db));
	return fail_set(fail, code, "%s: %s%s", path, db != NULL ? sqlite3_errmsg(db) : "no memory",
			remedy(code, broken));
}

sqlite3 *database_connect(const char *path, bool *ret_broken, struct fail *fail) {
	sqlite3 *db = NULL;
	*ret_broken = false;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
	if (sqlite3_open_v2(path, &db, flags, NULL) == SQLITE_OK &&
			sqlite3_busy_timeout(db, OPEN_BUSY_MILLISECONDS) == SQLITE_OK &&
			sqlite3_exec(db,
					"PRAGMA journal_mode=WAL;"
					"PRAGMA synchronous=NORMAL;"
					"PRAGMA wal_autocheckpoint=0;"
					/* A WAL that once grew is cut when it starts again. */
					"PRAGMA journal_size_limit=4194304;"
					"PRAGMA foreign_keys=ON;"
					"PRAGMA trusted_schema=OFF;"
					"PRAGMA temp_store=MEMORY",
					NULL, NULL, NULL) == SQLITE_OK) {
		return db;
	}
	database_fail(db, path, fail);
	*ret_broken = db != NULL && database_broken(sqlite3_errcode(db));
	sqlite3_close(db);
	return NULL;
}

static bool get_number(sqlite3 *db, const char *sql, int64_t *ret) {
	sqlite3_stmt *statement = NULL;
	bool got = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		   sqlite3_step(statement) == SQLITE_ROW;
	if (got) {
		*ret = sqlite3_column_int64(statement, 0);
	}
	return sqlite3_finalize(statement) == SQLITE_OK && got;
}

static bool run_step(sqlite3 *db, const char *step, size_t version, struct fail *fail,
		const char *path) {
	char after[128];
	snprintf(after, sizeof(after), "PRAGMA application_id=%d; PRAGMA user_version=%zu; COMMIT",
			DATABASE_APPLICATION_ID, version);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
			sqlite3_exec(db, step, NULL, NULL, NULL) == SQLITE_OK &&
			sqlite3_exec(db, after, NULL, NULL, NULL) == SQLITE_OK) {
		return true;
	}
	database_fail(db, path, fail);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

bool database_migrate(sqlite3 *db, const char *path, const char *const *steps, size_t n,
		struct fail *fail) {
	int64_t application, version, tables;
	if (!get_number(db, "PRAGMA application_id", &application) ||
			!get_number(db, "PRAGMA user_version", &version) ||
			!get_number(db, "SELECT count(*) FROM sqlite_schema", &tables)) {
		return database_fail(db, path, fail);
	}
	if (application != DATABASE_APPLICATION_ID && (application != 0 || tables != 0)) {
		return fail_set(fail, EINVAL,
				"%s is not a database of conduitfs (application_id %" PRId64
				"): move it away, or name another `state:` in config.yml",
				path, application);
	}
	if (version < 0 || version > (int64_t)n) {
		return fail_set(fail, EINVAL,
				"%s has version %" PRId64
				", this conduitfs knows up to %zu: use the "
				"newer conduitfs, or name another `state:` in config.yml",
				path, version, n);
	}
	for (size_t i = (size_t)version; i < n; i++) {
		if (!run_step(db, steps[i], i + 1, fail, path)) {
			return false;
		}
	}
	return true;
}

bool database_sound(sqlite3 *db) {
	sqlite3_stmt *statement = NULL;
	bool sound = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) ==
				     SQLITE_OK &&
		     sqlite3_step(statement) == SQLITE_ROW;
	const char *says = sound ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	sound = says != NULL && strcmp(says, "ok") == 0;
	sqlite3_finalize(statement);
	return sound;
}

/* Connects, checks, migrates; `*ret_broken` when the file isn't a sound database. */
static sqlite3 *try_open(const char *path, bool check, bool *ret_broken, struct fail *fail) {
	sqlite3 *db = database_connect(path, ret_broken, fail);
	if (db == NULL) {
		return NULL;
	}
	if (check && !database_sound(db)) {
		*ret_broken = true;
		fail_set(fail, EIO, "%s is damaged", path);
	} else if (database_migrate(db, path, database_steps, database_n_steps, fail)) {
		sqlite3_busy_timeout(db, 0);
		return db;
	} else {
		*ret_broken = database_broken(sqlite3_errcode(db));
	}
	sqlite3_close(db);
	return NULL;
}

/* SQLite would make it readable for others. Done before the first connection: closing a second
 * descriptor of a database drops the locks that SQLite holds on it. */
static bool make_file(const char *path, struct fail *fail) {
	cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd >= 0 || fail_set(fail, errno, "%s: %s", path, strerror(errno));
}

/* Renames the broken database and its log out of the way; the caller frees its new path. */
static char *set_aside(const char *path, struct fail *fail) {
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	if (gmtime_r(&now, &tm) == NULL ||
			strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) == 0) {
		snprintf(when, sizeof(when), "%lld", (long long)now);
	}
	cleanup_buf struct buf aside = {0};
	cleanup_buf struct buf log = {0};
	cleanup_buf struct buf log_aside = {0};
	cleanup_buf struct buf index = {0};
	if (!buf_add_format(&aside, "%s.corrupt-%s", path, when) ||
			!buf_add_format(&log, "%s-wal", path) ||
			!buf_add_format(&log_aside, "%s-wal", aside.data) ||
			!buf_add_format(&index, "%s-shm", path)) {
		fail_set(fail, ENOMEM, "no memory to set %s aside", path);
		return NULL;
	}
	if (rename(path, aside.data) < 0) {
		fail_set(fail, errno, "%s is damaged and can't be renamed: %s", path,
				strerror(errno));
		return NULL;
	}
	rename(log.data, log_aside.data);
	unlink(index.data);
	return buf_take(&aside);
}

/* A new database in place of the one that was set aside, with what can still be read of that. */
static sqlite3 *begin_anew(
		const char *path, const char *aside, char **ret_notice, struct fail *fail) {
	bool broken;
	sqlite3 *db = make_file(path, fail) ? try_open(path, false, &broken, fail) : NULL;
	if (db == NULL) {
		return NULL;
	}
	size_t rows = database_salvage(db, aside);
	int directory = (int)(strrchr(path, '/') - path);
	if (asprintf(ret_notice,
			    "%s was damaged: it is kept as %s, and a new one was begun with what "
			    "could be read of it, %zu rows; models return with the next refresh, "
			    "prompts and answers are files in %.*s/turns all the same, what else "
			    "is missed is in the old one",
			    path, aside, rows, directory, path) < 0) {
		*ret_notice = NULL;
	}
	return db;
}

sqlite3 *database_open(const char *directory, bool check, char **ret_notice, struct fail *fail) {
	*ret_notice = NULL;
	cleanup_buf struct buf path = {0};
	if (!buf_add_format(&path, "%s/" DATABASE_NAME, directory)) {
		fail_set(fail, ENOMEM, "no memory for the path of %s", directory);
		return NULL;
	}
	if (!make_file(path.data, fail)) {
		return NULL;
	}
	bool broken;
	sqlite3 *db = try_open(path.data, check, &broken, fail);
	if (db == NULL && broken) {
		cleanup_free char *aside = set_aside(path.data, fail);
		db = aside != NULL ? begin_anew(path.data, aside, ret_notice, fail) : NULL;
	}
	return db;
}
