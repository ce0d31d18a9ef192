/* A failure as it travels: an errno for programs and words for people. The words name the thing,
 * the value and the remedy, and never hold a key. */
#ifndef CORE_BASE_FAIL_H
#define CORE_BASE_FAIL_H

#include "core/base/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>

struct fail {
	int code; /* errno; 0 while nothing failed */
	char *words; /* owned; NULL while nothing failed or memory was short */
};

/* Sets both, replacing what was there; returns false, so that `return fail_set(…)` reads well.
 * `fail` may be NULL when nobody wants to know. */
bool fail_set(struct fail *fail, int code, const char *format, ...)
		__attribute__((format(printf, 3, 4)));
bool fail_vset(struct fail *fail, int code, const char *format, va_list args)
		__attribute__((format(printf, 3, 0)));
/* The words, or strerror of the code; never NULL. */
const char *fail_words(const struct fail *fail);
void fail_finish(struct fail *fail);

/* The symbolic name of an errno ("ENOKEY"), or "E<number>" for one that has none here. */
const char *errno_name(int code);

#define cleanup_fail cleanup(fail_finish)

#endif
