/* Amounts of money. They are kept as pico-USD (1e-12 USD) in an int64_t, which is exact for any
 * price of a token, and are written as plain decimals of USD. */
#ifndef CORE_BASE_USD_H
#define CORE_BASE_USD_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define USD INT64_C(1000000000000)
/* The largest amount that is believed: a million USD. */
#define USD_MOST (INT64_C(1000000) * USD)

/* "2", "2.00", ".5", "0.0000125": digits with at most one point and at most twelve of them behind
 * it, or "1.25e-05" as programs write that; up to USD_MOST. No sign, blank or currency. */
bool usd_parse(const char *text, int64_t *ret);
/* The amount as a plain decimal without zeros at its end: "0.00000034". False as buf_add. */
bool usd_add(struct buf *out, int64_t pico);
/* USD as pico-USD, rounded; -1 for what is negative, not finite or above USD_MOST. */
int64_t usd_from(double usd);
/* The same rounded up, so that a bound stays one. */
int64_t usd_from_up(double usd);
/* Both added, INT64_MAX when that doesn't fit; negative ones (unknown) count as 0. */
int64_t usd_sum(int64_t a, int64_t b);

#endif
