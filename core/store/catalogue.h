/* The catalogue: every provider's models as a tree of places that lives in memory, backed by the
 * store, so that a mount answers at once and offline. A place is a directory that data makes: the
 * root, a provider, a component of model ids, a model. A place may be a model and hold others.
 * Beside them stand sessions, routes and groups (annex.h).
 *
 * Ids are rowids of the store: never made from a name, never used for another thing, the same after
 * a remount. A struct place lives until catalogue_close: a pointer to one that is gone stays good,
 * and when its model returns it is the same place again. */
#ifndef CORE_STORE_CATALOGUE_H
#define CORE_STORE_CATALOGUE_H

#include "core/base/limit.h"
#include "core/process/process.h"
#include "core/store/store.h"

struct catalogue;

#define PLACE_ROOT_ID 1

enum place_kind {
	PLACE_ROOT,
	PLACE_PROVIDER, /* below the root */
	PLACE_COMPONENT, /* below a provider or another component: a piece of model ids */
	/* In no listing of models: see annex.h. Stored by these numbers. */
	PLACE_SESSION = 3, /* below a model or a route: a conversation of its own */
	PLACE_ROUTE = 4, /* below the root: capabilities/text-to-text */
	PLACE_GROUP = 5, /* below the root: groups/NAME */
};

struct place {
	int64_t id;
	enum place_kind kind;
	uint32_t hash; /* of parent and name; the catalogue's own */
	char *name; /* the file name: encoded (see place_encode); "" for the root */
	struct place *parent;
	struct place **children; /* ascending by id, which is the order of readdir */
	size_t n_children;
	size_t n_models; /* models at or below */
	size_t n_free; /* of them certain to be free */
	uint32_t *n_able; /* of a provider: how many of its models can do each capability, by
			     number; NULL elsewhere */
	int64_t created; /* Unix seconds; 0 unknown */
	int64_t changed; /* when its listing last changed, microseconds since the epoch; after a
			    start the time of the start */
	void *user; /* the engine's own */
	struct annexes *annexes; /* what stands beside the models here; NULL for nothing */
	struct place *next_dead; /* this and what follows is the catalogue's own */
	uint32_t capacity; /* of `children` */
	uint32_t seen; /* the last refresh that listed it */
	/* Of a model: what it can do, a bit a capability by its number, and the stated prices of a
	 * prompt's and an answer's token in USD: -1 variable, NAN unstated. */
	uint32_t able;
	float price_prompt, price_completion;
	bool priced; /* it states a price other than 0, of whatever */
	bool model; /* a model itself (then `free` and `created` mean something) */
	bool free;
	bool chat; /* text comes out: text-to-text or alike */
	bool kept; /* made by the user: a refresh that doesn't list it leaves it */
	bool unsure; /* … and whether its provider has it isn't known (yet) */
	bool gone; /* in no listing: no model at or below, or a hidden provider */
	bool dirty; /* to be told to the watcher */
	bool holes; /* some of `children` are gone and wait to be dropped */
};

/* The longest file name, NAME_MAX of every file system. */
#define PLACE_NAME_MOST 255
/* An id with more components is refused: no service has more than six, and each costs a place. */
#define PLACE_DEPTH_MOST 32
/* Places that a mount keeps, over all providers; what comes after is refused (some 400 MB). */
#define PLACES_MOST 2000000

/* Loads what the store knows. */
struct catalogue *catalogue_open(struct store *store, struct fail *fail);
/* Before store_close. A refresh that is alive ends without a word and may not be used any more.
 * NULL is fine. */
void catalogue_close(struct catalogue *catalogue);
struct place *catalogue_root(struct catalogue *catalogue);
/* NULL when unknown, gone, or below a hidden provider. */
struct place *catalogue_place(struct catalogue *catalogue, int64_t id);
struct place *place_child(const struct place *place, const char *name);
/* The first child whose id is above `after`; NULL at the end. */
struct place *place_next(const struct place *place, int64_t after);
/* The provider that a component or a model's session belongs to (itself for a provider); NULL for
 * the root, a route and its sessions, and a group. */
struct place *place_provider(struct place *place);
/* The model that answers a prompt written here: itself, or a session's; NULL for a route and its
 * sessions, where that is found for each turn, and for what takes no prompt. */
struct place *place_model(struct place *place);
/* The route that chooses who answers a prompt written here: itself, or a session's; else NULL. */
struct place *place_route(struct place *place);
/* Whether a model's files are here: it is a model, a route, or a session of either. */
bool place_takes_prompts(const struct place *place);
/* The path of a model below its provider's models/, as the tree shows it; false as buf_add. */
bool place_path(const struct place *place, struct buf *out);
/* Finds or makes the provider's place, and shows it when it was hidden; it keeps its id for ever.
 * EINVAL for what can't be a file name. */
struct place *catalogue_provider(struct catalogue *catalogue, const char *name, struct fail *fail);
/* Hides a provider (config.yml: off, unloaded); its rows stay. */
void catalogue_hide(struct catalogue *catalogue, struct place *provider);
/* Adds a model that the user made (mkdir in an open set), or writes what is known of it meanwhile:
 * it stays when a refresh doesn't list it. EINVAL for an id that refresh_add would refuse. */
struct place *catalogue_add(struct catalogue *catalogue, struct place *provider,
		const struct job_model *model, struct fail *fail);
/* The same for a model that is there. */
bool catalogue_keep(struct catalogue *catalogue, struct place *model, struct fail *fail);
/* Keeps whether its provider has it isn't known yet, across mounts. */
bool catalogue_doubt(struct catalogue *catalogue, struct place *model, struct fail *fail);
/* The next such model by id, of any provider; NULL at the end. */
struct place *catalogue_next_unsure(struct catalogue *catalogue, int64_t after);
/* Takes one model away (rmdir in an open set); what lies below it stays. */
bool catalogue_remove(struct catalogue *catalogue, struct place *model, struct fail *fail);

/* A component of a model id (what lies between two '/') as a file name, reversibly; appended to
 * `out`, false as buf_add.
 *
 *   a control character (C0, DEL, C1), '/', a byte that isn't UTF-8   %XX
 *   ".", "..", a reserved name                                        its first byte as %XX
 *   the empty component                                               "%"
 *   '%' where that would read as one of these                         %25
 *   what would exceed 255 bytes                                       cut, then %~ and 32 hex
 * digits
 *
 * Everything else stays as it is. Two components never give the same name (those that are cut: as
 * far as 128 bits of SipHash tell them apart). */
bool place_encode(const char *component, size_t size, struct buf *out);
/* The component that place_encode made `name` of; false (and nothing appended) for one that was cut
 * and for what place_encode never makes, e.g. "output" or "%2f". */
bool place_decode(const char *name, struct buf *out);
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
	struct limits limits; /* of its settings */
	bool free;
};

/* The record of a model place, from a small cache; valid until the loop's next event. NULL when it
 * isn't a model or can't be read. */
const struct model_record *catalogue_record(struct catalogue *catalogue, const struct place *place);
/* The service's own words about a model, JSON, appended to `out`; false when there are none or they
 * can't be read. */
bool catalogue_raw(struct catalogue *catalogue, const struct place *place, struct buf *out);
/* The stated price, or false. */
bool model_price(const struct model_record *record, const char *name, double *ret);
/* Free means certain: prompt and completion are stated, every stated price is 0, and the output is
 * text only or the id ends in ":free". */
bool model_is_free(const struct job_model *model);
/* Text is among what comes out. Unknown modalities are no text. */
bool model_is_chat(const struct job_model *model);
/* Whether it states a price other than 0, of whatever. */
bool model_is_priced(const struct job_model *model);
bool record_is_priced(const struct model_record *record);
/* What it can do and what a token costs, as struct place has them. */
uint32_t model_able(const struct job_model *model);
float model_token_price(const struct job_model *model, const char *name);

/* ---- refreshing ---- */

struct refresh;

/* What changed, so that the kernel can be told: called from the loop for each directory whose
 * listing changed, after the change, at most once a batch; for a model whose record changed; and
 * for the provider of either. Never for a place that is gone: then its parent is told. */
typedef void catalogue_changed(void *data, struct place *place);
/* What is listed at a place is another than before for a reason of the caller's own. */
void catalogue_touch(struct catalogue *catalogue, struct place *place);
void catalogue_watch(struct catalogue *catalogue, catalogue_changed *changed, void *data);

/* Models appear (or change) as they are added. Only refresh_commit removes what wasn't seen, and
 * not even then when nothing was added: an empty or failed refresh replaces nothing. A second
 * refresh of the same provider takes away the first one's right to remove. NULL without memory. */
struct refresh *refresh_begin(struct catalogue *catalogue, struct place *provider);
/* Refused (and counted) is an id that was already added in this refresh, is empty, has more than
 * PLACE_DEPTH_MOST components or above 1023 bytes, and a model with a price that isn't a number; a
 * negative price is stored as -1, variable. What can't be stored counts as failed. Of a model that
 * is stored as it is nothing is written. */
void refresh_add(struct refresh *refresh, const struct job_model *model);
/* How many were refused so far. */
size_t refresh_refused(const struct refresh *refresh);
/* Goes on in slices on the loop and then calls `done` with how many models came, went, and are
 * there; frees the refresh. */
void refresh_commit(struct refresh *refresh,
		void (*done)(void *data, size_t came, size_t went, size_t total), void *data);
/* Keeps all that was there (what was added stays too). Frees. Also stops a commit that goes on:
 * `done` isn't called then. */
void refresh_abort(struct refresh *refresh);

/* When the provider's list was last refreshed well (Unix seconds; 0 never), and why the last try
 * failed ("" when it didn't; valid until the next call). Kept across mounts. refresh_commit sets
 * both: an empty list where models were is a failed try. */
void catalogue_refreshed(struct catalogue *catalogue, const struct place *provider,
		int64_t *ret_when, const char **ret_why);
void catalogue_refresh_failed(struct catalogue *catalogue, struct place *provider, const char *why);

#endif
