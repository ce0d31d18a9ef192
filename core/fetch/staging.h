/* How things get into the cache and out of it: locks between processes, and directories that appear
 * whole or not at all, whenever their maker is killed. */
#ifndef CORE_FETCH_STAGING_H
#define CORE_FETCH_STAGING_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes locks/NAME, calling `waiting` before it waits for another process; -1 with words. Closing
 * the descriptor gives it back. */
int cache_lock(const char *cache, const char *name, void (*waiting)(void *data), void *data,
		struct fail *fail);
/* The same without waiting: -1 with EWOULDBLOCK when somebody holds it. */
int cache_try_lock(const char *cache, const char *name, struct fail *fail);

/* A directory of this process's own in tmp/, locked: others remove it once the process is gone. */
struct staging {
	char *path;
	int fd;
};

bool staging_make(struct staging *ret, const char *cache, struct fail *fail);
/* Removes what is still in it. */
void staging_finish(struct staging *staging);
/* A file that isn't there yet: 0444, synced. */
bool staging_write(const char *path, const void *bytes, size_t size, struct fail *fail);
/* Moves what lies at `from` to `to`, where it may have appeared meanwhile; synced. */
bool staging_publish(const char *from, const char *to, struct fail *fail);
/* Removes from tmp/ what nobody holds; `ret_bytes` grows by what that freed. */
void staging_sweep(const char *cache, uint64_t *ret_bytes);
/* rm -r; fine when nothing is there. */
bool cache_remove(const char *path, uint64_t *ret_bytes, struct fail *fail);

#define cleanup_staging cleanup(staging_finish)

#endif
