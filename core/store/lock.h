/* The lock that keeps two daemons from one state directory, and the mark by which the next one
 * knows whether this one ended in order: the lock file holds the pid while the store is open and is
 * empty after a clean close. */
#ifndef CORE_STORE_LOCK_H
#define CORE_STORE_LOCK_H

#include "core/base/fail.h"

#include <stdbool.h>

/* Takes the lock of `directory`. Returns a descriptor (close-on-exec) that holds it until it is
 * closed, or -1: EBUSY with the other's pid in the words, or why the file can't be made.
 * `ret_unclean`: the last holder didn't say lock_mark_clean. */
int lock_take(const char *directory, bool *ret_unclean, struct fail *fail);
void lock_mark_clean(int fd);

#endif
