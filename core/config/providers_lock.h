/* providers.lock: which commit each provider from outside is pinned to, and what the user granted
 * it. YAML, made to be committed to a team's repository, so that entries are sorted by name and a
 * line changes only when its meaning does. Lies at $XDG_CONFIG_HOME/conduitfs/providers.lock.
 *
 *     # Written by conduitfs: the providers that are loaded, each pinned to a commit.
 *     version: 1
 *     providers:
 *       acme:
 *         source: https://github.com/acme/acme-provider@v1.2
 *         commit: 0123…
 *         tree: 4567…
 *         previous: {commit: 89ab…, tree: cdef…}
 *         allow:
 *           key: ACME_API_KEY
 *           key_hosts: [api.acme.dev]
 *           hosts: [cdn.acme.dev]
 *           programs: [ffmpeg]
 */
#ifndef CORE_CONFIG_PROVIDERS_LOCK_H
#define CORE_CONFIG_PROVIDERS_LOCK_H

#include "core/config/consent.h"

struct lock_entry {
	char *name; /* in the tree */
	char *source; /* as source_parse's canonical text */
	char *commit, *tree; /* "" while the first fetch hasn't ended */
	char *previous_commit, *previous_tree; /* what `rollback` goes back to; "" none */
	bool has_allow;
	struct consent allow;
};

struct providers_lock {
	char *path;
	struct lock_entry *entries; /* sorted by name */
	size_t n_entries;
};

/* A file that isn't there is an empty lock. False with words: one line a fault. Names, hashes and
 * grants are checked; a source only for its bytes, so that source_parse must follow. */
bool providers_lock_read(struct providers_lock *ret, const char *path, struct fail *fail);
void providers_lock_finish(struct providers_lock *lock);
struct lock_entry *providers_lock_find(struct providers_lock *lock, const char *name);
/* Finds or adds; NULL without memory. Pointers to entries are good until the next add or remove. */
struct lock_entry *providers_lock_add(struct providers_lock *lock, const char *name);
void providers_lock_remove(struct providers_lock *lock, const char *name);
bool lock_entry_set(char **member, const char *value);
/* Frees what it holds. */
void lock_entry_finish(struct lock_entry *entry);

/* Changes the file: takes the advisory lock (PATH.lock; at most two seconds, then EBUSY with
 * words), reads it afresh, calls `change`, and when that returns true replaces the file by rename,
 * fsynced, 0600. Comments of a person's own are not kept. What could not be read again is refused
 * with EINVAL. May wait, and fsyncs: short, but not for a loop that answers within ms. */
bool providers_lock_edit(const char *path,
		bool (*change)(struct providers_lock *lock, void *data, struct fail *fail),
		void *data, struct fail *fail);

#endif
