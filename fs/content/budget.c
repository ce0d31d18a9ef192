/* The files of budget/: a limit in USD each, written and reset like a setting. */
#include "core/engine/money/budget.h"

#include "core/base/text.h"
#include "core/base/usd.h"
#include "fs/content/accept.h"
#include "fs/content/show.h"

#include <errno.h>
#include <string.h>

/* Longer than any amount. */
#define AMOUNT_MOST 64

static enum budget_period period_of(const struct node *node) {
	for (int i = 0; i < BUDGET_PERIODS; i++) {
		if (strcmp(node->entry->name, budget_names[i]) == 0) {
			return (enum budget_period)i;
		}
	}
	return BUDGET_TOTAL;
}

SHOW(show_budget) {
	(void)tid;
	struct budgets *budgets = tree->engine->budgets;
	enum budget_period period = period_of(node);
	int64_t limit = budget_limit(budgets, node->place, period);
	if (limit >= 0) {
		return usd_add(out, limit) && buf_add_byte(out, '\n');
	}
	/* That what config.yml says doesn't hold is worth a word. */
	return !budget_is_own(budgets, node->place->id, period) || buf_add_string(out, "none\n");
}

void budget_reset(struct tree *tree, const struct node *node) {
	struct budgets *budgets = tree->engine->budgets;
	if (budget_is_own(budgets, node->place->id, period_of(node))) {
		budget_set(budgets, node->place->id, period_of(node), BUDGET_INHERIT, NULL);
	}
}

ACCEPT(accept_budget) {
	(void)who;
	struct budgets *budgets = tree->engine->budgets;
	enum budget_period period = period_of(node);
	cleanup_free char *amount = trimmed(text, size);
	int64_t limit = BUDGET_NONE;
	if (amount == NULL) {
		fail_set(fail, ENOMEM, "no memory");
		return -1;
	}
	if (size > AMOUNT_MOST || strlen(amount) > AMOUNT_MOST ||
			(amount[0] != '\0' && strcmp(amount, "none") != 0 &&
					!usd_parse(amount, &limit))) {
		fail_set(fail, EINVAL,
				"budget/%s: '%.40s' is not an amount of USD, such as 2 or 0.50; "
				"none: no limit; an empty line: what config.yml says",
				node->entry->name, amount);
		return -1;
	}
	if (moment != AT_RELEASE) {
		return 0;
	}
	if (amount[0] == '\0') {
		budget_reset(tree, node);
	} else if (limit != budget_limit(budgets, node->place, period) &&
			!budget_set(budgets, node->place->id, period, limit, fail)) {
		return -1;
	}
	return 0;
}
