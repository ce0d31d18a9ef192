/* Fetching and building a provider, from the outside: runs conduitfs-fetch, a process of its own,
 * and tells of its progress, so that whoever has a loop never waits for git or a compiler. Used by
 * the daemon and by `conduitfs provider`.
 *
 * The cache ($XDG_CACHE_HOME/conduitfs/providers, 0700):
 *
 *     git/URLHASH.git/                       a bare repository an address, fetched into again
 *     files/COMMIT-PATHHASH/files, tree      the checked files of one commit, read-only; git's hash
 *     built/COMMIT-PATHHASH-abi1-x86_64-FLAGSHASH/provider.so, messages
 *
 * Each appears by one rename, whole or not at all; half ones lie in tmp/ and are removed when no
 * process holds their lock. For a directory as a source COMMIT is "tree-" and a hash of the files
 * that count, so that nothing stale is ever used. */
#ifndef CORE_FETCH_FETCH_H
#define CORE_FETCH_FETCH_H

#include "core/fetch/source.h"

#include <limits.h>
#include <stdint.h>
#include <uv.h>

struct fetch;

#define FETCH_COMMIT_SIZE 80 /* a hash in hex or "tree-" and one, with its NUL */

struct fetch_options {
	const char *program; /* absolute path of conduitfs-fetch */
	const char *cache; /* absolute; made when it isn't there */
	const char *include; /* where <conduit/provider.h> lies, for the compiler */
	const char *ca_file; /* a CA bundle to trust instead of the system's; NULL: the system's */
	const char *const *pkg_config; /* names that manifests may ask for, ended by NULL; NULL:
					  the standard list */
	bool without_landlock; /* go on where the kernel has none (`sandbox: seccomp`); then what
				  has sources is refused all the same, for building needs it */
	double stall_seconds; /* without any progress; 0: 60 */
	double total_seconds; /* fetch and build together; 0: 900 */
};

struct fetch_request {
	const struct source *source; /* git or directory */
	const char *commit; /* exactly this one (a lock's), no matter where the ref points; NULL:
			       what the ref leads to now */
	const char *previous; /* the one in use, to be compared with; NULL none */
};

enum fetch_stage { FETCH_CONNECTING, FETCH_RECEIVING, FETCH_CHECKING, FETCH_BUILDING };

struct fetch_progress {
	enum fetch_stage stage;
	uint64_t objects, objects_total, bytes; /* total 0: not known yet */
	const char *words; /* one line: "receiving objects 12 of 80, 34 KiB", "compiling provider.c"
			    */
};

struct fetch_result {
	int code; /* 0, or errno; the rest but for `words` and `messages` means something at 0 only
		   */
	char *words; /* of a failure: what, where, what to do; "" else */
	char commit[FETCH_COMMIT_SIZE]; /* what it is, full */
	char tree[FETCH_COMMIT_SIZE]; /* git's tree hash of the (sub-)directory; a directory's own
					 hash for SOURCE_DIRECTORY */
	bool rewritten; /* `previous` isn't in its history: a forced push */
	char *files; /* the directory that holds MediaConduit.provider.yml */
	char *object; /* the built object, "" for a manifest without sources */
	char *messages; /* the compiler's, bounded, plain text; "" none */
	int hold; /* a descriptor that keeps fetch_prune of any process away from them while it is
		     open: take it (leaving 0) to keep them, or fetch_result_finish closes it; 0
		     none */
};

/* From the loop, never from inside fetch_begin. */
struct fetch_events {
	void (*progress)(void *data, const struct fetch_progress *progress);
	/* Exactly once, last; but for `hold`, which may be taken, `result` is the fetch's again
	 * after it, and that frees itself. */
	void (*end)(void *data, struct fetch_result *result);
};

/* Copies what it needs. NULL with words when the program can't be started. Two fetches of the same
 * source, in one process or several, share one download and one build: the later waits for the
 * earlier's lock. */
struct fetch *fetch_begin(uv_loop_t *loop, const struct fetch_options *options,
		const struct fetch_request *request, const struct fetch_events *events, void *data,
		struct fail *fail);
/* Ends the program and its children; no further event. NULL is fine. */
void fetch_cancel(struct fetch *fetch);

/* What the cache holds of a locked commit, without starting anything: true when all that is needed
 * is there (the object too, when the manifest has sources). Finish the result. */
bool fetch_cached(const struct fetch_options *options, const struct source *source,
		const char *commit, struct fetch_result *ret);
void fetch_result_finish(struct fetch_result *result);

/* $XDG_CACHE_HOME/conduitfs/providers; the caller frees, NULL without memory. */
char *fetch_cache_directory(void);
/* Removes from the cache what none of `commits` (ended by NULL) needs and nobody holds or fetches
 * now. False with words when something could not be removed; `ret_bytes`: what it freed. */
bool fetch_prune(const char *cache, const char *const *commits, uint64_t *ret_bytes,
		struct fail *fail);

#endif
