/* Prices out of a list: see prices.h. */
#include "core/provider/kit/openai/prices.h"

#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* No service asks a million dollars for one unit: a price above that is nonsense, not a price. */
#define PRICE_LIMIT 1e6

/* A price as a decimal string or a number. What is no price (1e308, negative but not -1, "free")
 * counts as unstated. */
static bool price_of(const struct conduit_json *value, double *usd) {
	const char *text = conduit_json_string(value, NULL);
	if (text != NULL) {
		if (text[strspn(text, "0123456789.eE+-")] != '\0' || !parse_double(text, usd)) {
			return false;
		}
	} else if (!conduit_json_number(value, NULL, usd)) {
		return false;
	}
	return (*usd >= 0 && *usd <= PRICE_LIMIT) || *usd == -1;
}

static void add(struct openai_prices *prices, const char *name, double usd) {
	if (prices->n < OPENAI_PRICES_MOST) {
		prices->prices[prices->n++] = (struct conduit_price){.name = name, .usd = usd};
	}
}

static void add_tier(struct openai_prices *prices, const struct conduit_json *tier) {
	static const char *const members[] = {"prompt", "completion"};
	int64_t tokens = 0;
	conduit_json_int64(tier, "min_prompt_tokens", &tokens);
	for (size_t i = 0; i < 2 && prices->n_names < OPENAI_TIERS_MOST; i++) {
		char *name = prices->names[prices->n_names];
		double usd;
		const struct conduit_json *price = conduit_json_get(tier, members[i]);
		if (price != NULL && price_of(price, &usd) && usd >= 0) {
			snprintf(name, sizeof(prices->names[0]), "%s@%" PRId64, members[i],
					tokens > 0 ? tokens : 0);
			prices->n_names++;
			add(prices, name, usd);
		}
	}
}

void openai_prices_read(const struct conduit_json *entry, struct openai_prices *ret) {
	const struct conduit_json *pricing = conduit_json_get(entry, "pricing");
	if (conduit_json_type(pricing, NULL) != CONDUIT_JSON_OBJECT) {
		return;
	}
	for (const struct conduit_json *price = conduit_json_first(pricing); price != NULL;
			price = conduit_json_next(price)) {
		double usd;
		if (price_of(price, &usd)) {
			add(ret, conduit_json_name(price), usd);
		}
	}
	const struct conduit_json *tiers = conduit_json_get(pricing, "overrides");
	if (conduit_json_type(tiers, NULL) != CONDUIT_JSON_ARRAY) {
		return;
	}
	for (const struct conduit_json *tier = conduit_json_first(tiers); tier != NULL;
			tier = conduit_json_next(tier)) {
		add_tier(ret, tier);
	}
}
