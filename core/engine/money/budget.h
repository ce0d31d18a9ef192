/* Budgets: how much may be spent on a day, in a month and in all, at the root, a provider or
 * whatever other place has limits. A turn counts at the root, at the provider that answers it, and
 * at the place where it was written and those above it.
 *
 * Spent is what the ledger says (a turn whose cost isn't known counts by the most it can have
 * cost), reserved the most that turns under way can cost; together they never exceed a limit. */
#ifndef CORE_ENGINE_MONEY_BUDGET_H
#define CORE_ENGINE_MONEY_BUDGET_H

#include "core/config/money.h"
#include "core/engine/money/price.h"

struct budgets;

/* Loads the limits that were written at earlier mounts. */
struct budgets *budgets_create(struct engine *engine, struct fail *fail);
/* NULL is fine. */
void budgets_destroy(struct budgets *budgets);

/* ---- limits ---- */

/* The limit in force in pico-USD: what was written there, else config.yml's; BUDGET_NONE. */
int64_t budget_limit(struct budgets *budgets, struct place *place, enum budget_period period);
/* Whether a limit, or that there is none, was written at exactly this place. */
bool budget_is_own(const struct budgets *budgets, int64_t place, enum budget_period period);
/* Keeps a limit, or BUDGET_NONE where config.yml has one; BUDGET_INHERIT: config.yml's. */
#define BUDGET_INHERIT INT64_C(-2)
bool budget_set(struct budgets *budgets, int64_t place, enum budget_period period, int64_t limit,
		struct fail *fail);

/* The place is gone, and its limits with it. */
void budget_forget(struct budgets *budgets, int64_t place);

/* ---- what they let ---- */

/* A turn's share of what is reserved. */
struct reservation {
	int64_t amount; /* pico-USD */
	int64_t *places; /* that it counts at; owned */
	size_t n_places;
};

/* The most that a turn written at `place` and answered by `model` may cost: what is left of the
 * budget that has least; INT64_MAX without any. 0 and less: nothing is left. */
int64_t budget_left(struct budgets *budgets, struct place *place, struct place *model);
/* Whether a turn of that price could be paid at all: EDQUOT with words when a budget is used up, or
 * when the price isn't known and there is a budget. What costs nothing may always run. */
bool budget_allows(struct budgets *budgets, struct place *place, struct place *model,
		const struct price *price, struct fail *fail);
/* Reserves that much, -1 unknown, in place of what `reservation` held; EDQUOT with words, and then
 * it holds nothing. */
bool budget_reserve(struct budgets *budgets, struct place *place, struct place *model,
		int64_t amount, struct reservation *reservation, struct fail *fail);
/* Reserves as much for what was sent before a start, whatever the limits are now. False without
 * memory. */
bool budget_restore(struct budgets *budgets, struct place *place, struct place *model,
		int64_t amount, struct reservation *reservation);
/* Lets go of it: the cost is in the ledger, or there was none. Fine for an empty one. */
void budget_release(struct budgets *budgets, struct reservation *reservation);

#endif
