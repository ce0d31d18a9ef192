/* Reading `budget:` and `price:` of config.yml: see money.h. Private to core/config. */
#ifndef CORE_CONFIG_MONEY_FIELDS_H
#define CORE_CONFIG_MONEY_FIELDS_H

#include "core/config/money.h"
#include "core/config/yaml/fields.h"

/* `budget: {day: 2.00, month: 30, total: 100}`, in USD. */
void budget_read(
		const struct place *place, const struct yaml_node *node, struct config_budget *ret);
/* `price: {prompt: 0.5, completion: 1.5, request: 0.01}`: USD for a million tokens, for a million
 * tokens, for one request, as a model's info/ shows prices. */
void price_read(const struct place *place, const struct yaml_node *node, struct config_price *ret);

#endif
