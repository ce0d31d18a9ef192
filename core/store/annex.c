/* Sessions, routes and groups: see annex.h. In the database their names bear a prefix with a slash,
 * which no component of a model id has, so that (parent, name) stays unique over all kinds. */
#include "core/store/annex.h"

#include "core/base/text.h"
#include "core/store/tree.h"

#include <errno.h>
#include <string.h>

struct annexes {
	struct place **places; /* ascending by id */
	size_t n, capacity;
};

static const char *prefix_of(enum place_kind kind) {
	return kind == PLACE_SESSION ? "sessions/"
	       : kind == PLACE_ROUTE ? "capabilities/"
				     : "groups/";
}

void annexes_free(struct place *place) {
	if (place->annexes != NULL) {
		free(place->annexes->places);
		free(place->annexes);
	}
}

/* ---- in memory ---- */

static size_t index_above(const struct annexes *annexes, int64_t after) {
	size_t low = 0, high = annexes->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (annexes->places[middle]->id > after) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

static bool reserve(struct place *parent) {
	if (parent->annexes == NULL) {
		parent->annexes = calloc(1, sizeof(*parent->annexes));
	}
	struct annexes *annexes = parent->annexes;
	if (annexes == NULL) {
		return false;
	}
	if (annexes->n == annexes->capacity) {
		size_t capacity = annexes->capacity * 2 + 4;
		struct place **places = reallocarray(
				annexes->places, capacity, sizeof(struct place *));
		if (places == NULL) {
			return false;
		}
		annexes->places = places;
		annexes->capacity = capacity;
	}
	return true;
}

/* Space was reserved. */
static void show(struct catalogue *catalogue, struct place *annex) {
	struct annexes *annexes = annex->parent->annexes;
	size_t at = index_above(annexes, annex->id);
	memmove(annexes->places + at + 1, annexes->places + at,
			(annexes->n - at) * sizeof(struct place *));
	annexes->places[at] = annex;
	annexes->n++;
	catalogue->n_sessions += annex->kind == PLACE_SESSION;
	annex->gone = false;
	tree_changed(catalogue, annex->parent);
}

static void hide(struct catalogue *catalogue, struct place *annex) {
	struct annexes *annexes = annex->parent->annexes;
	size_t at = index_above(annexes, annex->id) - 1;
	memmove(annexes->places + at, annexes->places + at + 1,
			(annexes->n - at - 1) * sizeof(struct place *));
	annexes->n--;
	catalogue->n_sessions -= annex->kind == PLACE_SESSION;
	annex->gone = true;
	tree_changed(catalogue, annex->parent);
}

/* A place that nothing is below needn't be kept for its name's sake. */
static void drop(struct catalogue *catalogue, struct place *annex) {
	if (annex->n_children == 0 && (annex->annexes == NULL || annex->annexes->n == 0)) {
		tree_forget(catalogue, annex);
	}
}

/* The struct of that name, under this id; the one that had the name before serves again. */
static struct place *take_name(struct catalogue *catalogue, int64_t id, struct place *parent,
		enum place_kind kind, const char *name) {
	struct place *place = tree_find(catalogue, parent, kind, name);
	if (!reserve(parent)) {
		return NULL;
	}
	if (place == NULL) {
		return tree_add(catalogue, id, parent, kind, name);
	}
	if (!tree_renumber(catalogue, place, id)) {
		return NULL;
	}
	place->user = NULL;
	return place;
}

struct place *annex_find(const struct place *parent, enum place_kind kind, const char *name) {
	const struct place *root = parent;
	while (root->parent != NULL) {
		root = root->parent;
	}
	struct place *place = tree_find((struct catalogue *)root, parent, kind, name);
	return place != NULL && !place->gone ? place : NULL;
}

struct place *annex_next(const struct place *parent, enum place_kind kind, int64_t after) {
	const struct annexes *annexes = parent->annexes;
	for (size_t i = annexes != NULL ? index_above(annexes, after) : 0;
			annexes != NULL && i < annexes->n; i++) {
		if (annexes->places[i]->kind == kind) {
			return annexes->places[i];
		}
	}
	return NULL;
}

size_t annex_count(const struct place *parent, enum place_kind kind) {
	size_t n = 0;
	for (size_t i = 0; parent->annexes != NULL && i < parent->annexes->n; i++) {
		n += parent->annexes->places[i]->kind == kind;
	}
	return n;
}

/* ---- changing ---- */

static bool check_name(const struct place *parent, enum place_kind kind, const char *name,
		struct fail *fail) {
	size_t size = strlen(name);
	bool plain = size > 0 && size <= PLACE_NAME_MOST && utf8_valid(name, size) &&
		     strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
	for (size_t i = 0; plain && i < size; i++) {
		plain = (unsigned char)name[i] >= 0x20 && name[i] != 0x7f && name[i] != '/';
	}
	if (!plain) {
		return fail_set(fail, EINVAL,
				"a name must be 1 to %d bytes of UTF-8 without '/' or control "
				"characters",
				PLACE_NAME_MOST);
	}
	return annex_find(parent, kind, name) == NULL ||
	       fail_set(fail, EEXIST, "%s%s is there already", prefix_of(kind), name);
}

static bool write_row(struct store *store, int64_t id, const struct place *parent,
		enum place_kind kind, const char *name, struct fail *fail) {
	static const char sql[] =
			"INSERT INTO place(id, parent, name, kind) VALUES(?1, ?2, ?3 || ?4, ?5) "
			"ON CONFLICT(id) DO UPDATE SET parent=?2, name=?3 || ?4";
	store_batch_commit(store);
	cleanup_statement sqlite3_stmt *statement = store_statement(store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int64(statement, 2, parent->id);
	sqlite3_bind_text(statement, 3, prefix_of(kind), -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, name, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 5, kind);
	return store_run(store, statement, fail);
}

struct place *annex_make(struct catalogue *catalogue, struct place *parent, enum place_kind kind,
		const char *name, struct fail *fail) {
	if (!check_name(parent, kind, name, fail)) {
		return NULL;
	}
	if (kind == PLACE_SESSION && catalogue->n_sessions >= SESSIONS_MOST) {
		fail_set(fail, ENOSPC, "there are %d sessions already; rm -r ends one",
				SESSIONS_MOST);
		return NULL;
	}
	int64_t id = ++catalogue->last_id;
	if (!write_row(catalogue->store, id, parent, kind, name, fail)) {
		return NULL;
	}
	struct place *place = take_name(catalogue, id, parent, kind, name);
	if (place == NULL) {
		fail_set(fail, ENOMEM, "no memory for %s%s", prefix_of(kind), name);
		return NULL;
	}
	place->created = 0;
	show(catalogue, place);
	tree_changed(catalogue, place);
	return place;
}

struct place *annex_rename(struct catalogue *catalogue, struct place *annex, struct place *parent,
		const char *name, struct fail *fail) {
	if (!check_name(parent, annex->kind, name, fail) ||
			!write_row(catalogue->store, annex->id, parent, annex->kind, name, fail)) {
		return NULL;
	}
	hide(catalogue, annex);
	struct place *place = take_name(catalogue, annex->id, parent, annex->kind, name);
	if (place != NULL && place != annex) {
		drop(catalogue, annex);
	}
	if (place == NULL) {
		/* Stored under its new name; until the next mount it keeps the old one. */
		show(catalogue, annex);
		fail_set(fail, ENOMEM, "no memory for %s%s", prefix_of(annex->kind), name);
		return NULL;
	}
	place->created = annex->created;
	place->user = annex->user;
	/* tree_add and tree_renumber gave the id to the new struct. */
	show(catalogue, place);
	return place;
}

bool annex_remove(struct catalogue *catalogue, struct place *annex, struct fail *fail) {
	static const char sql[] = "DELETE FROM place WHERE id=?1";
	store_batch_commit(catalogue->store);
	cleanup_statement sqlite3_stmt *statement = store_statement(catalogue->store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, annex->id);
	if (!store_run(catalogue->store, statement, fail)) {
		return false;
	}
	hide(catalogue, annex);
	drop(catalogue, annex);
	forgetting_go_on(catalogue->store->forgetting);
	return true;
}

/* ---- loading ---- */

static bool load_row(struct catalogue *catalogue, sqlite3_stmt *row, struct fail *fail) {
	int64_t id = sqlite3_column_int64(row, 0), parent_id = sqlite3_column_int64(row, 1);
	const char *name = column_text(row, 2);
	enum place_kind kind = (enum place_kind)sqlite3_column_int(row, 3);
	struct place *parent = parent_id == PLACE_ROOT_ID ? &catalogue->root
							  : idmap_get(&catalogue->by_id, parent_id);
	bool known = kind == PLACE_SESSION || kind == PLACE_ROUTE || kind == PLACE_GROUP;
	if (id <= PLACE_ROOT_ID || parent == NULL || !known ||
			!starts_with(name, prefix_of(kind)) ||
			idmap_get(&catalogue->by_id, id) != NULL ||
			!check_name(parent, kind, name + strlen(prefix_of(kind)), NULL)) {
		return true;
	}
	struct place *place = take_name(
			catalogue, id, parent, kind, name + strlen(prefix_of(kind)));
	if (place == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a catalogue of %zu places",
				catalogue->n_places);
	}
	show(catalogue, place);
	return true;
}

/* Routes and groups before sessions, which may be a route's; a session may have been made before
 * the model that it was moved to. */
bool load_annexes(struct catalogue *catalogue, struct place *parent, struct fail *fail) {
	static const char all[] = "SELECT id, parent, name, kind FROM place WHERE kind<>0 "
				  "ORDER BY kind DESC, id";
	static const char one[] = "SELECT id, parent, name, kind FROM place WHERE kind<>0 "
				  "AND parent=?1 ORDER BY id";
	struct store *store = catalogue->store;
	cleanup_statement sqlite3_stmt *statement = store_statement(
			store, parent != NULL ? one : all, fail);
	if (statement == NULL) {
		return false;
	}
	if (parent != NULL) {
		sqlite3_bind_int64(statement, 1, parent->id);
	}
	int step;
	while ((step = store_step(store, statement, fail)) > 0) {
		if (!load_row(catalogue, statement, fail)) {
			return false;
		}
	}
	return step == 0;
}
