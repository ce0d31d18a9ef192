/* Text of unknown origin made fit to be shown: valid UTF-8, no control bytes, bounded. For failure
 * words, log lines and names that came from a service or a provider. */
#ifndef CORE_BASE_PLAIN_H
#define CORE_BASE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/* A copy of at most `most` bytes (never cut inside a character), to be freed; NULL without memory.
 * Bytes that aren't UTF-8 become U+FFFD; control bytes become blanks, but for newlines and tabs
 * when `keep_lines`. */
char *plain_text(const char *text, size_t size, size_t most, bool keep_lines);

#endif
