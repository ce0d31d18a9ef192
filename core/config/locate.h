/* Where the other parts of conduitfs lie: beside the program in a build directory, or installed. */
#ifndef CORE_CONFIG_LOCATE_H
#define CORE_CONFIG_LOCATE_H

#include "core/base/fail.h"

/* All absolute and owned. Only `runner` is known to be there. */
struct parts {
	char *runner; /* the program conduitfs-provider, in which a provider runs */
	char *fetcher; /* the program conduitfs-fetch, which fetches and builds */
	char *replayer; /* the program conduitfs-replay, which replays recorded exchanges */
	char *providers; /* the directory of the bundled providers: NAME.so and NAME.yml */
	char *include; /* the directory that holds conduit/provider.h */
};

/* For the program conduitfs itself; `ret` starts as zeros, and is to be finished also after a
 * failure. False with words when it isn't installed whole. */
bool locate(struct parts *ret, struct fail *fail);
void parts_finish(struct parts *parts);

#define cleanup_parts cleanup(parts_finish)

#endif
