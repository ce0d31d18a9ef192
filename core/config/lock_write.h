/* providers.lock as text: one way to write each lock, so that what was read and is written again
 * has the same bytes. */
#ifndef CORE_CONFIG_LOCK_WRITE_H
#define CORE_CONFIG_LOCK_WRITE_H

#include "core/config/providers_lock.h"

/* False as buf_add. */
bool lock_write(const struct providers_lock *lock, struct buf *out);

#endif
