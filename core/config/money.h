/* What config.yml says of money: `budget:` and a provider's `price:`. */
#ifndef CORE_CONFIG_MONEY_H
#define CORE_CONFIG_MONEY_H

#include <stdbool.h>
#include <stdint.h>

enum budget_period { BUDGET_DAY, BUDGET_MONTH, BUDGET_TOTAL };
enum { BUDGET_PERIODS = 3 };

/* The names of the periods, in the order of the enum: of members and of files. */
extern const char *const budget_names[BUDGET_PERIODS];

/* Limits in pico-USD; BUDGET_NONE where nothing is said. */
struct config_budget {
	int64_t limit[BUDGET_PERIODS];
};
#define BUDGET_NONE INT64_C(-1)
#define BUDGETS_NONE                                                                               \
	{                                                                                          \
		{ BUDGET_NONE, BUDGET_NONE, BUDGET_NONE }                                          \
	}

/* What a provider's models cost where the service states no price: USD for a token, a token, a
 * request. What isn't named costs nothing. */
struct config_price {
	bool stated;
	double prompt, completion, request;
};

#endif
