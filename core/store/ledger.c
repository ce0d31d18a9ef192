/* The ledger: see ledger.h. */
#include "core/store/ledger.h"

#include "core/base/usd.h"
#include "core/store/private.h"

#include <errno.h>
#include <string.h>
#include <time.h>

int64_t ledger_day(int64_t us) {
	time_t seconds = (time_t)(us / 1000000);
	struct tm parts;
	if (localtime_r(&seconds, &parts) == NULL || parts.tm_year < 0 || parts.tm_year > 8099) {
		return 19700101;
	}
	return (parts.tm_year + 1900) * INT64_C(10000) + (parts.tm_mon + 1) * INT64_C(100) +
	       parts.tm_mday;
}

static void bind_text(sqlite3_stmt *statement, int i, const char *text) {
	sqlite3_bind_text(statement, i, text != NULL ? text : "", -1, SQLITE_STATIC);
}

/* The columns that a note and an entry share, as the first parameters. */
static void bind_terms(sqlite3_stmt *statement, const struct turn_row *row,
		const struct ledger_terms *terms) {
	sqlite3_bind_int64(statement, 1, row->id);
	sqlite3_bind_int64(statement, 2, row->place);
	bind_text(statement, 3, row->provider);
	bind_text(statement, 4, terms->model);
	sqlite3_bind_int64(statement, 5, terms->reserved);
}

/* ---- entries ---- */

bool ledger_reserve(struct store *store, const struct turn_row *row,
		const struct ledger_terms *terms, struct fail *fail) {
	static const char sql[] =
			"INSERT OR REPLACE INTO reservation(turn, place, provider, model, reserved)"
			" VALUES(?1, ?2, ?3, ?4, ?5)";
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	bind_terms(statement, row, terms);
	return store_run(store, statement, fail);
}

#define ENTER                                                                                      \
	"INSERT OR IGNORE INTO ledger(turn, place, provider, model, reserved, settles, finished, " \
	"day, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, source) "

static bool enter(struct store *store, const struct turn_row *row, const struct ledger_terms *terms,
		struct fail *fail) {
	static const char sql[] = ENTER "VALUES(?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10, ?11, "
					"?12, ?13)";
	const int64_t numbers[] = {row->finished, ledger_day(row->finished), row->prompt_tokens,
			row->completion_tokens, row->reasoning_tokens, row->cached_tokens,
			row->cost};
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	bind_terms(statement, row, terms);
	for (int i = 0; i < 7; i++) {
		sqlite3_bind_int64(statement, 6 + i, numbers[i]);
	}
	bind_text(statement, 13, row->cost_source);
	return store_run(store, statement, fail);
}

static bool drop_note(struct store *store, int64_t turn, struct fail *fail) {
	static const char sql[] = "DELETE FROM reservation WHERE turn=?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, turn);
	return store_run(store, statement, fail);
}

bool ledger_end(struct store *store, const struct turn_row *row, const struct ledger_terms *terms,
		struct fail *fail) {
	cleanup_fail struct fail why = {0};
	if (!store_begin(store, fail)) {
		return false;
	}
	/* A turn that was forgotten while it ran has no row any more. */
	bool updated = turns_update(store, row, &why) || why.code == ENOENT ||
		       fail_set(fail, why.code, "%s", fail_words(&why));
	bool done = updated && enter(store, row, terms, fail) && drop_note(store, row->id, fail);
	return store_end(store, done, fail);
}

/* 1 entered, 0 there is no end without a cost, -1 failed. */
static int enter_cost(struct store *store, int64_t turn, const struct ledger_cost *cost,
		struct fail *fail) {
	static const char sql[] = ENTER
			"SELECT turn, place, provider, model, reserved, 1, finished, day, "
			"CASE WHEN prompt_tokens<0 THEN ?3 ELSE -1 END, "
			"CASE WHEN completion_tokens<0 THEN ?4 ELSE -1 END, ?5, ?6, ?2, "
			"'reported' FROM ledger WHERE turn=?1 AND settles=0 AND cost<0";
	const int64_t numbers[] = {turn, cost->cost, cost->prompt_tokens, cost->completion_tokens,
			cost->reasoning_tokens, cost->cached_tokens};
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return -1;
	}
	for (int i = 0; i < 6; i++) {
		sqlite3_bind_int64(statement, i + 1, numbers[i]);
	}
	return store_run(store, statement, fail) ? sqlite3_changes(store->db) : -1;
}

static bool set_cost(struct store *store, int64_t turn, const struct ledger_cost *cost,
		struct fail *fail) {
	static const char sql[] = "UPDATE turn SET cost=?2, cost_source='reported', "
				  "prompt_tokens=?3, completion_tokens=?4, reasoning_tokens=?5, "
				  "cached_tokens=?6 WHERE id=?1";
	const int64_t numbers[] = {turn, cost->cost, cost->prompt_tokens, cost->completion_tokens,
			cost->reasoning_tokens, cost->cached_tokens};
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	for (int i = 0; i < 6; i++) {
		sqlite3_bind_int64(statement, i + 1, numbers[i]);
	}
	return store_run(store, statement, fail);
}

static bool is_settled(struct store *store, int64_t turn) {
	static const char sql[] = "SELECT 1 FROM ledger WHERE turn=?1 AND (settles=1 OR cost>=0)";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, turn);
	return store_step(store, statement, NULL) > 0;
}

bool ledger_settle(struct store *store, struct turn_row *row, const struct ledger_cost *cost,
		struct fail *fail) {
	if (is_settled(store, row->id)) {
		return true;
	}
	char *source = strdup("reported");
	if (source == NULL || !store_begin(store, fail)) {
		free(source);
		return source != NULL ? false : fail_set(fail, ENOMEM, "no memory");
	}
	int entered = enter_cost(store, row->id, cost, fail);
	if (entered == 0) {
		fail_set(fail, ENOENT, "the end of turn %lld isn't in the ledger yet",
				(long long)row->id);
	}
	if (!store_end(store, entered > 0 && set_cost(store, row->id, cost, fail), fail)) {
		free(source);
		return false;
	}
	row->cost = cost->cost;
	row->prompt_tokens = cost->prompt_tokens;
	row->completion_tokens = cost->completion_tokens;
	row->reasoning_tokens = cost->reasoning_tokens;
	row->cached_tokens = cost->cached_tokens;
	free(row->cost_source);
	row->cost_source = source;
	return true;
}

bool ledger_recover(struct store *store, int64_t now) {
	static const char noted[] = ENTER "SELECT turn, place, provider, model, reserved, 0, ?1, "
					  "?2, -1, -1, -1, -1, -1, 'unknown' FROM reservation "
					  "WHERE turn NOT IN (SELECT turn FROM main.job)";
	/* Who has a note is entered by now and passed over. */
	static const char unsent[] = ENTER
			"SELECT id, place, provider, model, 0, 0, ?1, ?2, -1, -1, -1, -1, 0, "
			"'computed' FROM turn WHERE state IN (1, 2, 3) "
			"AND id NOT IN (SELECT turn FROM main.job)";
	cleanup_statement sqlite3_stmt *first = store_statement(store, noted, NULL);
	cleanup_statement sqlite3_stmt *second = store_statement(store, unsent, NULL);
	sqlite3_stmt *const both[] = {first, second};
	bool done = first != NULL && second != NULL;
	for (int i = 0; done && i < 2; i++) {
		sqlite3_bind_int64(both[i], 1, now);
		sqlite3_bind_int64(both[i], 2, ledger_day(now));
		done = store_run(store, both[i], NULL);
	}
	return done;
}

int64_t ledger_last_turn(struct store *store) {
	static const char sql[] = "SELECT max(ifnull((SELECT max(turn) FROM ledger), 0), "
				  "ifnull((SELECT max(turn) FROM reservation), 0))";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	return statement != NULL && store_step(store, statement, NULL) > 0
			       ? sqlite3_column_int64(statement, 0)
			       : 0;
}

/* ---- sums ---- */

static void add_row(struct usage_sum *sum, sqlite3_stmt *row, int first) {
	int64_t *const members[] = {&sum->turns, &sum->prompt_tokens, &sum->completion_tokens,
			&sum->cost, &sum->unpriced, &sum->bound};
	for (int i = 0; i < 6; i++) {
		*members[i] = usd_sum(*members[i], sqlite3_column_int64(row, first + i));
	}
}

#define SUMS "turns, prompt_tokens, completion_tokens, cost, unpriced, bound"

bool ledger_sum(struct store *store, const char *provider, int64_t period, struct usage_sum *ret) {
	static const char sql[] = "SELECT " SUMS " FROM usage WHERE period=?1 "
				  "AND (?2 IS NULL OR provider=?2)";
	struct usage_sum sum = {0};
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, period);
	sqlite3_bind_text(statement, 2, provider, -1, SQLITE_STATIC);
	int step;
	while ((step = store_step(store, statement, NULL)) > 0) {
		add_row(&sum, statement, 0);
	}
	*ret = sum;
	return step == 0;
}

/* The days of a period, for the ledger itself. */
static void days_of(int64_t period, int64_t *from, int64_t *to) {
	bool month = period > 0 && period < 1000000;
	*from = month ? period * 100 : period;
	*to = month ? period * 100 + 99 : period != LEDGER_ALL ? period : INT64_MAX;
}

bool ledger_sum_place(struct store *store, int64_t place, int64_t period, struct usage_sum *ret) {
	static const char sql[] =
			"SELECT NOT settles, max(prompt_tokens, 0), max(completion_tokens, 0), "
			"max(cost, 0), CASE WHEN settles THEN -1 ELSE cost<0 END, "
			"CASE WHEN settles THEN -max(reserved, 0) WHEN cost<0 THEN max(reserved, "
			"0) "
			"ELSE 0 END FROM ledger WHERE place=?1 AND day BETWEEN ?2 AND ?3";
	struct usage_sum sum = {0};
	int64_t from, to, settled = 0, released = 0;
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	days_of(period, &from, &to);
	sqlite3_bind_int64(statement, 1, place);
	sqlite3_bind_int64(statement, 2, from);
	sqlite3_bind_int64(statement, 3, to);
	int step;
	while ((step = store_step(store, statement, NULL)) > 0) {
		add_row(&sum, statement, 0);
		settled = usd_sum(settled, -sqlite3_column_int64(statement, 4));
		released = usd_sum(released, -sqlite3_column_int64(statement, 5));
	}
	sum.unpriced -= settled;
	sum.bound -= released;
	*ret = sum;
	return step == 0;
}

static bool same_group(enum ledger_group group, const struct ledger_line *line, sqlite3_stmt *row) {
	switch (group) {
	case LEDGER_BY_PERIOD:
		return line->period == sqlite3_column_int64(row, 0);
	case LEDGER_BY_PROVIDER:
		return strcmp(line->provider, column_text(row, 1)) == 0;
	case LEDGER_BY_MODEL:
		break;
	}
	return false;
}

bool ledger_each(struct store *store, enum ledger_group group, const char *provider, int64_t from,
		int64_t to, ledger_visit *visit, void *data) {
	static const char sql[] = "SELECT period, provider, model, " SUMS " FROM usage "
				  "WHERE period BETWEEN ?1 AND ?2 AND (?3 IS NULL OR provider=?3) "
				  "ORDER BY period, provider, model";
	struct ledger_line line = {0};
	cleanup_free char *name = NULL;
	bool any = false;
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, from);
	sqlite3_bind_int64(statement, 2, to);
	sqlite3_bind_text(statement, 3, provider, -1, SQLITE_STATIC);
	int step;
	while ((step = store_step(store, statement, NULL)) > 0) {
		if (any && !same_group(group, &line, statement)) {
			visit(data, &line);
			any = false;
		}
		if (!any) {
			line = (struct ledger_line){.period = sqlite3_column_int64(statement, 0)};
			free(name);
			name = group == LEDGER_BY_PERIOD ? strdup("") : column_copy(statement, 1);
			line.provider = name != NULL ? name : "";
			line.model = "";
			any = true;
		}
		add_row(&line.sum, statement, 3);
		if (group == LEDGER_BY_MODEL) {
			line.model = column_text(statement, 2);
			visit(data, &line);
			any = false;
		}
	}
	if (any) {
		visit(data, &line);
	}
	return step == 0;
}
