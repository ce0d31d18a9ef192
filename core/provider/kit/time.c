/* Times as services write them: see conduit/kit/time.h. */
#include <conduit/kit/time.h>

#include <ctype.h>
#include <stddef.h>

/* Reads exactly `digits` digits, moving on. */
static bool number(const char **text, int digits, int *ret) {
	int value = 0;
	for (int i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)(*text)[i])) {
			return false;
		}
		value = value * 10 + ((*text)[i] - '0');
	}
	*text += digits;
	*ret = value;
	return true;
}

static bool literal(const char **text, char byte) {
	if (**text != byte) {
		return false;
	}
	(*text)++;
	return true;
}

static int days_in_month(int year, int month) {
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days from 1970-01-01. Years count from March here, so that a leap day is a year's last. */
static int64_t days_from_epoch(int year, int month, int day) {
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static bool date(const char **text, int64_t *days) {
	int year;
	int month;
	int day;
	if (!number(text, 4, &year) || !literal(text, '-') || !number(text, 2, &month) ||
			!literal(text, '-') || !number(text, 2, &day)) {
		return false;
	}
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
		return false;
	}
	*days = days_from_epoch(year, month, day);
	return true;
}

static bool time_of_day(const char **text, int *seconds) {
	int hour;
	int minute;
	int second;
	if (!number(text, 2, &hour) || !literal(text, ':') || !number(text, 2, &minute) ||
			!literal(text, ':') || !number(text, 2, &second)) {
		return false;
	}
	if (hour > 23 || minute > 59 || second > 60) {
		return false;
	}
	if (literal(text, '.')) {
		if (!isdigit((unsigned char)**text)) {
			return false;
		}
		while (isdigit((unsigned char)**text)) {
			(*text)++;
		}
	}
	*seconds = hour * 3600 + minute * 60 + second;
	return true;
}

static bool offset(const char **text, int *seconds) {
	*seconds = 0;
	if (literal(text, 'Z') || literal(text, 'z')) {
		return true;
	}
	int sign = **text == '-' ? -1 : 1;
	int hours;
	int minutes;
	if ((!literal(text, '+') && !literal(text, '-')) || !number(text, 2, &hours) ||
			!literal(text, ':') || !number(text, 2, &minutes) || hours > 23 ||
			minutes > 59) {
		return false;
	}
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool conduit_time_rfc3339(const char *text, int64_t *ret) {
	int64_t days;
	int seconds;
	int east;
	if (text == NULL || !date(&text, &days)) {
		return false;
	}
	if (!literal(&text, 'T') && !literal(&text, 't') && !literal(&text, ' ')) {
		return false;
	}
	if (!time_of_day(&text, &seconds) || !offset(&text, &east) || *text != '\0') {
		return false;
	}
	*ret = days * 86400 + seconds - east;
	return true;
}
