/* Kit: times as services write them. */
#ifndef CONDUIT_KIT_TIME_H
#define CONDUIT_KIT_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* "2025-05-26T17:02:03.5+02:00" (RFC 3339, years 0000 to 9999; a blank or 't' instead of 'T', a
 * lower-case 'z' and a leap second are accepted, fractions of a second dropped) as Unix seconds.
 * False, and *ret untouched, when the text is anything else. */
bool conduit_time_rfc3339(const char *text, int64_t *ret);

#endif
