/* Where a person's files lie: ~ and the XDG base directories (XDG Base Directory Specification
 * 0.8). */
#ifndef CORE_CONFIG_PATHS_H
#define CORE_CONFIG_PATHS_H

#include "core/base/fail.h"

/* An absolute path as it is, "~" and "~/…" with the home directory in its place; the caller frees.
 * NULL with words for anything else. */
char *path_expand(const char *text, struct fail *fail);

/* $VARIABLE/conduitfs, or HOME/FALLBACK/conduitfs when the variable is unset or not absolute (which
 * the specification says to ignore); the caller frees. NULL with words when no home is known. */
char *path_xdg(const char *variable, const char *fallback, struct fail *fail);

#endif
