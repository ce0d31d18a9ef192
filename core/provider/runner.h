/* The jobs of a provider's process: the daemon's messages become calls of the provider's, and what
 * the provider calls (conduit_*, in emit.c) becomes messages. Knows nothing of the sandbox or of
 * how the provider was loaded. */
#ifndef CORE_PROVIDER_RUNNER_H
#define CORE_PROVIDER_RUNNER_H

#include "core/base/list.h"
#include "core/provider/channel.h"
#include "core/provider/conduit/provider.h"
#include "core/provider/turn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runner {
	struct channel channel;
	const struct conduit_provider *provider; /* borrowed */
	char *base_url;
	struct list jobs; /* struct conduit_job.link */
};

struct conduit_job {
	struct list link;
	uint64_t id;
	struct runner *runner;
	void *state; /* the provider's */
	struct turn *turn; /* while it is gathered; NULL for a discovery */
	bool may_request; /* within discover, look_up, transform or end */
	bool pending; /* a request or a read is under way */
	bool over; /* finish or fail was called */
};

/* `fd` is the socket to the daemon; it and the provider are borrowed. */
void runner_init(struct runner *runner, int fd, const struct conduit_provider *provider);
/* Releases the jobs there are. */
void runner_finish(struct runner *runner);
/* Deals with a packet from the daemon, sending what the provider says; false when the packet is
 * malformed. */
bool runner_packet(struct runner *runner, const uint8_t *bytes, size_t size);

#endif
