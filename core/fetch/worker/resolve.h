/* Which commit a person's `@REF` means in a remote repository. Never a guess: what is not there, or
 * may be two things, is refused with the names that are there. */
#ifndef CORE_FETCH_WORKER_RESOLVE_H
#define CORE_FETCH_WORKER_RESOLVE_H

#include "core/base/fail.h"

#include <git2.h>
#include <stdbool.h>
#include <stddef.h>

/* What the remote says it has. */
struct heads {
	const git_remote_head **head;
	size_t n;
};

enum meaning {
	MEANS_NAME, /* `id`, which the remote's ref `name` leads to; a tag's own object */
	MEANS_COMMIT, /* `id`, in full; `name` a ref that leads there, or "" */
	MEANS_SHORT_COMMIT, /* it begins with `name`, which no ref does: to be looked for in all */
};

struct meaning_of {
	enum meaning meaning;
	git_oid id;
	char name[256];
};

/* `ref` is "" for the remote's HEAD. False with words: ENOENT, or EINVAL for what is ambiguous. */
bool resolve(const struct heads *heads, const char *ref, struct meaning_of *ret, struct fail *fail);
/* 40 hex digits. */
bool is_full_commit(const char *ref);
/* "main, v1, v2 and 40 more": what the remote has, a few; the caller frees, NULL without memory. */
char *refs_there(const struct heads *heads);

#endif
