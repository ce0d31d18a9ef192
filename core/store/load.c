/* The catalogue as the store last knew it, read into memory: a row that doesn't fit (its parent
 * isn't there, its name can't be a file's) is passed over, for the next refresh to put right. */
#include "core/base/text.h"
#include "core/store/tree.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Parents have lower ids than what is below them, so this order has them first. */
#define COLUMNS                                                                                    \
	"SELECT id, parent, name, model, free, chat, kept, created, able, price_prompt, "          \
	"price_completion, priced FROM place "
#define ORDER " ORDER BY id"

static bool can_be_name(const char *name, size_t size) {
	bool plain = size != 0 && size <= PLACE_NAME_MOST && strlen(name) == size &&
		     strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && utf8_valid(name, size);
	for (size_t i = 0; plain && i < size; i++) {
		plain = (unsigned char)name[i] >= 0x20 && name[i] != 0x7f && name[i] != '/';
	}
	return plain;
}

static float read_price(sqlite3_stmt *row, int column) {
	return sqlite3_column_type(row, column) == SQLITE_NULL
			       ? NAN
			       : (float)sqlite3_column_double(row, column);
}

static bool load_row(struct catalogue *catalogue, sqlite3_stmt *row, struct fail *fail) {
	int64_t id = sqlite3_column_int64(row, 0), parent_id = sqlite3_column_int64(row, 1);
	const char *name = (const char *)sqlite3_column_text(row, 2);
	struct place *parent = parent_id == PLACE_ROOT_ID ? &catalogue->root
							  : idmap_get(&catalogue->by_id, parent_id);
	enum place_kind kind = parent != NULL ? tree_kind_below(parent) : PLACE_COMPONENT;
	if (id <= PLACE_ROOT_ID || parent == NULL || parent_id >= id || name == NULL ||
			!can_be_name(name, (size_t)sqlite3_column_bytes(row, 2)) ||
			tree_find(catalogue, parent, kind, name) != NULL ||
			idmap_get(&catalogue->by_id, id) != NULL) {
		return true;
	}
	struct place *place = tree_add(catalogue, id, parent, kind, name);
	if (place == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a catalogue of %zu places",
				catalogue->n_places);
	}
	bool model = sqlite3_column_int(row, 3) != 0 && place->kind == PLACE_COMPONENT;
	place->chat = sqlite3_column_int(row, 5) != 0;
	place->kept = sqlite3_column_int(row, 6) != 0;
	place->unsure = sqlite3_column_int(row, 6) == 2;
	place->created = sqlite3_column_int64(row, 7);
	if (model) {
		place->price_prompt = read_price(row, 9);
		place->price_completion = read_price(row, 10);
		place->priced = sqlite3_column_int(row, 11) != 0;
		tree_set_model(place, true, sqlite3_column_int(row, 4) != 0,
				(uint32_t)sqlite3_column_int64(row, 8));
	}
	/* A component is listed by the first model below it. */
	if ((model || place->kind == PLACE_PROVIDER) && !tree_show(catalogue, place)) {
		return fail_set(fail, ENOMEM, "no memory for a catalogue of %zu places",
				catalogue->n_places);
	}
	return true;
}

bool load_places(struct catalogue *catalogue, const struct place *provider, struct fail *fail) {
	static const char all[] = COLUMNS "WHERE shown<>0 AND kind=0" ORDER;
	static const char below[] = "WITH RECURSIVE below(id) AS (VALUES(?1) UNION SELECT place.id "
				    "FROM place JOIN below ON place.parent=below.id "
				    "WHERE place.shown<>0 AND place.kind=0) " COLUMNS
				    "WHERE id IN below AND id<>?1" ORDER;
	struct store *store = catalogue->store;
	cleanup_statement sqlite3_stmt *statement = store_statement(
			store, provider != NULL ? below : all, fail);
	if (statement == NULL) {
		return false;
	}
	if (provider != NULL) {
		sqlite3_bind_int64(statement, 1, provider->id);
	}
	int step;
	while ((step = store_step(store, statement, fail)) > 0) {
		if (!load_row(catalogue, statement, fail)) {
			return false;
		}
	}
	return step == 0 && load_annexes(catalogue, NULL, fail);
}
