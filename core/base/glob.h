/* Shell patterns over whole strings, in time that no pattern can make long: fnmatch(3) takes
 * exponential time for some, and these come from outside. */
#ifndef CORE_BASE_GLOB_H
#define CORE_BASE_GLOB_H

#include <stdbool.h>

/* `*` any bytes ('/' too), `?` one character, `[abc]` `[a-z]` `[!a]` one of these bytes or none of
 * them, `\x` the byte x itself; a '[' that nothing closes matches nothing. At most the product of
 * both lengths in steps. */
bool glob_match(const char *pattern, const char *text);

#endif
