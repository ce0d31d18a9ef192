/* models.tsv: see models_table.h. */
#include "core/engine/models_table.h"

#include "core/base/text.h"
#include "core/engine/engine.h"

#include <inttypes.h>
#include <string.h>

/* Rows of one slice, about 3 ms; a catalogue with no more is made at once. */
#define ROWS_PER_SLICE 200
#define ROWS_AT_ONCE 2000

struct models_table {
	struct provider *provider;
	struct buf text, next;
	bool valid; /* `text` is of the catalogue as it is */
	bool making;
	int64_t at; /* the place that was added last */
	uv_idle_t idle;
};

bool add_decimal(struct buf *out, double value) {
	char text[400];
	int length = snprintf(text, sizeof(text), "%.15f", value);
	if (length < 0 || (size_t)length >= sizeof(text)) {
		return false;
	}
	while (text[length - 1] == '0') {
		text[--length] = '\0';
	}
	if (text[length - 1] == '.') {
		text[--length] = '\0';
	}
	return buf_add(out, text, (size_t)length);
}

/* A field has neither tab nor newline. */
static void add_field(struct buf *out, const char *text) {
	add_on_one_line(out, text);
	buf_add_byte(out, '\t');
}

static void add_count(struct buf *out, int64_t count) {
	if (count > 0) {
		buf_add_format(out, "%" PRId64, count);
	}
	buf_add_byte(out, '\t');
}

static void add_price(struct buf *out, const struct model_record *record, const char *name) {
	double usd;
	if (model_price(record, name, &usd)) {
		usd < 0 ? buf_add_string(out, "variable") : add_decimal(out, usd * 1e6);
	}
	buf_add_byte(out, '\t');
}

static void add_row(struct models_table *table, const struct place *place) {
	struct buf *out = &table->next;
	const struct model_record *record = catalogue_record(
			table->provider->engine->catalogue, place);
	if (record == NULL) {
		return;
	}
	add_field(out, record->id);
	add_field(out, record->free ? "yes" : "no");
	add_count(out, record->context_length);
	add_price(out, record, "prompt");
	add_price(out, record, "completion");
	add_field(out, record->input_modalities);
	add_field(out, record->output_modalities);
	add_count(out, record->created);
	add_on_one_line(out, record->name);
	buf_add_byte(out, '\n');
}

/* The place after `place` in a walk from the provider downwards; NULL at the end. */
static struct place *walk(const struct place *place, const struct place *top) {
	struct place *next = place_next(place, 0);
	while (next == NULL && place != top) {
		next = place_next(place->parent, place->id);
		place = place->parent;
	}
	return next;
}

static void begin(struct models_table *table) {
	buf_clear(&table->next);
	table->next.limit = (size_t)256 << 20;
	buf_add_string(&table->next, "id\tfree\tcontext_length\tprice_prompt\tprice_completion\t"
				     "input_modalities\toutput_modalities\tcreated\tname\n");
	table->at = table->provider->place->id;
	table->making = true;
}

/* Adds up to `most` rows; true when the table is whole. */
static bool go_on(struct models_table *table, size_t most) {
	const struct place *top = table->provider->place;
	const struct place *place = catalogue_place(table->provider->engine->catalogue, table->at);
	if (place == NULL) {
		/* Gone meanwhile: from the beginning. */
		begin(table);
		place = top;
	}
	for (size_t i = 0; i < most; i++) {
		place = walk(place, top);
		if (place == NULL) {
			struct buf old = table->text;
			table->text = table->next;
			table->next = old;
			table->valid = true;
			table->making = false;
			return true;
		}
		table->at = place->id;
		if (place->model) {
			add_row(table, place);
		}
	}
	return false;
}

static void on_idle(uv_idle_t *idle) {
	struct models_table *table = idle->data;
	if (go_on(table, ROWS_PER_SLICE)) {
		uv_idle_stop(idle);
	}
}

const struct buf *models_table_text(struct models_table *table) {
	if (table->valid || table->making) {
		return &table->text;
	}
	begin(table);
	if (table->provider->place->n_models > ROWS_AT_ONCE) {
		uv_idle_start(&table->idle, on_idle);
		return &table->text;
	}
	while (!go_on(table, ROWS_AT_ONCE)) {
	}
	return &table->text;
}

void models_table_changed(struct models_table *table) {
	table->valid = false;
	if (table->making) {
		begin(table);
	}
}

struct models_table *models_table_create(struct provider *provider) {
	struct models_table *table = calloc(1, sizeof(*table));
	if (table == NULL) {
		return NULL;
	}
	table->provider = provider;
	uv_idle_init(provider->engine->loop, &table->idle);
	table->idle.data = table;
	return table;
}

static void on_closed(uv_handle_t *handle) {
	free(handle->data);
}

void models_table_destroy(struct models_table *table) {
	if (table == NULL) {
		return;
	}
	buf_finish(&table->text);
	buf_finish(&table->next);
	uv_close((uv_handle_t *)&table->idle, on_closed);
}
