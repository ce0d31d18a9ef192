/* Prompts that were being written when the daemon died. A turn gets its row when it is submitted;
 * until then a link in its directory says which place it belongs to, so that a prompt whose close()
 * returned is never lost, however little time there was between the two. */
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its target is the place's id and the turn's number. */
#define CLAIM "unsubmitted"

static bool path_of(struct store *store, int64_t id, const char *name, char ret[PATH_MAX]) {
	if (!store_turn_path(store, id, false, ret, PATH_MAX, NULL)) {
		return false;
	}
	size_t length = strlen(ret);
	return snprintf(ret + length, PATH_MAX - length, "/%s", name) < (int)(PATH_MAX - length);
}

bool store_turn_claim(
		struct store *store, int64_t id, int64_t place, int64_t number, struct fail *fail) {
	char path[PATH_MAX], target[64];
	snprintf(target, sizeof(target), "%" PRId64 " %" PRId64, place, number);
	if (!path_of(store, id, CLAIM, path)) {
		return fail_set(fail, ENAMETOOLONG, "the path of turn %" PRId64 " is too long", id);
	}
	return symlink(target, path) == 0 || errno == EEXIST ||
	       fail_set(fail, errno, "%s: %s", path, strerror(errno));
}

void store_turn_claimed(struct store *store, int64_t id) {
	char path[PATH_MAX];
	if (path_of(store, id, CLAIM, path)) {
		unlink(path);
	}
}

/* ---- after a start ---- */

static int64_t settled_until(struct store *store) {
	static const char sql[] = "SELECT value FROM mark WHERE name='settled'";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	return statement != NULL && store_step(store, statement, NULL) > 0
			       ? sqlite3_column_int64(statement, 0)
			       : 0;
}

static void settle(struct store *store, int64_t until) {
	static const char sql[] = "INSERT OR REPLACE INTO mark(name, value) VALUES('settled', ?1)";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement != NULL) {
		sqlite3_bind_int64(statement, 1, until);
		store_run(store, statement, NULL);
	}
}

static bool read_claim(struct store *store, int64_t id, int64_t *ret_place, int64_t *ret_number) {
	char path[PATH_MAX], target[64];
	if (!path_of(store, id, CLAIM, path)) {
		return false;
	}
	ssize_t size = readlink(path, target, sizeof(target) - 1);
	target[size > 0 ? size : 0] = '\0';
	char *blank = strchr(target, ' ');
	if (blank == NULL) {
		return false;
	}
	*blank = '\0';
	return parse_int64(target, ret_place) && parse_int64(blank + 1, ret_number) &&
	       *ret_number > 0;
}

/* A session goes on from what was submitted last there. */
static void join_session(struct store *store, struct turn_row *row) {
	static const char sql[] = "SELECT turn.id, submitted FROM turn JOIN place "
				  "ON place.id=turn.place AND place.kind=3 WHERE turn.place=?1 "
				  "ORDER BY submitted DESC, number DESC LIMIT 1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return;
	}
	sqlite3_bind_int64(statement, 1, row->place);
	if (store_step(store, statement, NULL) > 0) {
		int64_t last = sqlite3_column_int64(statement, 1);
		row->previous = sqlite3_column_int64(statement, 0);
		row->submitted = row->submitted > last ? row->submitted : last + 1;
	}
}

/* The row that the turn would have got. */
static bool adopt(struct store *store, int64_t id, int64_t place, int64_t number,
		const struct stat *prompt) {
	static char nothing[] = "", unknown[] = "unknown";
	static char words[] = "conduitfs ended before this prompt was submitted; it was not sent: "
			      "echo retry > ctl";
	int64_t taken, newest = 0;
	int64_t when = (int64_t)prompt->st_mtim.tv_sec * 1000000 + prompt->st_mtim.tv_nsec / 1000;
	if (store_turn_find(store, place, number, &taken)) {
		store_turn_newest(store, place, &newest);
		number = newest + 1;
	}
	struct turn_row row = {
			.id = id,
			.place = place,
			.number = number,
			.state = TURN_INTERRUPTED,
			.submitted = when,
			.finished = when,
			.prompt_size = (uint64_t)prompt->st_size,
			.code = EIO,
			.words = words,
			.finish = nothing,
			.model = nothing,
			.provider = nothing,
			.prompt_tokens = -1,
			.completion_tokens = -1,
			.reasoning_tokens = -1,
			.cached_tokens = -1,
			.cost = 0,
			.cost_source = unknown,
	};
	cleanup_fail struct fail fail = {0};
	join_session(store, &row);
	if (!store_turn_insert(store, &row, &fail)) {
		log_error("the unsent prompt of turn %" PRId64 " can't be recorded: %s", id,
				fail_words(&fail));
		return false;
	}
	store_turn_claimed(store, id);
	return true;
}

/* Not so for a session that has ended since. */
static bool place_is_there(struct store *store, int64_t place) {
	static const char sql[] = "SELECT 1 FROM place WHERE id=?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return true;
	}
	sqlite3_bind_int64(statement, 1, place);
	return store_step(store, statement, NULL) != 0;
}

/* False when a prompt was found that couldn't be recorded. */
static bool look_at(struct store *store, int64_t id, size_t *adopted) {
	char path[PATH_MAX];
	int64_t place, number;
	struct stat prompt;
	struct turn_row row;
	if (!read_claim(store, id, &place, &number) || !path_of(store, id, "prompt", path)) {
		return true;
	}
	if (store_turn_get(store, id, &row, NULL)) {
		turn_row_finish(&row);
		store_turn_claimed(store, id);
		return true;
	}
	if (lstat(path, &prompt) != 0 || !S_ISREG(prompt.st_mode) || prompt.st_size == 0 ||
			!place_is_there(store, place)) {
		files_remove_turn(store->directory, id);
		return true;
	}
	bool recorded = adopt(store, id, place, number, &prompt);
	*adopted += recorded;
	return recorded;
}

struct search {
	struct store *store;
	int64_t after;
	size_t adopted;
	bool all;
};

static void on_turn(void *data, int64_t id) {
	struct search *search = data;
	if (id > search->after) {
		search->all &= look_at(search->store, id, &search->adopted);
	}
}

size_t store_turns_adopt(struct store *store) {
	if (store->off_record) {
		return 0;
	}
	struct search search = {.store = store, .after = settled_until(store), .all = true};
	files_each_turn(store->directory, search.after, on_turn, &search);
	if (search.all) {
		settle(store, store->turn_last_id);
	}
	return search.adopted;
}
