/* The index of turns: see store.h. */
#include "core/store/private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

void turn_row_finish(struct turn_row *row) {
	free(row->words);
	free(row->finish);
	free(row->model);
	free(row->provider);
	free(row->cost_source);
	free(row->answer_key);
	*row = (struct turn_row){0};
}

int64_t store_turn_last_id(struct store *store) {
	return store->turn_last_id;
}

static void bind_text(sqlite3_stmt *statement, int i, const char *text) {
	sqlite3_bind_text(statement, i, text != NULL ? text : "", -1, SQLITE_STATIC);
}

static void bind_row(sqlite3_stmt *s, const struct turn_row *row) {
	const int64_t numbers[] = {
			row->id,
			row->place,
			row->number,
			row->previous,
			row->state == TURN_WAITING ? TURN_RUNNING : row->state,
			row->submitted,
			row->started,
			row->first_byte,
			row->finished,
			/* A size above what a file can have is none. */
			(int64_t)(row->prompt_size & INT64_MAX),
			(int64_t)(row->output_size & INT64_MAX),
			row->code,
			row->http_status,
			row->prompt_tokens,
			row->completion_tokens,
			row->reasoning_tokens,
			row->cached_tokens,
			row->cost,
			row->overhead_us,
			row->imported,
			row->origin,
			row->cached_from,
			row->bytes,
	};
	const int n = (int)(sizeof(numbers) / sizeof(numbers[0]));
	for (int i = 0; i < n; i++) {
		sqlite3_bind_int64(s, i + 1, numbers[i]);
	}
	bind_text(s, n + 1, row->words);
	bind_text(s, n + 2, row->finish);
	bind_text(s, n + 3, row->model);
	bind_text(s, n + 4, row->provider);
	bind_text(s, n + 5, row->cost_source);
	bind_text(s, n + 6, row->answer_key);
}

/* The columns in the order of bind_row and read_row. */
#define COLUMNS                                                                                    \
	"id, place, number, previous, state, submitted, started, first_byte, finished, "           \
	"prompt_size, output_size, code, http_status, prompt_tokens, completion_tokens, "          \
	"reasoning_tokens, cached_tokens, cost, overhead_us, imported, origin, cached_from, "      \
	"bytes, "                                                                                  \
	"words, finish, model, provider, cost_source, answer_key"
#define MARKS                                                                                      \
	"?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, "   \
	"?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29"

static bool write_row(struct store *store, const char *sql, const struct turn_row *row,
		struct fail *fail) {
	if (row->id <= 0 || row->state == TURN_OPEN) {
		return fail_set(fail, EINVAL,
				"turn %" PRId64 " isn't submitted, so it isn't stored", row->id);
	}
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	bind_row(statement, row);
	return store_run(store, statement, fail);
}

bool store_turn_insert(struct store *store, const struct turn_row *row, struct fail *fail) {
	static const char sql[] = "INSERT INTO turn(" COLUMNS ") VALUES(" MARKS ")";
	store_batch_commit(store);
	if (!write_row(store, sql, row, fail)) {
		return false;
	}
	if (row->id > store->turn_last_id) {
		store->turn_last_id = row->id;
	}
	return true;
}

bool turns_update(struct store *store, const struct turn_row *row, struct fail *fail) {
	static const char sql[] = "UPDATE turn SET(" COLUMNS ")=(" MARKS ") WHERE id=?1";
	if (!write_row(store, sql, row, fail)) {
		return false;
	}
	return sqlite3_changes(store->db) == 1 ||
	       fail_set(fail, ENOENT, "turn %" PRId64 " isn't stored", row->id);
}

bool store_turn_update(struct store *store, const struct turn_row *row, struct fail *fail) {
	store_batch_commit(store);
	return turns_update(store, row, fail);
}

/* A state that no enum value has (a damaged row) reads as interrupted. */
static enum turn_state state_of(int64_t number) {
	return number >= TURN_QUEUED && number <= TURN_INTERRUPTED ? (enum turn_state)number
								   : TURN_INTERRUPTED;
}

static bool read_row(sqlite3_stmt *s, struct turn_row *ret) {
	*ret = (struct turn_row){
			.id = sqlite3_column_int64(s, 0),
			.place = sqlite3_column_int64(s, 1),
			.number = sqlite3_column_int64(s, 2),
			.previous = sqlite3_column_int64(s, 3),
			.state = state_of(sqlite3_column_int64(s, 4)),
			.submitted = sqlite3_column_int64(s, 5),
			.started = sqlite3_column_int64(s, 6),
			.first_byte = sqlite3_column_int64(s, 7),
			.finished = sqlite3_column_int64(s, 8),
			.prompt_size = (uint64_t)sqlite3_column_int64(s, 9) & INT64_MAX,
			.output_size = (uint64_t)sqlite3_column_int64(s, 10) & INT64_MAX,
			.code = sqlite3_column_int(s, 11),
			.http_status = sqlite3_column_int(s, 12),
			.prompt_tokens = sqlite3_column_int64(s, 13),
			.completion_tokens = sqlite3_column_int64(s, 14),
			.reasoning_tokens = sqlite3_column_int64(s, 15),
			.cached_tokens = sqlite3_column_int64(s, 16),
			.cost = sqlite3_column_int64(s, 17),
			.overhead_us = sqlite3_column_int64(s, 18),
			.imported = sqlite3_column_int(s, 19) != 0,
			.origin = sqlite3_column_int64(s, 20),
			.cached_from = sqlite3_column_int64(s, 21),
			.bytes = sqlite3_column_int64(s, 22),
			.words = column_copy(s, 23),
			.finish = column_copy(s, 24),
			.model = column_copy(s, 25),
			.provider = column_copy(s, 26),
			.cost_source = column_copy(s, 27),
			.answer_key = column_copy(s, 28),
	};
	return ret->words != NULL && ret->finish != NULL && ret->model != NULL &&
	       ret->provider != NULL && ret->cost_source != NULL && ret->answer_key != NULL;
}

bool store_turn_get(struct store *store, int64_t id, struct turn_row *ret, struct fail *fail) {
	static const char sql[] = "SELECT " COLUMNS " FROM turn WHERE id=?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, id);
	int step = store_step(store, statement, fail);
	if (step == 0) {
		return fail_set(fail, ENOENT, "there is no turn %" PRId64, id);
	}
	if (step < 0) {
		return false;
	}
	struct turn_row row;
	if (!read_row(statement, &row)) {
		turn_row_finish(&row);
		return fail_set(fail, ENOMEM, "no memory to read turn %" PRId64, id);
	}
	*ret = row;
	return true;
}

bool store_turn_find(struct store *store, int64_t place, int64_t number, int64_t *ret_id) {
	static const char sql[] = "SELECT id FROM turn WHERE place=?1 AND number=?2";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place);
	sqlite3_bind_int64(statement, 2, number);
	if (store_step(store, statement, NULL) <= 0) {
		return false;
	}
	*ret_id = sqlite3_column_int64(statement, 0);
	return true;
}

int64_t store_turn_newest(struct store *store, int64_t place, int64_t *ret_number) {
	static const char sql[] =
			"SELECT id, number FROM turn WHERE place=?1 ORDER BY number DESC LIMIT 1";
	static const char last[] = "SELECT last FROM numbering WHERE place=?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	cleanup_statement sqlite3_stmt *numbering = store_statement(store, last, NULL);
	bool there = false;
	if (ret_number != NULL) {
		*ret_number = 0;
	}
	if (statement == NULL || numbering == NULL) {
		return 0;
	}
	sqlite3_bind_int64(statement, 1, place);
	sqlite3_bind_int64(numbering, 1, place);
	there = store_step(store, statement, NULL) > 0;
	if (ret_number != NULL) {
		int64_t stored = there ? sqlite3_column_int64(statement, 1) : 0;
		int64_t gone = store_step(store, numbering, NULL) > 0
					       ? sqlite3_column_int64(numbering, 0)
					       : 0;
		*ret_number = stored > gone ? stored : gone;
	}
	return there ? sqlite3_column_int64(statement, 0) : 0;
}

int64_t store_turn_last(struct store *store, int64_t place) {
	static const char sql[] = "SELECT id FROM turn WHERE place=?1 "
				  "ORDER BY submitted DESC, number DESC LIMIT 1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return 0;
	}
	sqlite3_bind_int64(statement, 1, place);
	return store_step(store, statement, NULL) > 0 ? sqlite3_column_int64(statement, 0) : 0;
}

size_t store_turns_after(struct store *store, int64_t place, int64_t after, int64_t *ids,
		int64_t *numbers, size_t most) {
	static const char sql[] = "SELECT id, number FROM turn WHERE place=?1 AND number>?2 "
				  "ORDER BY number LIMIT ?3";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return 0;
	}
	sqlite3_bind_int64(statement, 1, place);
	sqlite3_bind_int64(statement, 2, after);
	sqlite3_bind_int64(statement, 3, most > INT64_MAX ? INT64_MAX : (int64_t)most);
	size_t n = 0;
	while (n < most && store_step(store, statement, NULL) > 0) {
		ids[n] = sqlite3_column_int64(statement, 0);
		numbers[n++] = sqlite3_column_int64(statement, 1);
	}
	return n;
}

/* Of the turns that were under way. */
static void remove_work(struct store *store) {
	static const char sql[] = "SELECT id FROM turn WHERE state IN (1, 2, 3)";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	while (statement != NULL && store_step(store, statement, NULL) > 0) {
		files_remove_work(store->files, sqlite3_column_int64(statement, 0));
	}
}

size_t store_turns_interrupt(struct store *store) {
	/* The states are written out, for SQLite to see that the partial index serves. */
	static const char sql[] = "UPDATE turn SET state=?1, finished=?2, code=?3, words=?4, "
				  "cost=CASE WHEN EXISTS(SELECT 1 FROM ledger WHERE "
				  "ledger.turn=turn.id AND ledger.cost<0) "
				  "THEN -1 ELSE 0 END, "
				  "cost_source=CASE WHEN EXISTS(SELECT 1 FROM ledger WHERE "
				  "ledger.turn=turn.id AND ledger.cost<0) "
				  "THEN 'unknown' ELSE 'computed' END "
				  "WHERE state IN (1, 2, 3) "
				  "AND id NOT IN (SELECT turn FROM main.job)";
	static const char forget[] = "DELETE FROM reservation "
				     "WHERE turn NOT IN (SELECT turn FROM main.job)";
	_Static_assert(TURN_QUEUED == 1 && TURN_WAITING == 2 && TURN_RUNNING == 3,
			"the numbers of the states are part of the database");
	remove_work(store);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	cleanup_statement sqlite3_stmt *forgetting = store_statement(store, forget, NULL);
	if (statement == NULL || forgetting == NULL || !store_begin(store, NULL)) {
		return 0;
	}
	sqlite3_bind_int64(statement, 1, TURN_INTERRUPTED);
	sqlite3_bind_int64(statement, 2, us);
	sqlite3_bind_int(statement, 3, EIO);
	sqlite3_bind_text(statement, 4,
			"conduitfs ended while this turn was under way: its service may have "
			"done it and may bill it; it is not sent again by itself: echo retry > ctl",
			-1, SQLITE_STATIC);
	bool done = ledger_recover(store, us) && store_run(store, statement, NULL);
	size_t interrupted = (size_t)sqlite3_changes(store->db);
	done = done && store_run(store, forgetting, NULL);
	return store_end(store, done, NULL) ? interrupted : 0;
}
