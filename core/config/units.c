/* Sizes and durations as people write them: see parse_size and parse_duration in config.h. */
#include "core/config/config.h"

#include "core/base/text.h"

#include <ctype.h>
#include <string.h>

/* Splits "2.5h" into its number and its unit, '\0' when there is none. The number is digits with at
 * most one point: no sign, exponent or hexadecimal. */
static bool split(const char *text, double *ret_number, char *ret_unit) {
	char number[32];
	size_t length = strspn(text, "0123456789.");
	if (length == 0 || length >= sizeof(number) ||
			(text[length] != '\0' && text[length + 1] != '\0')) {
		return false;
	}
	memcpy(number, text, length);
	number[length] = '\0';
	*ret_unit = text[length];
	return isdigit((unsigned char)number[0]) && parse_double(number, ret_number);
}

bool parse_size(const char *text, uint64_t *ret) {
	static const char units[] = "KMGT";
	double number = 0;
	char unit = 0;
	if (!split(text, &number, &unit)) {
		return false;
	}
	if (unit != '\0') {
		const char *at = strchr(units, toupper((unsigned char)unit));
		if (at == NULL) {
			return false;
		}
		number *= (double)(1ULL << (10 * (at - units + 1)));
	}
	/* 2^53: up to here a double counts bytes one by one. */
	if (number > 9007199254740992.0 || number != (double)(uint64_t)number) {
		return false;
	}
	*ret = (uint64_t)number;
	return true;
}

bool parse_duration(const char *text, double *ret) {
	double number = 0;
	char unit = 0;
	if (!split(text, &number, &unit)) {
		return false;
	}
	switch (unit) {
	case '\0':
	case 's':
		break;
	case 'm':
		number *= 60;
		break;
	case 'h':
		number *= 3600;
		break;
	case 'd':
		number *= 86400;
		break;
	default:
		return false;
	}
	*ret = number;
	return true;
}
