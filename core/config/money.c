/* Budgets and prices of config.yml: see money.h. */
#include "core/config/money_fields.h"

#include "core/base/usd.h"

#include <stddef.h>
#include <stdio.h>

const char *const budget_names[BUDGET_PERIODS] = {"day", "month", "total"};

/* A map of this file's, whose place is named after it. */
static void read_members(const struct place *place, const struct yaml_node *node,
		const struct field *fields, size_t n_fields, void *into) {
	char name[256];
	snprintf(name, sizeof(name), "%.128s%s%.64s", place->name,
			place->name[0] != '\0' ? "." : "", node->name);
	const struct place inside = {place->faults, name};
	fields_read(&inside, node, fields, n_fields, UNKNOWN_REFUSED, "setting", into);
}

/* An amount that the file states; false with a fault. */
static bool read_usd(const struct place *place, const struct yaml_node *node, int64_t *ret) {
	const char *text = node_text(place, node);
	if (text == NULL) {
		return false;
	}
	if (!usd_parse(text, ret)) {
		place_fault(place, node, "'%s' is not an amount of USD, such as 2 or 0.50", text);
		return false;
	}
	return true;
}

#define LIMIT(name, period)                                                                        \
	static void read_##name(                                                                   \
			const struct place *place, const struct yaml_node *node, void *into) {     \
		struct config_budget *budget = into;                                               \
		read_usd(place, node, &budget->limit[period]);                                     \
	}
LIMIT(day, BUDGET_DAY)
LIMIT(month, BUDGET_MONTH)
LIMIT(total, BUDGET_TOTAL)

void budget_read(const struct place *place, const struct yaml_node *node,
		struct config_budget *ret) {
	static const struct field fields[] = {
			{"day", FIELD_SPECIAL, .read = read_day},
			{"month", FIELD_SPECIAL, .read = read_month},
			{"total", FIELD_SPECIAL, .read = read_total},
	};
	read_members(place, node, FIELDS(fields), ret);
}

static void read_price(const struct place *place, const struct yaml_node *node, double units,
		double *ret) {
	int64_t pico = 0;
	if (read_usd(place, node, &pico)) {
		*ret = (double)pico / (double)USD / units;
	}
}

#define PRICE(name, units)                                                                         \
	static void read_##name(                                                                   \
			const struct place *place, const struct yaml_node *node, void *into) {     \
		struct config_price *price = into;                                                 \
		read_price(place, node, units, &price->name);                                      \
	}
PRICE(prompt, 1e6)
PRICE(completion, 1e6)
PRICE(request, 1)

void price_read(const struct place *place, const struct yaml_node *node, struct config_price *ret) {
	static const struct field fields[] = {
			{"prompt", FIELD_SPECIAL, .read = read_prompt},
			{"completion", FIELD_SPECIAL, .read = read_completion},
			{"request", FIELD_SPECIAL, .read = read_request},
	};
	ret->stated = true;
	read_members(place, node, FIELDS(fields), ret);
}
