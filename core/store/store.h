/* The store: one SQLite database (WAL) in the state directory for the catalogue, the turns' index,
 * settings, links and the ledger; prompts and results lie as files beside it. Written from the
 * loop's thread only; checkpoints and fsync run on libuv's pool.
 *
 * A row that must survive the daemon's death is committed before its function returns. Rows of a
 * refresh are committed in batches. */
#ifndef CORE_STORE_STORE_H
#define CORE_STORE_STORE_H

#include "core/base/buf.h"
#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct store;

/* Opens or makes `directory` (0700) and its database; migrates an older version; takes a lock so
 * that two daemons never share one state directory (EBUSY with the other's pid in the words). A
 * database that fails its integrity check on opening is set aside under a name that the words give
 * (`notice`, owned by the store, NULL when all is well) and a new one is begun. To be called after
 * the daemon has gone to the background: neither SQLite nor the lock's pid outlive a fork. */
struct store *store_open(uv_loop_t *loop, const char *directory, struct fail *fail);
/* The same, but nothing that is said outlives it (`history: off`): turns are kept in memory and
 * their files in a private directory of $XDG_RUNTIME_DIR, $TMPDIR or /tmp, and sessions that are
 * made go as well, all of it at store_close, or when the next one opens. Turns of earlier mounts
 * stay where they are and aren't seen. */
struct store *store_open_off_record(uv_loop_t *loop, const char *directory, struct fail *fail);
/* Commits, syncs, checkpoints, releases the lock. The loop frees the handles when it runs next; a
 * catalogue is closed before. NULL is fine. */
void store_close(struct store *store);
/* False where nothing that is said outlives the mount. */
bool store_keeps_turns(const struct store *store);
/* What to know of the database, damage that was met since included; NULL when all is well. */
const char *store_notice(const struct store *store);
const char *store_directory(const struct store *store);

/* ---- settings: a value a (place, name) ---- */

bool store_setting_set(struct store *store, int64_t place, const char *name, const char *value,
		struct fail *fail); /* value NULL: removes */
typedef void store_setting_visit(void *data, int64_t place, const char *name, const char *value);
bool store_settings_each(
		struct store *store, store_setting_visit *visit, void *data, struct fail *fail);

/* ---- the user's own links, in the root or in a group: `parent` is that place's id ---- */

bool store_link_set(struct store *store, int64_t parent, const char *name, const char *target,
		int64_t *ret_id, struct fail *fail); /* target NULL: removes; a new or replaced link
							gets a new id */
/* Notes that the daemon made this link, by config.yml or by default; whoever replaces it makes it
 * the user's. */
bool store_link_is_alias(struct store *store, int64_t id, struct fail *fail);
typedef void store_link_visit(void *data, int64_t id, int64_t parent, const char *name,
		const char *target, int64_t made /* Unix seconds */, bool alias);
bool store_links_each(struct store *store, store_link_visit *visit, void *data, struct fail *fail);

/* ---- turns ---- */

enum turn_state {
	TURN_OPEN, /* being written; never stored */
	TURN_QUEUED,
	TURN_WAITING, /* for a retry; stored as running */
	TURN_RUNNING,
	TURN_DONE,
	TURN_FAILED,
	TURN_CANCELLED,
	TURN_INTERRUPTED, /* the daemon ended while it ran */
};

/* A turn as it is kept. Strings are "" when unknown. Times are microseconds since the epoch. */
struct turn_row {
	int64_t id; /* never used again */
	int64_t place; /* the model's place */
	int64_t number; /* within the model, from 1 */
	int64_t previous; /* id of the turn that this one continues; 0: a new conversation */
	enum turn_state state;
	int64_t submitted, started, first_byte, finished;
	uint64_t prompt_size, output_size;
	int code; /* errno of a failure */
	char *words, *finish, *model, *provider;
	int http_status;
	int64_t prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens; /* -1 unknown */
	int64_t cost; /* pico-USD (1e-12), -1 unknown */
	char *cost_source; /* reported, computed, unknown, cached */
	int64_t bytes; /* that its files take on the disk, once it has ended */
	char *answer_key; /* what a request that may be answered again is known by; "" none */
	int64_t cached_from; /* id of the turn whose answer this one was given; 0: none */
	int64_t overhead_us;
	bool imported; /* a history stands in place of prompt and answer: see turn/history.h */
	int64_t origin; /* id of the turn whose output went into the prompt; 0 unknown */
};

void turn_row_finish(struct turn_row *row);

/* The highest turn id ever given out, to count on from: a stored one, or one that has a directory
 * only (it was never submitted, or a power cut took its row). */
int64_t store_turn_last_id(struct store *store);
bool store_turn_insert(struct store *store, const struct turn_row *row, struct fail *fail);
bool store_turn_update(struct store *store, const struct turn_row *row, struct fail *fail);
/* False (ENOENT) when there is none. */
bool store_turn_get(struct store *store, int64_t id, struct turn_row *ret, struct fail *fail);
bool store_turn_find(struct store *store, int64_t place, int64_t number, int64_t *ret_id);
/* The turn with the highest number of a place: 0 when it has none. `ret_number`: the last number
 * that was given out there, also when its turn is gone. */
int64_t store_turn_newest(struct store *store, int64_t place, int64_t *ret_number);
/* The turn of a place that was submitted last: 0 when it has none. */
int64_t store_turn_last(struct store *store, int64_t place);
/* Turns of a place with a number above `after`, ascending, at most `most`; returns how many. */
size_t store_turns_after(struct store *store, int64_t place, int64_t after, int64_t *ids,
		int64_t *numbers, size_t most);
/* After a start: what was queued or running says interrupted now, finished now, EIO with words, and
 * is entered in the ledger; returns how many. Those whose job may be picked up stay as they are. */
size_t store_turns_interrupt(struct store *store);

/* A turn whose job goes on elsewhere, whatever becomes of us. */
struct store_job {
	int64_t turn, model; /* ids of the turn and of the place that answers it */
	char *token; /* the provider's own, by which it picks the job up */
	char *path; /* the model's, as it stands in the ledger's note; "" when there is none */
	int64_t reserved; /* what the note says, pico-USD; -1 unknown */
};

/* Keeps the turn's row and its job, durably; `token` NULL: there is none any more. It goes by
 * itself when the turn ends. */
bool store_job_keep(struct store *store, const struct turn_row *row, int64_t model,
		const char *token, struct fail *fail);
/* After a start: those of turns that haven't ended, oldest first; at most `most`. Free each. */
size_t store_jobs(struct store *store, struct store_job *jobs, size_t most);
void store_job_finish(struct store_job *job);

/* The newest turn that was answered between these (microseconds since the epoch) to a request of
 * this key; false when there is none. */
bool store_answer_find(struct store *store, const char *key, int64_t since, int64_t until,
		int64_t *ret_id);
/* A random number of this state directory, for making such keys. */
bool store_answer_secret(struct store *store, uint64_t ret[static 2]);

/* Forgets a turn for good: its row in the open batch, its files on the pool, soon after. */
bool store_turn_forget(struct store *store, int64_t id, struct fail *fail);
/* Notes whose turn the directory of `id` is to be, until the turn has a row: a prompt that was
 * being written when the daemon died is found again by that. */
bool store_turn_claim(
		struct store *store, int64_t id, int64_t place, int64_t number, struct fail *fail);
/* The turn has a row now. */
void store_turn_claimed(struct store *store, int64_t id);
/* After a start: prompts that were written and never submitted become interrupted turns, which were
 * never sent; returns how many. */
size_t store_turns_adopt(struct store *store);

/* The directory that holds a turn's files (prompt, output, …), made (0700) when `make`; "/" and a
 * name are appended by the caller. Written into `ret` (at least 4096 bytes). */
bool store_turn_path(struct store *store, int64_t id, bool make, char *ret, size_t size,
		struct fail *fail);
/* Asks for fsync of a turn's file and of its directory on the pool, within a second. */
void store_sync_soon(struct store *store, int64_t turn);

#endif
