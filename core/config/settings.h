/* The settings a person finds in a config/ directory: one table that names each, its type, range
 * and default, and checks a value before it is taken. */
#ifndef CORE_CONFIG_SETTINGS_H
#define CORE_CONFIG_SETTINGS_H

#include "core/base/fail.h"
#include "core/base/limit.h"

#include <stdbool.h>
#include <stddef.h>

enum setting_type {
	SETTING_TEXT, /* kept byte for byte but for one trailing newline; valid UTF-8 */
	SETTING_NUMBER, /* within [least, most] */
	SETTING_INTEGER, /* the same; the lexeme is kept (seeds exceed int64) */
	SETTING_SECONDS, /* a number, or 30s 10m 1h 1d; kept as seconds */
	SETTING_CHOICE, /* one of `choices` */
	SETTING_WORD, /* one line without blanks at its ends */
	SETTING_BOOL, /* yes no true false on off 1 0, kept as yes or no */
	SETTING_LINES, /* one value a line */
	SETTING_JSON, /* any JSON value; a bare word of `choices` counts as that string */
	SETTING_OBJECT, /* a JSON object */
	SETTING_ARRAY, /* a JSON array */
};

struct setting_spec {
	const char *name;
	enum setting_type type;
	double least, most; /* infinite where there is no bound */
	const char *const *choices; /* ended by NULL; of a CHOICE a model's may take their place */
	const char *standard; /* the default; "" none */
	bool everywhere; /* in each config/; others only where the model's parameters name them */
	bool to_provider; /* handed to the provider with a turn */
	bool routing; /* says how to choose: in config/ of the root and of routes alone */
	const char *help; /* a sentence */
};

/* The table. An index is part of inode numbers: new entries go to its end, none ever leaves. */
extern const struct setting_spec setting_specs[];
extern const size_t n_setting_specs;

/* The index, or -1. */
int setting_find(const char *name);
/* The name nearest to one that is unknown, or NULL when none is near. */
const char *setting_nearest(const char *wrong);
/* Whether it is among the model's parameters ("temperature,top_p"). */
bool setting_listed(int index, const char *parameters);
/* Whether a model's config/ has this setting: it is one of everywhere, or among the model's
 * parameters ("temperature,top_p" as the catalogue keeps them; NULL: unknown, none). */
bool setting_offered(int index, const char *parameters);

/* Most bytes of a value; a larger one is EFBIG. */
#define SETTING_MOST ((size_t)60 << 10)

/* What SECONDS accept (every wait has an end), and `retries`; config.yml's are the same. */
#define SETTING_SECONDS_LEAST 0.01
#define SETTING_SECONDS_MOST 604800.0
#define SETTING_RETRIES_MOST 20

/* Nothing is left once blanks (of TEXT: one newline at the end) are dropped: it means inherit. */
bool setting_is_empty(int index, const char *text, size_t size);

/* Checks what was written and gives the value to keep (blanks and one newline at the end dropped,
 * canonical form: two spellings of one value give the same, JSON apart, which stays as it is
 * written); the caller frees. NULL with EINVAL, ERANGE or EFBIG and words that name the setting,
 * the value and what is accepted. An empty value is not for here: it means inherit. */
char *setting_check(int index, const char *text, size_t size, struct fail *fail);
/* The same for a model that says what it takes: its range, and its choices in its spelling, count
 * in place of the table's. NULL: it doesn't say. */
char *setting_check_within(int index, const struct limit *limit, const char *text, size_t size,
		struct fail *fail);

#endif
