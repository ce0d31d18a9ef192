/* The catalogue as a whole: opening it, its providers, and what is told of them. */
#include "core/store/catalogue.h"

#include "core/base/text.h"
#include "core/store/delay.h"
#include "core/store/tree.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static void notify_due(void *data) {
	tree_notify(data);
}

/* The root's row, and the number to count on from. */
static bool prepare_rows(struct catalogue *catalogue, struct fail *fail) {
	static const char root[] =
			"INSERT OR IGNORE INTO place(id, parent, name) VALUES(1, NULL, '')";
	static const char last[] =
			"SELECT max(ifnull((SELECT max(id) FROM place), 0), "
			"ifnull((SELECT seq FROM sqlite_sequence WHERE name='place'), 0))";
	struct store *store = catalogue->store;
	cleanup_statement sqlite3_stmt *insert = store_statement(store, root, fail);
	cleanup_statement sqlite3_stmt *select = store_statement(store, last, fail);
	if (insert == NULL || select == NULL || !store_run(store, insert, fail) ||
			store_step(store, select, fail) < 0) {
		return false;
	}
	catalogue->last_id = sqlite3_column_int64(select, 0);
	return true;
}

struct catalogue *catalogue_open(struct store *store, struct fail *fail) {
	struct catalogue *catalogue = calloc(1, sizeof(*catalogue));
	if (catalogue == NULL) {
		fail_set(fail, ENOMEM, "no memory for the catalogue");
		return NULL;
	}
	static char no_name[] = "";
	catalogue->root = (struct place){
			.id = PLACE_ROOT_ID,
			.kind = PLACE_ROOT,
			.name = no_name,
			.changed = (int64_t)time(NULL) * 1000000,
	};
	catalogue->store = store;
	catalogue->key = siphash_random_key();
	list_init(&catalogue->refreshes);
	catalogue->notify = delay_create(store->loop, notify_due, catalogue, true);
	if (catalogue->notify == NULL) {
		fail_set(fail, ENOMEM, "no memory for the catalogue");
		catalogue_close(catalogue);
		return NULL;
	}
	if (!prepare_rows(catalogue, fail) || !rows_complete(store, fail) ||
			!load_places(catalogue, NULL, fail)) {
		catalogue_close(catalogue);
		return NULL;
	}
	tree_notify(catalogue); /* nobody watches yet */
	return catalogue;
}

void catalogue_close(struct catalogue *catalogue) {
	if (catalogue == NULL) {
		return;
	}
	refreshes_finish(catalogue);
	records_finish(catalogue);
	tree_finish(catalogue);
	delay_destroy(catalogue->notify);
	free(catalogue->why);
	free(catalogue);
}

void catalogue_watch(struct catalogue *catalogue, catalogue_changed *changed, void *data) {
	catalogue->watch = changed;
	catalogue->watch_data = data;
}

void catalogue_touch(struct catalogue *catalogue, struct place *place) {
	tree_changed(catalogue, place);
}

struct place *catalogue_root(struct catalogue *catalogue) {
	return &catalogue->root;
}

struct place *catalogue_place(struct catalogue *catalogue, int64_t id) {
	if (id == PLACE_ROOT_ID) {
		return &catalogue->root;
	}
	struct place *place = id > 0 ? idmap_get(&catalogue->by_id, id) : NULL;
	return place != NULL && tree_listed(place) ? place : NULL;
}

/* ---- providers ---- */

static bool set_shown(struct catalogue *catalogue, const struct place *provider, bool shown,
		struct fail *fail) {
	static const char sql[] =
			"INSERT INTO place(id, parent, name, shown) VALUES(?1, 1, ?2, ?3) "
			"ON CONFLICT(id) DO UPDATE SET shown=?3";
	store_batch_commit(catalogue->store);
	cleanup_statement sqlite3_stmt *statement = store_statement(catalogue->store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, provider->id);
	sqlite3_bind_text(statement, 2, provider->name, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 3, shown);
	return store_run(catalogue->store, statement, fail);
}

struct place *catalogue_provider(struct catalogue *catalogue, const char *name, struct fail *fail) {
	size_t size = strlen(name);
	if (size == 0 || size > PLACE_NAME_MOST || strcmp(name, ".") == 0 ||
			strcmp(name, "..") == 0 || strchr(name, '/') != NULL ||
			!utf8_valid(name, size)) {
		fail_set(fail, EINVAL, "'%s' can't be a provider's name: it must be a file name",
				name);
		return NULL;
	}
	struct place *provider = tree_find(catalogue, &catalogue->root, PLACE_PROVIDER, name);
	if (provider == NULL) {
		int64_t id = rows_find(catalogue->store, PLACE_ROOT_ID, name, fail);
		if (id < 0) {
			return NULL;
		}
		provider = tree_add(catalogue, id > 0 ? id : ++catalogue->last_id, &catalogue->root,
				PLACE_PROVIDER, name);
		if (provider == NULL) {
			fail_set(fail, ENOMEM, "no memory for the provider %s", name);
			return NULL;
		}
		if (id > 0 && !load_places(catalogue, provider, fail)) {
			return NULL;
		}
	}
	if (!provider->gone) {
		return provider;
	}
	if (!set_shown(catalogue, provider, true, fail)) {
		return NULL;
	}
	if (!tree_show(catalogue, provider)) {
		fail_set(fail, ENOMEM, "no memory for the provider %s", name);
		return NULL;
	}
	return provider;
}

void catalogue_hide(struct catalogue *catalogue, struct place *provider) {
	if (provider->kind != PLACE_PROVIDER || provider->gone) {
		return;
	}
	/* Hidden in any case; when it can't be stored it is back at the next mount at worst. */
	set_shown(catalogue, provider, false, NULL);
	tree_hide(catalogue, provider);
	tree_compact(catalogue);
}

/* ---- single models ---- */

/* `kept` of a row: 1, or 2 while it is unsure. */
static bool set_kept(
		struct catalogue *catalogue, struct place *model, bool unsure, struct fail *fail) {
	static const char sql[] = "UPDATE place SET kept=?2 WHERE id=?1";
	store_batch_commit(catalogue->store);
	cleanup_statement sqlite3_stmt *statement = store_statement(catalogue->store, sql, fail);
	if (statement == NULL) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, model->id);
	sqlite3_bind_int(statement, 2, unsure ? 2 : 1);
	model->kept = true;
	model->unsure = unsure;
	return store_run(catalogue->store, statement, fail);
}

bool catalogue_keep(struct catalogue *catalogue, struct place *model, struct fail *fail) {
	return set_kept(catalogue, model, false, fail);
}

bool catalogue_doubt(struct catalogue *catalogue, struct place *model, struct fail *fail) {
	return set_kept(catalogue, model, true, fail);
}

struct place *catalogue_next_unsure(struct catalogue *catalogue, int64_t after) {
	static const char sql[] = "SELECT id FROM place WHERE kept=2 AND id>?1 ORDER BY id LIMIT 1";
	struct place *place = NULL;
	while (place == NULL) {
		cleanup_statement sqlite3_stmt *statement = store_statement(
				catalogue->store, sql, NULL);
		if (statement == NULL) {
			return NULL;
		}
		sqlite3_bind_int64(statement, 1, after);
		if (store_step(catalogue->store, statement, NULL) <= 0) {
			return NULL;
		}
		after = sqlite3_column_int64(statement, 0);
		place = catalogue_place(catalogue, after);
	}
	return place;
}

bool catalogue_remove(struct catalogue *catalogue, struct place *model, struct fail *fail) {
	if (!model->model) {
		return fail_set(fail, ENOENT, "%s is not a model", model->name);
	}
	bool removed = remove_model(catalogue, model, fail);
	tree_compact(catalogue);
	store_batch_commit(catalogue->store);
	return removed;
}

/* ---- when it was refreshed ---- */

void catalogue_refreshed(struct catalogue *catalogue, const struct place *provider,
		int64_t *ret_when, const char **ret_why) {
	static const char sql[] = "SELECT finished, why FROM refresh WHERE place=?1";
	*ret_when = 0;
	*ret_why = "";
	cleanup_statement sqlite3_stmt *statement = store_statement(catalogue->store, sql, NULL);
	if (statement == NULL) {
		return;
	}
	sqlite3_bind_int64(statement, 1, provider->id);
	if (store_step(catalogue->store, statement, NULL) > 0) {
		free(catalogue->why);
		catalogue->why = column_copy(statement, 1);
		*ret_when = sqlite3_column_int64(statement, 0);
		*ret_why = catalogue->why != NULL ? catalogue->why : "";
	}
}

static void note_refresh(struct catalogue *catalogue, struct place *provider, int64_t when,
		const char *why) {
	/* A failed try keeps the time of the last good one. */
	static const char sql[] = "INSERT INTO refresh(place, finished, why) VALUES(?1, ?2, ?3) "
				  "ON CONFLICT(place) DO UPDATE SET why=?3, "
				  "finished=CASE WHEN ?2>0 THEN ?2 ELSE finished END";
	store_batch_commit(catalogue->store);
	cleanup_statement sqlite3_stmt *statement = store_statement(catalogue->store, sql, NULL);
	if (statement != NULL) {
		sqlite3_bind_int64(statement, 1, provider->id);
		sqlite3_bind_int64(statement, 2, when);
		sqlite3_bind_text(statement, 3, why, -1, SQLITE_STATIC);
		store_run(catalogue->store, statement, NULL);
	}
	tree_changed(catalogue, provider);
}

void catalogue_refresh_failed(
		struct catalogue *catalogue, struct place *provider, const char *why) {
	note_refresh(catalogue, provider, 0, why);
}

void refresh_succeeded(struct catalogue *catalogue, struct place *provider) {
	note_refresh(catalogue, provider, time(NULL), "");
}
