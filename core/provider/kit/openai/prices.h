/* The prices of a model's entry in a list: `pricing`, as OpenRouter has it. */
#ifndef CORE_PROVIDER_KIT_OPENAI_PRICES_H
#define CORE_PROVIDER_KIT_OPENAI_PRICES_H

#include <conduit/kit/json.h>
#include <conduit/provider.h>

#define OPENAI_PRICES_MOST 64
#define OPENAI_TIERS_MOST 16

struct openai_prices {
	struct conduit_price prices[OPENAI_PRICES_MOST];
	size_t n;
	char names[OPENAI_TIERS_MOST][32]; /* of tiers */
	size_t n_names;
};

/* Besides the prices that stand there, those of `overrides`: what prompts of so many tokens and
 * more cost, as "prompt@200000" and "completion@200000". One that depends on something else, such
 * as the hour, is named "prompt@0": it may always apply. The names are valid as long as `ret` is.
 */
void openai_prices_read(const struct conduit_json *entry, struct openai_prices *ret);

#endif
