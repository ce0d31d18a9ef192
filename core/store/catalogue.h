/* The catalogue: every provider's models as a tree of places that lives in memory, backed by the
 * store, so that a mount answers at once and offline. A place is a directory that data makes: the
 * root, a provider, a component of model ids, a model. A place may be a model and hold others.
 *
 * Ids are rowids of the store: never made from a name, never used for another thing, the same after
 * a remount. */
#ifndef CORE_STORE_CATALOGUE_H
#define CORE_STORE_CATALOGUE_H

#include "core/process/process.h"
#include "core/store/store.h"

struct catalogue;

#define PLACE_ROOT_ID 1

enum place_kind {
	PLACE_ROOT,
	PLACE_PROVIDER,  /* below the root */
	PLACE_COMPONENT, /* below a provider or another component: a piece of model ids */
};

struct place {
	int64_t id;
	enum place_kind kind;
	char *name; /* the file name: encoded (see place_encode) */
	struct place *parent;
	struct place **children; /* ascending by id, which is the order of readdir */
	size_t n_children;
	size_t n_models; /* models at or below */
	size_t n_free;   /* of them certain to be free */
	bool model;      /* a model itself (then `free` and `created` mean something) */
	bool free;
	bool chat;       /* text comes out: text-to-text or alike */
	int64_t created; /* Unix seconds; 0 unknown */
	int64_t changed; /* when its listing last changed, microseconds since the epoch */
	void *user;      /* the engine's own */
};

struct catalogue *catalogue_open(struct store *store, struct fail *fail);
void catalogue_close(struct catalogue *catalogue);
struct place *catalogue_root(struct catalogue *catalogue);
/* NULL when unknown or gone. */
struct place *catalogue_place(struct catalogue *catalogue, int64_t id);
struct place *place_child(const struct place *place, const char *name);
/* The first child whose id is above `after`; NULL at the end. */
struct place *place_next(const struct place *place, int64_t after);
/* The provider that a component belongs to (itself for a provider); NULL for the root. */
struct place *place_provider(struct place *place);
/* Finds or makes the provider's place; it keeps its id for ever. */
struct place *catalogue_provider(struct catalogue *catalogue, const char *name, struct fail *fail);
/* Hides a provider (config.yml: off, unloaded); its rows stay. */
void catalogue_hide(struct catalogue *catalogue, struct place *provider);

/* A model id as a path of file names, and back. A component that is empty, ".", "..", longer than
 * 255 bytes, holds a control byte or invalid UTF-8, or equals a reserved name is percent-encoded,
 * as is '%' itself where the component would decode to something else; a name that would exceed 255
 * bytes encoded is cut and ends in %~ and a hash. Reserved: place_reserved. */
bool place_encode(const char *component, size_t size, struct buf *out);
/* Every name of a model's own files; one list, in reserved.h. */
bool place_reserved(const char *name);

/* ---- what is known of a model ---- */

struct model_price {
	char name[32];
	double usd; /* for one unit; -1 variable */
};

struct model_record {
	char *id; /* as the provider gave it, NUL-terminated (an id never holds NUL) */
	char *name, *description;
	int64_t created, context_length, max_output; /* 0 unknown */
	char *input_modalities, *output_modalities, *parameters; /* "" unknown; comma-separated */
	struct model_price *prices;
	size_t n_prices;
	char *raw; /* JSON; "" unknown */
	size_t raw_size;
	bool free;
};

/* The record of a model place, from a small cache; valid until the loop's next event. NULL when it
 * isn't a model or can't be read. */
const struct model_record *catalogue_record(struct catalogue *catalogue, const struct place *place);
/* The stated price, or false. */
bool model_price(const struct model_record *record, const char *name, double *ret);
/* Free means certain (design section 2): prompt and completion are stated, every stated price is 0,
 * and the output is text only or the id ends in ":free". */
bool model_is_free(const struct job_model *model);

/* ---- refreshing ---- */

struct refresh;

/* What changed, so that the kernel can be told: called for each directory whose listing changed,
 * after the change, at most once a batch. */
typedef void catalogue_changed(void *data, struct place *place);
void catalogue_watch(struct catalogue *catalogue, catalogue_changed *changed, void *data);

/* Models appear (or change) as they are added. Only refresh_commit removes what wasn't seen, and
 * not even then when nothing was added: an empty or failed refresh replaces nothing. */
struct refresh *refresh_begin(struct catalogue *catalogue, struct place *provider);
/* A model with an id that was already added in this refresh, or an empty one, is refused (counted). */
void refresh_add(struct refresh *refresh, const struct job_model *model);
/* Goes on in slices on the loop and then calls `done` with how many models came, went, and are
 * there; frees the refresh. */
void refresh_commit(struct refresh *refresh,
		void (*done)(void *data, size_t came, size_t went, size_t total), void *data);
/* Keeps all that was there (what was added stays too). Frees. */
void refresh_abort(struct refresh *refresh);

/* When the provider's list was last refreshed well (Unix seconds; 0 never), and why the last try
 * failed ("" when it didn't). Kept across mounts. */
void catalogue_refreshed(struct catalogue *catalogue, const struct place *provider,
		int64_t *ret_when, const char **ret_why);
void catalogue_refresh_failed(
		struct catalogue *catalogue, struct place *provider, const char *why);

#endif
