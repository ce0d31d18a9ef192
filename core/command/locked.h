/* providers.lock and the cache, as the subcommands that load and pin use them. Private to
 * core/command. */
#ifndef CORE_COMMAND_LOCKED_H
#define CORE_COMMAND_LOCKED_H

#include "core/base/fail.h"
#include "core/command/fetching.h"
#include "core/config/locate.h"
#include "core/config/manifest/manifest.h"
#include "core/config/providers_lock.h"
#include "core/fetch/source.h"

#include <stdbool.h>

struct locked {
	struct parts parts;
	char *path; /* of providers.lock */
	char *cache;
	struct providers_lock lock; /* as it was when it was opened */
};

/* `ret` starts as zeros, and is to be finished also after a failure. False with words. */
bool locked_open(struct locked *ret, struct fail *fail);
void locked_finish(struct locked *locked);
/* The entry of this name; NULL with words that name those there are. */
struct lock_entry *locked_find(struct locked *locked, const char *name, struct fail *fail);
/* How to make a mounted tree follow, on stdout; that nothing is pinned, on stderr. */
void locked_tell_reload(void);
void locked_tell_none(void);

/* A commit for people: its first 12 digits. */
#define SHORT_COMMIT 24
const char *short_commit(const char *commit, char ret[SHORT_COMMIT]);

/* What came in: a commit of a source, its manifest, and what that asks for. */
struct arrived {
	struct fetched fetched;
	struct manifest manifest;
	struct consent asked;
	char *stand_in; /* it holds nothing that runs here: the bundled provider in its stead; NULL
			 */
};

/* What is fetched: exactly a commit, or (NULL or "") what the ref leads to now. */
struct wanted {
	const struct source *source;
	const char *commit;
	const char *previous; /* the commit in use, of which fetched.rewritten tells; NULL none */
};

/* Fetches and builds, with progress. What the compiler says goes to stderr when it refuses. `ret`
 * starts as zeros, and is to be finished also after a failure. */
bool arrive(const struct locked *locked, const struct wanted *wanted, struct arrived *ret,
		struct fail *fail);
void arrived_finish(struct arrived *arrived);

/* Whether `name` is a bundled provider's. */
bool is_bundled(const struct parts *parts, const char *name);

enum answer {
	ANSWER_YES, /* it is granted: by the grant there is, by --yes, by a person */
	ANSWER_NO,
	ANSWER_NOBODY, /* there is no terminal to ask at */
};

/* Shows what a provider asks for and asks for it, unless `granted` (NULL: nothing) covers it. */
enum answer ask_grant(const struct locked *locked, const char *name, const struct arrived *arrived,
		const struct consent *granted, bool yes);

#endif
