/* Turns whose jobs go on elsewhere, so that a later start picks them up: see store.h. */
#include "core/store/private.h"

#include <string.h>

static bool set_token(struct store *store, int64_t turn, int64_t model, const char *token,
		struct fail *fail) {
	static const char set[] = "INSERT OR REPLACE INTO job(turn, model, token) "
				  "VALUES(?1, ?2, ?3)";
	static const char drop[] = "DELETE FROM job WHERE turn=?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(
			store, token != NULL ? set : drop, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, turn);
	if (token != NULL) {
		sqlite3_bind_int64(statement, 2, model);
		sqlite3_bind_text(statement, 3, token, -1, SQLITE_STATIC);
	}
	return store_run(store, statement, fail);
}

bool store_job_keep(struct store *store, const struct turn_row *row, int64_t model,
		const char *token, struct fail *fail) {
	if (!store_begin(store, fail)) {
		return false;
	}
	bool done = turns_update(store, row, fail) && set_token(store, row->id, model, token, fail);
	return store_end(store, done, fail);
}

size_t store_jobs(struct store *store, struct store_job *jobs, size_t most) {
	static const char sql[] =
			"SELECT job.turn, job.model, job.token, ifnull(reservation.model, ''), "
			"ifnull(reservation.reserved, 0) FROM job "
			"JOIN turn ON turn.id=job.turn "
			"LEFT JOIN reservation ON reservation.turn=job.turn "
			"WHERE turn.state IN (1, 2, 3) ORDER BY job.turn LIMIT ?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	size_t n = 0;
	if (statement == NULL) {
		return 0;
	}
	sqlite3_bind_int64(statement, 1, (int64_t)most);
	while (n < most && store_step(store, statement, NULL) > 0) {
		struct store_job *job = &jobs[n];
		*job = (struct store_job){.turn = sqlite3_column_int64(statement, 0),
				.model = sqlite3_column_int64(statement, 1),
				.token = column_copy(statement, 2),
				.path = column_copy(statement, 3),
				.reserved = sqlite3_column_int64(statement, 4)};
		if (job->token != NULL && job->path != NULL) {
			n++;
		} else {
			store_job_finish(job);
		}
	}
	return n;
}

void store_job_finish(struct store_job *job) {
	free(job->token);
	free(job->path);
	*job = (struct store_job){0};
}
