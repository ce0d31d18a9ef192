/* What config.yml says of money: a provider's `price:`. */
#ifndef CORE_CONFIG_MONEY_H
#define CORE_CONFIG_MONEY_H

#include <stdbool.h>
#include <stdint.h>

/* What a provider's models cost where the service states no price: USD for a token, a token, a
 * request. What isn't named costs nothing. */
struct config_price {
	bool stated;
	double prompt, completion, request;
};

#endif
