/* Messages waiting to be sent, as the packets they will be sent in. */
#ifndef CORE_PROCESS_QUEUE_H
#define CORE_PROCESS_QUEUE_H

#include "core/base/list.h"
#include "core/wire/wire.h"

#include <stdbool.h>
#include <stddef.h>

struct queue {
	struct list packets;
	size_t bytes; /* of all of them */
};

void queue_init(struct queue *queue);
void queue_finish(struct queue *queue);
/* False without memory, or when the message breaks a bound of the wire. */
bool queue_put(struct queue *queue, struct wire_message *message);
/* Moves all of `from` to the end of `queue`. */
void queue_move(struct queue *queue, struct queue *from);
/* Sends what the socket takes now. False, with errno, when the socket is broken; `*ret_left` says
 * whether something remains. */
bool queue_send(struct queue *queue, int socket, bool *ret_left);

#endif
