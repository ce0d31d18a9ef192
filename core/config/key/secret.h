/* Memory for keys: outside the heap, left out of core dumps, wiped when it is given back. */
#ifndef CORE_CONFIG_KEY_SECRET_H
#define CORE_CONFIG_KEY_SECRET_H

#include "core/base/buf.h"

#include <stddef.h>

/* `size` zeroed bytes, or NULL without memory. */
void *secret_map(size_t size);
/* With the size it was mapped with. NULL is fine. */
void secret_unmap(void *memory, size_t size);

/* Wipe what lies in the heap after all, then free it. */
void secret_free_string(char *text);
void secret_finish_buf(struct buf *buf);

#define cleanup_secret_buf cleanup(secret_finish_buf)

#endif
