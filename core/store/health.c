/* Rows of health: see health.h. */
#include "core/store/health.h"

#include "core/base/text.h"
#include "core/store/private.h"

#include <string.h>

bool store_health_set(struct store *store, const struct health_row *row, struct fail *fail) {
	static const char sql[] =
			"INSERT OR REPLACE INTO health(id, success, failure, error_rate, latency, "
			"back_off, streak, code, words) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL || !store_batch(store, fail)) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, row->id);
	sqlite3_bind_int64(statement, 2, row->success);
	sqlite3_bind_int64(statement, 3, row->failure);
	sqlite3_bind_double(statement, 4, row->error_rate);
	sqlite3_bind_double(statement, 5, row->latency);
	sqlite3_bind_int64(statement, 6, row->back_off);
	sqlite3_bind_int(statement, 7, row->streak);
	sqlite3_bind_int(statement, 8, row->code);
	sqlite3_bind_text(statement, 9, row->words, -1, SQLITE_STATIC);
	if (!store_run(store, statement, fail)) {
		return false;
	}
	store_batch_row(store);
	return true;
}

bool store_health_each(
		struct store *store, store_health_visit *visit, void *data, struct fail *fail) {
	static const char sql[] = "SELECT id, success, failure, error_rate, latency, back_off, "
				  "streak, code, words FROM health";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	int step = -1;
	while (statement != NULL && (step = store_step(store, statement, fail)) > 0) {
		struct health_row row = {
				.id = sqlite3_column_int64(statement, 0),
				.success = sqlite3_column_int64(statement, 1),
				.failure = sqlite3_column_int64(statement, 2),
				.error_rate = sqlite3_column_double(statement, 3),
				.latency = sqlite3_column_double(statement, 4),
				.back_off = sqlite3_column_int64(statement, 5),
				.streak = sqlite3_column_int(statement, 6),
				.code = sqlite3_column_int(statement, 7),
		};
		const char *words = column_text(statement, 8);
		memcpy(row.words, words, utf8_cut(words, strlen(words), sizeof(row.words) - 1));
		visit(data, &row);
	}
	return step == 0;
}
