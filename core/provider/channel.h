/* The runner's end of the socket to the daemon. Sending blocks while the daemon is slow; messages
 * gather in a packet until channel_flush, and neighbouring pieces of one job's output in one
 * message. An end of the socket, or anything wrong with it, ends the process: the daemon is gone.
 */
#ifndef CORE_PROVIDER_CHANNEL_H
#define CORE_PROVIDER_CHANNEL_H

#include "core/wire/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct channel {
	int fd; /* borrowed */
	struct buf packet;
	/* OUTPUT or REASONING that isn't in the packet yet, so that more can join it. */
	struct buf text;
	enum wire_type text_type;
	uint64_t text_job;
};

void channel_init(struct channel *channel, int fd);
void channel_finish(struct channel *channel);
/* False when the message breaks a bound of the wire: then nothing was added. */
bool channel_put(struct channel *channel, struct wire_message *message);
/* Adds bytes to a job's OUTPUT or REASONING. */
void channel_put_text(struct channel *channel, uint64_t job, enum wire_type type, const void *bytes,
		size_t size);
void channel_flush(struct channel *channel);
/* Waits for a packet; its bytes, in memory of the channel's until the next call, or NULL when the
 * daemon closed its end. */
const uint8_t *channel_receive(struct channel *channel, size_t *ret_size);

#endif
