/* Amounts of money: see usd.h. */
#include "core/base/usd.h"

#include "core/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define DECIMALS 12

static bool shift_in(int64_t *value, int digit) {
	if (*value > (USD_MOST - digit) / 10) {
		return false;
	}
	*value = *value * 10 + digit;
	return true;
}

/* "1.25e-05", as programs write small numbers. */
static bool parse_exponent(const char *text, const char *exponent, int64_t *ret) {
	const char *digits = exponent + 1 + (exponent[1] == '-' || exponent[1] == '+');
	double usd = 0;
	if (exponent == text || digits[0] == '\0' ||
			strspn(digits, "0123456789") != strlen(digits) ||
			!parse_double(text, &usd)) {
		return false;
	}
	int64_t value = usd_from(usd);
	if (value < 0) {
		return false;
	}
	*ret = value;
	return true;
}

bool usd_parse(const char *text, int64_t *ret) {
	size_t whole = strspn(text, "0123456789");
	const char *point = text + whole;
	size_t decimals = *point == '.' ? strspn(point + 1, "0123456789") : 0;
	const char *end = *point == '.' ? point + 1 + decimals : point;
	if (whole + decimals > 0 && (*end == 'e' || *end == 'E')) {
		return parse_exponent(text, end, ret);
	}
	if (whole + decimals == 0 || *end != '\0' || decimals > DECIMALS) {
		return false;
	}
	int64_t value = 0;
	for (const char *digit = text; digit < end; digit++) {
		if (*digit != '.' && !shift_in(&value, *digit - '0')) {
			return false;
		}
	}
	for (size_t i = decimals; i < DECIMALS; i++) {
		if (!shift_in(&value, 0)) {
			return false;
		}
	}
	*ret = value;
	return true;
}

bool usd_add(struct buf *out, int64_t pico) {
	char decimal[64];
	int length = snprintf(decimal, sizeof(decimal), "%" PRId64 ".%012" PRId64, pico / USD,
			pico % USD);
	while (decimal[length - 1] == '0') {
		length--;
	}
	length -= decimal[length - 1] == '.';
	return buf_add(out, decimal, (size_t)length);
}

static int64_t from(double pico) {
	return pico >= 0 && pico <= (double)USD_MOST ? (int64_t)pico : -1;
}

int64_t usd_from(double usd) {
	return from(round(usd * (double)USD));
}

int64_t usd_from_up(double usd) {
	return from(ceil(usd * (double)USD));
}

int64_t usd_sum(int64_t a, int64_t b) {
	int64_t sum;
	a = a > 0 ? a : 0;
	b = b > 0 ? b : 0;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}
