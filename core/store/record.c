/* What is known of a model, read when asked and kept for the next few questions. */
#include "core/base/text.h"
#include "core/store/tree.h"

#include <string.h>

static void finish_record(struct model_record *record) {
	free(record->id);
	free(record->name);
	free(record->description);
	free(record->input_modalities);
	free(record->output_modalities);
	free(record->parameters);
	free(record->prices);
	limits_finish(&record->limits);
	*record = (struct model_record){0};
}

static void drop(struct cached_record *cached) {
	finish_record(&cached->record);
	cached->place = 0;
	cached->used = 0;
}

void records_forget(struct catalogue *catalogue, int64_t place) {
	for (size_t i = 0; i < RECORDS_CACHED; i++) {
		if (catalogue->records[i].place == place) {
			drop(&catalogue->records[i]);
		}
	}
}

void records_finish(struct catalogue *catalogue) {
	for (size_t i = 0; i < RECORDS_CACHED; i++) {
		drop(&catalogue->records[i]);
	}
}

/* Lines of "0.5 prompt"; one that doesn't read as such is passed over. */
bool record_prices(const char *text, struct model_record *record) {
	record->prices = calloc(JOB_PRICES_MOST, sizeof(*record->prices));
	if (record->prices == NULL) {
		return false;
	}
	while (*text != '\0' && record->n_prices < JOB_PRICES_MOST) {
		size_t length = strcspn(text, "\n"), number = strcspn(text, " \n");
		struct model_price *price = &record->prices[record->n_prices];
		char digits[64];
		if (number < length && number < sizeof(digits) &&
				length - number - 1 < sizeof(price->name)) {
			memcpy(digits, text, number);
			digits[number] = '\0';
			memcpy(price->name, text + number + 1, length - number - 1);
			price->name[length - number - 1] = '\0';
			record->n_prices += parse_double(digits, &price->usd);
		}
		text += length + (text[length] == '\n');
	}
	return true;
}

static bool read_record(sqlite3_stmt *row, const struct place *place, struct model_record *ret) {
	const void *id = sqlite3_column_blob(row, 0);
	size_t id_size = (size_t)sqlite3_column_bytes(row, 0);
	*ret = (struct model_record){
			.id = strndup(id != NULL ? id : "", id_size),
			.name = column_copy(row, 1),
			.description = column_copy(row, 2),
			.created = sqlite3_column_int64(row, 3),
			.context_length = sqlite3_column_int64(row, 4),
			.max_output = sqlite3_column_int64(row, 5),
			.input_modalities = column_copy(row, 6),
			.output_modalities = column_copy(row, 7),
			.parameters = column_copy(row, 8),
			.free = place->free,
	};
	return record_prices(column_text(row, 9), ret) &&
	       limits_read(column_text(row, 10), &ret->limits) && ret->id != NULL &&
	       ret->name != NULL && ret->description != NULL && ret->input_modalities != NULL &&
	       ret->output_modalities != NULL && ret->parameters != NULL;
}

/* The cached one, or the slot that was used longest ago. */
static struct cached_record *find_slot(struct catalogue *catalogue, int64_t place) {
	struct cached_record *oldest = &catalogue->records[0];
	for (size_t i = 0; i < RECORDS_CACHED; i++) {
		struct cached_record *cached = &catalogue->records[i];
		if (cached->place == place) {
			return cached;
		}
		if (cached->used < oldest->used) {
			oldest = cached;
		}
	}
	return oldest;
}

const struct model_record *catalogue_record(
		struct catalogue *catalogue, const struct place *place) {
	static const char sql[] =
			"SELECT id, name, description, created, context_length, max_output, "
			"input_modalities, output_modalities, parameters, prices, "
			"ifnull((SELECT limits FROM model_limits WHERE place=?1), '') "
			"FROM record WHERE place=?1";
	if (!place->model) {
		return NULL;
	}
	struct cached_record *slot = find_slot(catalogue, place->id);
	if (slot->place != place->id) {
		cleanup_statement sqlite3_stmt *statement = store_statement(
				catalogue->store, sql, NULL);
		if (statement == NULL) {
			return NULL;
		}
		sqlite3_bind_int64(statement, 1, place->id);
		if (store_step(catalogue->store, statement, NULL) <= 0) {
			return NULL;
		}
		drop(slot);
		if (!read_record(statement, place, &slot->record)) {
			drop(slot);
			return NULL;
		}
		slot->place = place->id;
	}
	slot->used = ++catalogue->record_clock;
	return &slot->record;
}

bool catalogue_raw(struct catalogue *catalogue, const struct place *place, struct buf *out) {
	static const char sql[] = "SELECT raw FROM record WHERE place=?1";
	if (!place->model) {
		return false;
	}
	cleanup_statement sqlite3_stmt *statement = store_statement(catalogue->store, sql, NULL);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, place->id);
	if (store_step(catalogue->store, statement, NULL) <= 0) {
		return false;
	}
	const void *raw = sqlite3_column_blob(statement, 0);
	int size = sqlite3_column_bytes(statement, 0);
	return raw != NULL && size > 0 && buf_add(out, raw, (size_t)size);
}
