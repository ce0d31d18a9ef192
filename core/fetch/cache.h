/* The cache of fetched and built providers (fetch.h says how it is laid out): its names, and
 * what is in it. */
#ifndef CORE_FETCH_CACHE_H
#define CORE_FETCH_CACHE_H

#include "core/fetch/fetch.h"

#include <stdbool.h>
#include <stdint.h>

#define CACHE_MANIFEST "MediaConduit.provider.yml"
/* A hash as it stands in names. */
#define CACHE_HASH_SIZE 17

/* Makes the directories that aren't there, 0700. */
bool cache_make(const char *cache, struct fail *fail);
/* The hash of an address or path: a name, not a seal. */
void cache_hash(const char *text, char ret[CACHE_HASH_SIZE]);
/* "COMMIT-PATHHASH"; the caller frees; NULL without memory. */
char *cache_key(const char *commit, const char *path);
/* CACHE/BELOW/NAME; the caller frees; NULL with words. */
char *cache_path(const char *cache, const char *below, const char *name, struct fail *fail);
/* A commit as it may stand in names: 40 hex digits, "tree-" in front or not. */
bool cache_commit_valid(const char *commit);
/* "COMMIT-PATHHASH-abi1-x86_64-", before the hash of the flags. */
char *cache_built_prefix(const char *commit, const char *path);

/* Fills in `files`, `object` and `messages` from what is there; false when something is missing. */
bool cache_find(const char *cache, const char *path, const char *commit, struct fetch_result *ret);
/* Sets `hold` of a result whose files are there: a shared lock of their entry's directory. */
void cache_hold(struct fetch_result *result);

#endif
