/* Checking a setting's value against what a model says of it: see setting_check_within in
 * settings.h. */
#include "core/config/settings.h"

#include "core/base/text.h"
#include "core/config/settings_private.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* So many choices, and bytes of them, are told in words; of more the nearest is. */
#define TOLD_MOST 12
#define TOLD_BYTES 300
/* Among so many the nearest is looked for. */
#define NEAREST_MOST 2048

static bool counts(enum setting_type type) {
	return type == SETTING_NUMBER || type == SETTING_INTEGER || type == SETTING_SECONDS;
}

/* The table's row with the model's range and choices in place of its own. */
static struct setting_spec narrowed(const struct setting_spec *spec, const struct limit *limit) {
	struct setting_spec ret = *spec;
	bool ranges = isfinite(limit->least) || isfinite(limit->most);
	ret.least = isfinite(limit->least) || !counts(spec->type) ? limit->least : spec->least;
	ret.most = isfinite(limit->most) || !counts(spec->type) ? limit->most : spec->most;
	if (spec->type == SETTING_WORD && ranges && limit->choices[0] == '\0') {
		ret.type = SETTING_NUMBER;
	} else if (spec->type == SETTING_CHOICE && limit->choices[0] != '\0') {
		ret.type = SETTING_WORD;
	}
	return ret;
}

/* The choice that the value is, as it is told, or NULL. */
static char *chosen(const struct setting_spec *spec, const struct limit *limit, const char *value) {
	const char *at = limit->choices, *choice;
	size_t length;
	while (limit_choice(&at, &choice, &length)) {
		cleanup_free char *text = strndup(choice, length);
		cleanup_free char *kept = text != NULL ? setting_check_type(spec, text, NULL)
						       : NULL;
		if (kept != NULL && strcasecmp(kept, value) == 0) {
			return take(kept);
		}
	}
	return NULL;
}

static void add_nearest(const struct limit *limit, const char *value, struct buf *words) {
	cleanup_free char *copy = strdup(limit->choices);
	cleanup_free const char **names = calloc(NEAREST_MOST, sizeof(*names));
	const char *at = copy, *choice;
	size_t n = 0, length;
	while (copy != NULL && names != NULL && n < NEAREST_MOST &&
			limit_choice(&at, &choice, &length)) {
		copy[choice - copy + (ptrdiff_t)length] = '\0';
		names[n++] = choice;
	}
	const char *nearest = n != 0 ? nearest_name(value, names, n) : NULL;
	for (size_t i = 0; nearest == NULL && i < n && i < 3; i++) {
		buf_add_format(words, "%s%s", i == 0 ? ", as " : ", ", names[i]);
	}
	if (nearest != NULL) {
		buf_add_format(words, "; the nearest is '%s'", nearest);
	}
}

static void refuse(const struct setting_spec *spec, const struct limit *limit, const char *value,
		struct fail *fail) {
	cleanup_buf struct buf words = {0};
	const char *at = limit->choices, *choice;
	size_t n = 0, length;
	while (limit_choice(&at, &choice, &length)) {
		buf_add_format(&words, "%s%.*s", n == 0 ? "is none of " : ", ", (int)length,
				choice);
		n++;
	}
	if (n > TOLD_MOST || words.size > TOLD_BYTES) {
		buf_clear(&words);
		buf_add_format(&words, "is none of the %zu that the model takes", n);
		add_nearest(limit, value, &words);
	}
	setting_refuse(fail, EINVAL, spec, value, buf_string(&words));
}

char *setting_check_limit(const struct setting_spec *spec, const struct limit *limit,
		const char *text, struct fail *fail) {
	const struct setting_spec own = narrowed(spec, limit);
	cleanup_free char *value = setting_check_type(&own, text, fail);
	if (value == NULL || limit->choices[0] == '\0') {
		return take(value);
	}
	char *choice = chosen(&own, limit, value);
	if (choice == NULL && limit_is_open(limit)) {
		return take(value);
	}
	if (choice == NULL) {
		refuse(spec, limit, value, fail);
	}
	return choice;
}
