/* `history: off`: nothing that was said outlives the mount. What is known of turns lies in
 * temporary tables in memory, which stand before the database's own, and their files in a private
 * directory that goes with the mount, or at the next start after a crash. Sessions that were made
 * go as well, and their settings never come into the database. Catalogue, other settings, links and
 * the ledger stay: nothing of what was said is in them. */
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* Names the private directory of the mount that runs, or that died. */
#define NOTE "private"
#define PREFIX "conduitfs-"
/* What is deleted from the database is overwritten there. */
#define OVERWRITING "PRAGMA secure_delete="

/* ---- the private directory ---- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw) {
	(void)status, (void)type, (void)ftw;
	remove(path);
	return 0;
}

/* Only what can be a directory of ours: somebody may have written the note. */
static void remove_private(const char *path) {
	struct stat status;
	const char *name = strrchr(path, '/');
	if (path[0] == '/' && starts_with(name + 1, PREFIX) && lstat(path, &status) == 0 &&
			S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
			(status.st_mode & 077) == 0) {
		nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	}
}

static bool note_path(const struct store *store, char ret[PATH_MAX]) {
	int length = snprintf(ret, PATH_MAX, "%s/" NOTE, store->directory);
	return length > 0 && length < PATH_MAX;
}

/* A symbolic link is written whole or not at all. */
static bool write_note(const struct store *store, struct fail *fail) {
	char path[PATH_MAX];
	return (note_path(store, path) && symlink(store->files, path) == 0) ||
	       fail_set(fail, errno, "%s/" NOTE ": %s", store->directory, strerror(errno));
}

static void clean_directory(const struct store *store) {
	char path[PATH_MAX], target[PATH_MAX];
	if (!note_path(store, path)) {
		return;
	}
	ssize_t size = readlink(path, target, sizeof(target) - 1);
	if (size > 0) {
		target[size] = '\0';
		remove_private(target);
		unlink(path);
	}
}

static bool make_private(struct store *store, struct fail *fail) {
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *temporary = getenv("TMPDIR");
	const char *const tops[] = {runtime, temporary, "/tmp"};
	for (size_t i = 0; i < 3; i++) {
		char path[PATH_MAX];
		bool fits = tops[i] != NULL && tops[i][0] == '/' &&
			    snprintf(path, sizeof(path), "%s/" PREFIX "XXXXXX", tops[i]) <
					    (int)sizeof(path);
		if (fits && mkdtemp(path) != NULL) {
			free(store->files);
			store->files = strdup(path);
			return store->files != NULL || fail_set(fail, ENOMEM, "no memory");
		}
	}
	return fail_set(fail, errno,
			"history: off: there is no place for a private directory, neither in "
			"$XDG_RUNTIME_DIR nor in $TMPDIR nor in /tmp: %s",
			strerror(errno));
}

/* ---- sessions ---- */

/* Those with an id above that of the mark, which goes with them. */
static bool clean_sessions(struct store *store, struct fail *fail) {
	static const char sql[] = "DELETE FROM place WHERE kind=3 AND "
				  "id>(SELECT value FROM mark WHERE name='private_from')";
	static const char unmark[] = "DELETE FROM mark WHERE name='private_from'";
	cleanup_statement sqlite3_stmt *cleaning = store_statement(store, sql, fail);
	cleanup_statement sqlite3_stmt *unmarking = store_statement(store, unmark, fail);
	return cleaning != NULL && unmarking != NULL && store_begin(store, fail) &&
	       store_end(store,
			       store_run(store, cleaning, fail) &&
					       store_run(store, unmarking, fail),
			       fail);
}

static bool mark_sessions(struct store *store, struct fail *fail) {
	static const char sql[] =
			"INSERT OR REPLACE INTO mark(name, value) "
			"SELECT 'private_from', max(ifnull(max(id), 0), ifnull((SELECT seq "
			"FROM sqlite_sequence WHERE name='place'), 0)) FROM place";
	static const char get[] = "SELECT value FROM mark WHERE name='private_from'";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	cleanup_statement sqlite3_stmt *getting = store_statement(store, get, fail);
	if (statement == NULL || getting == NULL || !store_run(store, statement, fail) ||
			store_step(store, getting, fail) <= 0) {
		return false;
	}
	store->private_from = sqlite3_column_int64(getting, 0);
	return true;
}

/* ---- temporary tables ---- */

static bool execute(struct store *store, const char *sql, struct fail *fail) {
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       store_failed(store, fail);
}

/* "CREATE TABLE turn(…" as "CREATE TEMP TABLE turn(…", and alike what belongs to it. */
static bool shadow(struct store *store, const char *type, const char *sql, struct fail *fail) {
	cleanup_buf struct buf text = {0};
	const char *rest = strchr(sql + strlen("CREATE "), ' ');
	if (rest == NULL) {
		return true;
	}
	if (strcmp(type, "index") == 0) {
		buf_add_format(&text, "CREATE INDEX temp.%s", rest + 1);
	} else if (strcmp(type, "table") == 0) {
		buf_add_format(&text, "CREATE TEMP TABLE %s", rest + 1);
	} else {
		/* The trigger's own table is named behind ON. */
		const char *on = strstr(rest, " ON turn");
		if (on == NULL) {
			return true;
		}
		buf_add_format(&text, "CREATE TEMP TRIGGER%.*s ON temp.turn%s", (int)(on - rest),
				rest, on + strlen(" ON turn"));
	}
	return !text.failed ? execute(store, buf_string(&text), fail)
			    : fail_set(fail, ENOMEM, "no memory");
}

/* The tables first, then their indexes and triggers. */
static bool shadow_all(struct store *store, struct fail *fail) {
	static const char sql[] =
			"SELECT type, sql FROM main.sqlite_schema WHERE sql IS NOT NULL AND "
			"tbl_name IN ('turn', 'forgotten', 'kept', 'numbering', 'health', "
			"'attachment', 'job') "
			"ORDER BY type<>'table', rowid";
	cleanup_buf struct buf all = {0};
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
		return store_failed(store, fail);
	}
	/* Read to the end first: what is made meanwhile changes the schema. */
	while (sqlite3_step(statement) == SQLITE_ROW) {
		for (int i = 0; i < 2; i++) {
			const char *text = (const char *)sqlite3_column_text(statement, i);
			buf_add(&all, text, strlen(text) + 1);
		}
	}
	sqlite3_finalize(statement);
	bool made = !all.failed || fail_set(fail, ENOMEM, "no memory");
	for (size_t at = 0; made && at < all.size;) {
		const char *type = all.data + at, *text = type + strlen(type) + 1;
		made = shadow(store, type, text, fail);
		at += strlen(type) + strlen(text) + 2;
	}
	return made && execute(store, "INSERT INTO temp.kept(id, bytes) VALUES(1, 0)", fail);
}

/* ---- */

bool off_record_clean(struct store *store, struct fail *fail) {
	clean_directory(store);
	return execute(store, OVERWRITING "ON", fail) && clean_sessions(store, fail) &&
	       execute(store, OVERWRITING "OFF", fail);
}

bool off_record_begin(struct store *store, struct fail *fail) {
	store->off_record = true;
	return make_private(store, fail) && write_note(store, fail) &&
	       execute(store, OVERWRITING "ON", fail) && mark_sessions(store, fail) &&
	       shadow_all(store, fail);
}

void off_record_end(struct store *store) {
	cleanup_fail struct fail fail = {0};
	clean_directory(store);
	if (store->db != NULL && !clean_sessions(store, &fail)) {
		log_error("sessions of this mount stay until the next: %s", fail_words(&fail));
	}
}
