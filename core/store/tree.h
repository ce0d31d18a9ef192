/* The catalogue's tree in memory, and what its own files share; nobody else includes it. A place is
 * made once and found again by id or by (parent, name) for as long as the mount lasts; being in a
 * listing or not is its `gone`. */
#ifndef CORE_STORE_TREE_H
#define CORE_STORE_TREE_H

#include "core/base/idmap.h"
#include "core/base/list.h"
#include "core/base/siphash.h"
#include "core/store/catalogue.h"
#include "core/store/private.h"

struct delay;

/* `ls -l` of one directory's info/ reads the same record a dozen times; 64 serve a walk too. */
#define RECORDS_CACHED 64

struct catalogue {
	struct place root; /* first: whoever has a place has the catalogue */
	struct store *store;
	struct idmap by_id;
	struct place **by_name; /* open addressing by (parent, kind, name) */
	size_t n_slots, n_places, n_sessions;
	struct siphash_key key;
	int64_t last_id; /* the highest ever given out */
	struct place **changed; /* those that are dirty */
	size_t n_changed, changed_capacity;
	struct delay *notify;
	struct place *dead; /* forgotten ones, until tree_notify */
	catalogue_changed *watch;
	void *watch_data;
	struct list refreshes;
	uint32_t last_refresh;
	struct cached_record {
		int64_t place; /* 0: free */
		uint64_t used;
		struct model_record record;
	} records[RECORDS_CACHED];
	uint64_t record_clock;
	char *why;
};

/* ---- tree.c ---- */

/* What stands below a place by default: a provider below the root, else a component. */
enum place_kind tree_kind_below(const struct place *parent);
/* The place of that kind and name, gone or not. */
struct place *tree_find(struct catalogue *catalogue, const struct place *parent,
		enum place_kind kind, const char *name);
/* Makes a place that is in no listing yet; NULL without memory or above PLACES_MOST. */
struct place *tree_add(struct catalogue *catalogue, int64_t id, struct place *parent,
		enum place_kind kind, const char *name);
/* The same place gets another id: what had its name before was another thing. False without
 * memory. */
bool tree_renumber(struct catalogue *catalogue, struct place *place, int64_t id);
/* Takes a place without anything below it out of memory; the struct stays readable until the
 * watcher was told. */
void tree_forget(struct catalogue *catalogue, struct place *place);
/* Puts a place and those above it into their listings. False without memory. */
bool tree_show(struct catalogue *catalogue, struct place *place);
/* Sets what a place is as a model, and can do, and corrects the counts above. */
void tree_set_model(struct place *place, bool model, bool free, uint32_t able);
/* Takes a place out of its parent's listing, and each parent that has no model left out of its own.
 * The first that stays is returned. The listings are put right by tree_compact. */
struct place *tree_hide(struct catalogue *catalogue, struct place *place);
void tree_compact(struct catalogue *catalogue);
/* The listing of a place changed now: notes the time, and the watcher is told from the loop. */
void tree_changed(struct catalogue *catalogue, struct place *place);
/* Tells the watcher at once. */
void tree_notify(struct catalogue *catalogue);
/* The next one in a walk through everything listed below `top`, parents first; NULL at the end. */
struct place *tree_walk(const struct place *top, struct place *place);
/* Not gone, and not below something that is. */
bool tree_listed(const struct place *place);
void tree_finish(struct catalogue *catalogue);

/* ---- rows.c: a place and its record in the database, in the open batch ---- */

/* The id that a name had before, or 0. -1 failed. */
int64_t rows_find(struct store *store, int64_t parent, const char *name, struct fail *fail);
/* Writes the row of a component, listed. */
bool rows_component(struct store *store, const struct place *place, struct fail *fail);
/* The fingerprint that a model was stored with; false when it isn't. */
bool rows_hash(struct store *store, int64_t id, int64_t *ret);
int64_t model_hash(const struct job_model *model);
bool rows_model(struct store *store, const struct place *place, const struct job_model *model,
		int64_t hash, struct fail *fail);
/* No model (any more); `shown`: but a component of others. */
bool rows_no_model(struct store *store, const struct place *place, bool shown, struct fail *fail);

/* Rows of models that an older version wrote, which knew less of them, are completed from their
 * records. */
bool rows_complete(struct store *store, struct fail *fail);

/* ---- load.c ---- */

/* Loads what the store lists: everything, or what is below a provider. */
bool load_places(struct catalogue *catalogue, const struct place *provider, struct fail *fail);

/* ---- annex.c ---- */

/* Loads the annexes of every place that is in memory and has none there yet, or of one alone. */
bool load_annexes(struct catalogue *catalogue, struct place *parent, struct fail *fail);
void annexes_free(struct place *place);

/* ---- record.c ---- */

void records_forget(struct catalogue *catalogue, int64_t place);
void records_finish(struct catalogue *catalogue);
/* Prices as rows have them; false without memory. */
bool record_prices(const char *text, struct model_record *record);

/* ---- catalogue.c ---- */

/* Notes the time of a good refresh. */
void refresh_succeeded(struct catalogue *catalogue, struct place *provider);

/* ---- refresh.c ---- */

/* Makes a model none, in memory and in the batch; tree_compact is the caller's. */
bool remove_model(struct catalogue *catalogue, struct place *model, struct fail *fail);
void refreshes_finish(struct catalogue *catalogue);

#endif
