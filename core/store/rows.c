/* Places and records as rows of the store's open batch: see tree.h. */
#include "core/config/capability.h"
#include "core/store/tree.h"

#include <errno.h>
#include <string.h>

int64_t rows_find(struct store *store, int64_t parent, const char *name, struct fail *fail) {
	static const char sql[] = "SELECT id FROM place WHERE parent=?1 AND name=?2";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return -1;
	}
	sqlite3_bind_int64(statement, 1, parent);
	sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
	int step = store_step(store, statement, fail);
	return step > 0 ? sqlite3_column_int64(statement, 0) : step;
}

bool rows_component(struct store *store, const struct place *place, struct fail *fail) {
	static const char sql[] = "INSERT INTO place(id, parent, name) VALUES(?1, ?2, ?3) "
				  "ON CONFLICT(id) DO UPDATE SET shown=1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place->id);
	sqlite3_bind_int64(statement, 2, place->parent->id);
	sqlite3_bind_text(statement, 3, place->name, -1, SQLITE_STATIC);
	return store_run(store, statement, fail);
}

bool rows_hash(struct store *store, int64_t id, int64_t *ret) {
	static const char sql[] = "SELECT hash FROM place WHERE id=?1 AND model=1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, id);
	if (store_step(store, statement, NULL) <= 0) {
		return false;
	}
	*ret = sqlite3_column_int64(statement, 0);
	return true;
}

/* ---- a model's fields in one order: its fingerprint and its row ---- */

struct text {
	const char *bytes;
	size_t size;
};

static struct text text_of(const char *string) {
	return (struct text){string != NULL ? string : "", string != NULL ? strlen(string) : 0};
}

/* "0.5 prompt\n" for each, so that a name may hold anything but a newline. */
static bool write_prices(const struct job_model *model, struct buf *out) {
	for (size_t i = 0; i < model->n_prices; i++) {
		const struct job_price *price = &model->prices[i];
		if (!buf_add_format(out, "%.17g %.*s\n", price->usd < 0 ? -1.0 : price->usd,
				    (int)strnlen(price->name, sizeof(price->name) - 1),
				    price->name)) {
			return false;
		}
	}
	return true;
}

int64_t model_hash(const struct job_model *model) {
	const struct text texts[] = {
			{model->id, model->id_size},
			text_of(model->name),
			text_of(model->description),
			text_of(model->input_modalities),
			text_of(model->output_modalities),
			text_of(model->parameters),
			{model->raw, model->raw != NULL ? model->raw_size : 0},
			text_of(model->limits),
	};
	const int64_t numbers[] = {model->created, model->context_length, model->max_output};
	cleanup_buf struct buf prices = {0};
	/* Each hash is the next one's key: nothing has to be copied together. Fixed, since it is
	 * compared with what an earlier run stored. */
	struct siphash_key key = {0, 0};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		key.low = siphash(key, texts[i].bytes, texts[i].size);
	}
	key.low = siphash(key, numbers, sizeof(numbers));
	write_prices(model, &prices);
	return (int64_t)siphash(key, buf_string(&prices), prices.size);
}

static void bind_string(sqlite3_stmt *statement, int i, const char *string) {
	sqlite3_bind_text(statement, i, string != NULL ? string : "", -1, SQLITE_STATIC);
}

static bool write_record(struct store *store, int64_t place, const struct job_model *model,
		struct fail *fail) {
	static const char sql[] =
			"INSERT OR REPLACE INTO record(place, id, name, description, created, "
			"context_length, max_output, input_modalities, output_modalities, "
			"parameters, prices, raw) "
			"VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
	cleanup_buf struct buf prices = {0};
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	if (!write_prices(model, &prices)) {
		return fail_set(fail, ENOMEM, "no memory for the prices of a model");
	}
	sqlite3_bind_int64(statement, 1, place);
	sqlite3_bind_blob64(statement, 2, model->id, model->id_size, SQLITE_STATIC);
	bind_string(statement, 3, model->name);
	bind_string(statement, 4, model->description);
	sqlite3_bind_int64(statement, 5, model->created);
	sqlite3_bind_int64(statement, 6, model->context_length);
	sqlite3_bind_int64(statement, 7, model->max_output);
	bind_string(statement, 8, model->input_modalities);
	bind_string(statement, 9, model->output_modalities);
	bind_string(statement, 10, model->parameters);
	bind_string(statement, 11, buf_string(&prices));
	sqlite3_bind_blob64(statement, 12, model->raw != NULL ? model->raw : "",
			model->raw != NULL ? model->raw_size : 0, SQLITE_STATIC);
	return store_run(store, statement, fail);
}

/* Few models have any. */
static bool write_limits(struct store *store, int64_t place, const struct job_model *model,
		struct fail *fail) {
	static const char set[] =
			"INSERT OR REPLACE INTO model_limits(place, limits) VALUES(?1, ?2)";
	static const char drop[] = "DELETE FROM model_limits WHERE place=?1";
	bool any = model->limits != NULL && model->limits[0] != '\0';
	cleanup_statement sqlite3_stmt *statement = store_statement(store, any ? set : drop, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place);
	if (any) {
		sqlite3_bind_text(statement, 2, model->limits, -1, SQLITE_STATIC);
	}
	return store_run(store, statement, fail);
}

bool rows_model(struct store *store, const struct place *place, const struct job_model *model,
		int64_t hash, struct fail *fail) {
	static const char sql[] = "UPDATE place SET shown=1, model=1, free=?2, chat=?3, "
				  "created=?4, hash=?5, able=?6, price_prompt=?7, "
				  "price_completion=?8, priced=?9 WHERE id=?1";
	/* The record first: a place is never a model without one. */
	if (!write_record(store, place->id, model, fail) ||
			!write_limits(store, place->id, model, fail)) {
		return false;
	}
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place->id);
	sqlite3_bind_int(statement, 2, model_is_free(model));
	sqlite3_bind_int(statement, 3, model_is_chat(model));
	sqlite3_bind_int64(statement, 4, model->created);
	sqlite3_bind_int64(statement, 5, hash);
	sqlite3_bind_int64(statement, 6, model_able(model));
	/* SQLite takes NAN for NULL. */
	sqlite3_bind_double(statement, 7, model_token_price(model, "prompt"));
	sqlite3_bind_double(statement, 8, model_token_price(model, "completion"));
	sqlite3_bind_int(statement, 9, model_is_priced(model));
	return store_run(store, statement, fail);
}

bool rows_no_model(struct store *store, const struct place *place, bool shown, struct fail *fail) {
	static const char sql[] = "UPDATE place SET shown=?2, model=0, kept=0 WHERE id=?1";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place->id);
	sqlite3_bind_int(statement, 2, shown);
	return store_run(store, statement, fail);
}

/* ---- rows of older versions ---- */

/* As many as one transaction takes without a pause that is felt. */
#define COMPLETE_ROWS 200

/* What `model` and its row lack, from the columns of a record. */
static bool complete_row(struct store *store, int64_t id, sqlite3_stmt *row, struct fail *fail) {
	static const char sql[] = "UPDATE place SET able=?2, price_prompt=?3, price_completion=?4, "
				  "priced=?5 WHERE id=?1";
	cleanup_statement sqlite3_stmt *update = store_statement(store, sql, fail);
	struct model_record record = {0};
	double price;
	if (update == NULL) {
		return false;
	}
	if (!record_prices(column_text(row, 3), &record)) {
		return fail_set(fail, ENOMEM, "no memory for the prices of a model");
	}
	sqlite3_bind_int64(update, 1, id);
	sqlite3_bind_int64(update, 2, capabilities_of(column_text(row, 1), column_text(row, 2)));
	if (model_price(&record, "prompt", &price)) {
		sqlite3_bind_double(update, 3, price);
	}
	if (model_price(&record, "completion", &price)) {
		sqlite3_bind_double(update, 4, price);
	}
	sqlite3_bind_int(update, 5, record_is_priced(&record));
	free(record.prices);
	return store_run(store, update, fail);
}

/* The ids of the next that are to be completed, ascending; how many, or -1. */
static int incomplete_rows(struct store *store, int64_t *ids, struct fail *fail) {
	static const char sql[] = "SELECT id FROM place WHERE model=1 AND able IS NULL LIMIT 200";
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	int n = 0, step = -1;
	while (statement != NULL && n < COMPLETE_ROWS &&
			(step = store_step(store, statement, fail)) > 0) {
		ids[n++] = sqlite3_column_int64(statement, 0);
	}
	return step < 0 ? -1 : n;
}

bool rows_complete(struct store *store, struct fail *fail) {
	static const char sql[] = "SELECT place, input_modalities, output_modalities, prices "
				  "FROM record WHERE place=?1";
	int64_t ids[COMPLETE_ROWS];
	int n;
	while ((n = incomplete_rows(store, ids, fail)) > 0) {
		if (!store_batch(store, fail)) {
			return false;
		}
		for (int i = 0; i < n; i++) {
			cleanup_statement sqlite3_stmt *record = store_statement(store, sql, fail);
			if (record == NULL) {
				return false;
			}
			sqlite3_bind_int64(record, 1, ids[i]);
			/* Without a record nothing is stated. */
			if (store_step(store, record, fail) < 0 ||
					!complete_row(store, ids[i], record, fail)) {
				return false;
			}
		}
		store_batch_commit(store);
	}
	return n == 0;
}
