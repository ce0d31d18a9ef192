/* Fetching and building a provider while a person waits: progress on stderr, as a bar on a terminal
 * and as lines elsewhere; SIGINT, SIGTERM and SIGHUP end it cleanly. Private to core/command. */
#ifndef CORE_COMMAND_FETCHING_H
#define CORE_COMMAND_FETCHING_H

#include "core/base/fail.h"
#include "core/config/locate.h"
#include "core/fetch/fetch.h"

#include <stdbool.h>

struct fetched {
	char *commit, *tree, *files, *object, *messages; /* as in struct fetch_result */
	bool rewritten; /* the ref leads no more to options.previous: a forced push */
	int hold; /* keeps the files from being pruned; 0 none */
};

struct fetching_options {
	const struct parts *parts;
	const char *cache;
	const struct source *source;
	const char *commit; /* exactly this one; NULL: what the ref leads to now */
	const char *previous; /* as in struct fetch_request */
	bool quiet; /* no progress */
};

/* Blocks. What the compiler said is in `ret` after a failure as well; to be finished always. False
 * with words; EINTR when a signal ended it. */
bool fetching_run(const struct fetching_options *options, struct fetched *ret, struct fail *fail);
void fetched_finish(struct fetched *fetched);

#define cleanup_fetched cleanup(fetched_finish)

#endif
