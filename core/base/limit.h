/* What a model says of one of its settings: its range, its choices, its default. Several are kept
 * as one text, which the catalogue stores as it is. */
#ifndef CORE_BASE_LIMIT_H
#define CORE_BASE_LIMIT_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Of one model: so many, and so many bytes as text. */
#define LIMITS_MOST 64
#define LIMITS_BYTES_MOST ((size_t)64 << 10)

struct limit {
	const char *name; /* a setting's */
	double least, most; /* infinite where there is no bound */
	const char *choices; /* one a line, "*" alone for others as well; "": any value */
	const char *standard; /* what holds where the setting isn't set; "" unknown */
	const char *help; /* a sentence; "" none */
};

struct limits {
	struct limit *list; /* their strings lie in `text` */
	size_t n;
	char *text;
};

/* Appends a limit to a text of them; NULL strings count as "", a bound that is NAN as none,
 * and so do both where both are 0. What
 * isn't fit for a line (a control character) becomes a blank. False as buf_add. */
bool limits_add(struct buf *text, const struct limit *limit);
/* Reads such a text; what doesn't read as a limit ends it. Frees nothing of `ret` before. False
 * without memory. */
bool limits_read(const char *text, struct limits *ret);
void limits_finish(struct limits *limits);
/* The limit of a setting, or NULL. */
const struct limit *limits_find(const struct limits *limits, const char *name);

/* The next line of choices: moves *at past it and gives its length, at *ret; "*" is passed over.
 * False at the end. */
bool limit_choice(const char **at, const char **ret, size_t *ret_length);
/* Whether values beside the choices are taken too: "*" is among them, or there are none. */
bool limit_is_open(const struct limit *limit);

#endif
