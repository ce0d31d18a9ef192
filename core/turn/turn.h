/* A turn: one prompt and what came of it. Its data are ordinary files in the state directory; this
 * is the part that lives in memory while the turn is written, runs, or is looked at.
 *
 * Turns are counted by reference: the table keeps a few that nobody holds and loads the rest from
 * the store. Every turn has an id (never used again) and a number within its model. */
#ifndef CORE_TURN_TURN_H
#define CORE_TURN_TURN_H

#include "core/base/fail.h"
#include "core/base/idmap.h"
#include "core/base/list.h"
#include "core/store/store.h"
#include "core/turn/chain.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct turn_table;

/* The files of a turn, as they are named in its directory. */
enum turn_file {
	TURN_PROMPT,
	TURN_OUTPUT,
	TURN_REASONING,
	TURN_REQUEST, /* request.json: the request's body as sent, without the key */
	TURN_RESPONSE, /* the reply's body as it came */
	TURN_HISTORY, /* of an imported one: see history.h */
	TURN_TRIED, /* whom a route asked in vain, a line each */
	TURN_EXCHANGE, /* what the provider was handed and asked for: see core/engine/run/record.h
			*/
	TURN_RESULTS, /* what came of it, where that isn't text alone: see results.h */
	TURN_FILES,
};

/* Somebody who waits for more output, or for the turn's end. */
struct turn_watch {
	struct list link;
	/* Bytes came or the state changed. May remove this watch, and only this one. */
	void (*changed)(struct turn_watch *watch);
};

enum turn_kind {
	TURN_REAL, /* has a directory and, once submitted, a row */
	TURN_REFUSAL, /* of a prompt at its opening: only words, in memory, without a number; counts
			 as newest */
	TURN_NOTE, /* a refused write to config/ or ctl: the same, for `error` alone */
};

struct turn {
	struct turn_row row;
	enum turn_kind kind;
	struct turn_table *table;
	struct list link; /* in the table's list of unused turns, while refs is 0 */
	unsigned refs;
	int fds[TURN_FILES]; /* -1 while closed */
	struct list watches;

	/* While it is written: who writes, for `status` and for "whose turn". */
	struct chain chain;
	char writer[32];
	int32_t writer_pid;
	int64_t began; /* by lineage_now */
	bool unsent; /* its writer was ended by a signal: `echo submit > ctl` sends it */
	bool stored; /* has a row; a refused or unsubmitted turn has none */
	bool dropped; /* see turn_drop: nothing leads to it any more */
	bool forgotten; /* its place ended: only who holds it knows it */
	unsigned media; /* kinds of what goes along with it: see core/engine/attach/media.h */
	int64_t replaces; /* of a retry in a session: the turn in whose stead it stands; else 0 */

	int64_t last_byte; /* of the output, microseconds since the epoch; 0 none yet */
	/* While it waits: for what ("" nothing), and until when (µs since the epoch, 0 unknown). */
	char waiting_for[128];
	int64_t retry_at;
	/* While it runs: how far it is, 0 to 1 or NAN, and at what. */
	double share;
	char doing[128];
	struct run *run; /* while queued, waiting or running; the engine's */
};

/* Microseconds since the epoch. */
int64_t now_us(void);

struct turn_table *turn_table_create(struct store *store);
void turn_table_destroy(struct turn_table *table);

/* A new turn of a model in state open, held once; NULL with words when its directory can't be
 * made. */
struct turn *turn_create(
		struct turn_table *table, int64_t place, enum turn_kind kind, struct fail *fail);
/* The turn with this id, held once more; NULL when there is none. */
struct turn *turn_get(struct turn_table *table, int64_t id);
struct turn *turn_hold(struct turn *turn);
/* Whether there is such a turn: refusals that were long unused are forgotten. */
bool turn_known(struct turn_table *table, int64_t id);
/* NULL is fine. */
void turn_release(struct turn *turn);
#define cleanup_turn cleanup(turn_release_pointer)
void turn_release_pointer(struct turn **turn);

/* The model's newest turn (open and refused ones count): its id, or 0. */
int64_t turn_newest(struct turn_table *table, int64_t place);
/* The turn of a place that was submitted last, or 0: where a session goes on. */
int64_t turn_last(struct turn_table *table, int64_t place);
/* Counts whatever happens to the turns of a place. */
uint64_t turn_changes(struct turn_table *table, int64_t place);
/* Whether somebody holds the turn, or writes one that continues it: it can't be forgotten now. */
bool turn_in_use(struct turn_table *table, int64_t id);
/* A turn that isn't in use went from the store. */
void turn_forget(struct turn_table *table, int64_t id, int64_t place);
/* A place ended for good: nothing leads to its turns any more. What is still written is dropped;
 * who waits for such a one is told. None of them runs. */
void turn_forget_place(struct turn_table *table, int64_t place);
/* The turn has a row now: it is listed. */
void turn_store(struct turn *turn);
/* When the listing of a model's turns changed, in microseconds since the epoch; 0: not since the
 * table was made. */
int64_t turn_listed(struct turn_table *table, int64_t place);
/* The id of the turn with this name in its model's turns/; 0 when there is none. */
int64_t turn_find(struct turn_table *table, int64_t place, const char *name);
/* "000012", or "refused-345" (its id) for one that has no number. */
#define TURN_NAME_SIZE 32
void turn_name(const struct turn *turn, char ret[TURN_NAME_SIZE]);

/* Done, failed, cancelled or interrupted; or written by somebody who was ended. */
bool turn_over(const struct turn *turn);
/* The errno a reader of `output` gets after the bytes that came; 0 for none. */
int turn_error(const struct turn *turn);

/* Opens one of its files for reading and writing (made when `make`); -1 with errno. The descriptor
 * is the turn's and stays open while somebody holds it. */
int turn_open_file(struct turn *turn, enum turn_file file, bool make);
const char *turn_file_name(enum turn_file file);
/* The path of the directory of its files into `ret` (at least 4096 bytes), and of a file. */
bool turn_directory(const struct turn *turn, char *ret, size_t size);
bool turn_file_path(struct turn *turn, enum turn_file file, char *ret, size_t size);
/* Bytes in one of its files now; 0 when it doesn't exist. */
uint64_t turn_file_size(struct turn *turn, enum turn_file file);
/* The same without one newline at its end, which isn't part of what was said (design section 3.4).
 */
uint64_t turn_text_size(struct turn *turn, enum turn_file file);

/* Writes into the prompt while it is open. EFBIG over `most`, ENOSPC …; what was there stays. */
bool turn_prompt_write(struct turn *turn, const void *bytes, size_t size, uint64_t offset,
		uint64_t most, struct fail *fail);
bool turn_prompt_truncate(struct turn *turn, uint64_t size);
/* Gives an open turn that nothing was written to another one's prompt, which never changes any
 * more: the same file, or a copy of it where that can't be. False with words. */
bool turn_prompt_share(struct turn *from, struct turn *to, struct fail *fail);
/* Appends to the output and wakes who waits. */
bool turn_output_append(struct turn *turn, const void *bytes, size_t size, struct fail *fail);
/* Moves a file that a stranger's program made, of which anything may have become, and makes it
 * ours: open for reading and writing, or -1 with words. */
int turn_file_adopt(const char *path, const char *to, struct fail *fail);
/* Makes a file that lies beside its own, or elsewhere in the state directory, the whole output:
 * that one goes from where it was. False with words. */
bool turn_output_take(struct turn *turn, const char *path, struct fail *fail);
/* Appends to another file (response, reasoning). */
bool turn_file_append(struct turn *turn, enum turn_file file, const void *bytes, size_t size);

/* Bytes that its files take on the disk. */
int64_t turn_bytes(struct turn *turn);
/* Takes its bytes away again; nothing to do when there is no such file. */
void turn_file_empty(struct turn *turn, enum turn_file file);

/* Tells everybody who watches that something changed, and who watches all turns. */
void turn_changed(struct turn *turn);
/* Tells who watches this one that bytes came. */
void turn_grew(struct turn *turn);
/* `changed` is called whenever a turn's state changes, or what it waits for, also from the middle
 * of what changes it: to look later. */
void turn_table_watch(struct turn_table *table, void (*changed)(void *data), void *data);
/* Sets the failure's errno and words in the row. */
void turn_set_words(struct turn *turn, int code, const char *words);
/* Forgets a turn that was never submitted: its directory goes, and its number if it is the last. */
void turn_drop(struct turn *turn);
bool turn_words_set(char **field, const char *value);

#endif
