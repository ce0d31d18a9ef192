/* A repository on another machine, by libgit2: what it has, and fetching from it. Bounded in bytes
 * and objects; certificates and host keys are checked, credentials go to the host of the address
 * and to no other, whatever it redirects to. */
#ifndef CORE_FETCH_WORKER_REMOTE_H
#define CORE_FETCH_WORKER_REMOTE_H

#include "core/fetch/git_url.h"
#include "core/fetch/worker/report.h"
#include "core/fetch/worker/repository.h"
#include "core/fetch/worker/resolve.h"

#define REMOTE_BYTES_MOST ((uint64_t)64 << 20)
#define REMOTE_OBJECTS_MOST 200000

struct remote {
	git_remote *git;
	struct git_url url;
	struct report *report;
	struct heads heads; /* while it is connected */
	unsigned asked; /* how often credentials were wanted */
	struct fail why; /* what a callback found wrong */
};

/* Connects and learns what is there. `text` is the address, as source_parse gives it. */
bool remote_connect(struct remote *ret, struct repository *into, const char *text,
		struct report *report, struct fail *fail);
/* Fetches what the refspecs name; `all` is for every branch and tag with their history. */
bool remote_fetch(struct remote *remote, char *const *refspecs, size_t n, bool all,
		struct fail *fail);
void remote_finish(struct remote *remote);

#define cleanup_remote cleanup(remote_finish)

#endif
