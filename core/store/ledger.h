/* The ledger: one entry for each turn's end, with its tokens and cost, and nothing of what was
 * said. An entry is never changed or removed, so that sums don't depend on which turns are kept.
 * What was sent and may cost is noted before: a crash can't hide it. */
#ifndef CORE_STORE_LEDGER_H
#define CORE_STORE_LEDGER_H

#include "core/store/store.h"

/* What a turn is in the books beside its row: the model that answers (as it was asked for, "" when
 * none was chosen yet), and the most that it can cost, in pico-USD; -1 when that isn't known. */
struct ledger_terms {
	const char *model;
	int64_t reserved;
};

/* Before the first request of a turn: notes durably that it may cost as much. Noting it again
 * replaces the note. */
bool ledger_reserve(struct store *store, const struct turn_row *row,
		const struct ledger_terms *terms, struct fail *fail);
/* The turn's end: updates its row, enters it with the row's tokens and cost, and drops the note,
 * all or nothing. A turn that was entered before isn't entered twice; one that was forgotten
 * meanwhile is entered all the same. */
bool ledger_end(struct store *store, const struct turn_row *row, const struct ledger_terms *terms,
		struct fail *fail);
/* What a turn cost whose end was entered without a cost; -1 for tokens that aren't known. */
struct ledger_cost {
	int64_t cost;
	int64_t prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens;
};
/* Enters that, on the day of the turn's end, and sets it in its row (which is stored as far as it
 * is there; `row` needs the id only). True as well when it is known already; false with ENOENT as
 * long as the end isn't entered. */
bool ledger_settle(struct store *store, struct turn_row *row, const struct ledger_cost *cost,
		struct fail *fail);
/* The highest id of a turn that the ledger knows. */
int64_t ledger_last_turn(struct store *store);

/* ---- sums ---- */

/* A period of the ledger: a local date as yyyymmdd, a month as yyyymm, or LEDGER_ALL. */
#define LEDGER_ALL 0
int64_t ledger_day(int64_t us); /* of a time in microseconds since the epoch */
#define ledger_month(day) ((day) / 100)
/* No month or day is above. */
#define LEDGER_MONTH_LAST 999912
#define LEDGER_DAY_LAST 99991231

struct usage_sum {
	int64_t turns, prompt_tokens, completion_tokens;
	int64_t cost; /* pico-USD, of the turns whose cost is known */
	int64_t unpriced; /* turns whose cost isn't */
	int64_t bound; /* the most these can have cost, as far as that is known */
};

/* Of one period; `provider` NULL: of all. */
bool ledger_sum(struct store *store, const char *provider, int64_t period, struct usage_sum *ret);
/* Of the turns that were written at one place. */
bool ledger_sum_place(struct store *store, int64_t place, int64_t period, struct usage_sum *ret);

enum ledger_group { LEDGER_BY_PERIOD, LEDGER_BY_PROVIDER, LEDGER_BY_MODEL };

struct ledger_line {
	int64_t period;
	const char *provider, *model; /* "" where the group may hold several */
	struct usage_sum sum;
};

/* Calls for each group of the periods from `from` to `to`, ascending; by provider and by model, of
 * one period (`from` is `to`). */
typedef void ledger_visit(void *data, const struct ledger_line *line);
bool ledger_each(struct store *store, enum ledger_group group, const char *provider, int64_t from,
		int64_t to, ledger_visit *visit, void *data);

#endif
