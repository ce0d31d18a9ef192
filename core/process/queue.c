/* Packets that wait for the socket: see queue.h. */
#include "core/process/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

struct packet {
	struct list link;
	struct buf bytes;
};

void queue_init(struct queue *queue) {
	list_init(&queue->packets);
	queue->bytes = 0;
}

static void drop_first(struct queue *queue) {
	struct packet *packet = list_entry(queue->packets.next, struct packet, link);
	queue->bytes -= packet->bytes.size;
	list_remove(&packet->link);
	buf_finish(&packet->bytes);
	free(packet);
}

void queue_finish(struct queue *queue) {
	while (!list_empty(&queue->packets)) {
		drop_first(queue);
	}
}

/* Into the last packet, if there is one and it has room. */
static bool put_last(struct queue *queue, struct wire_message *message) {
	if (list_empty(&queue->packets)) {
		return false;
	}
	struct packet *last = list_entry(queue->packets.previous, struct packet, link);
	size_t before = last->bytes.size;
	if (!wire_encode(&last->bytes, message)) {
		return false;
	}
	queue->bytes += last->bytes.size - before;
	return true;
}

bool queue_put(struct queue *queue, struct wire_message *message) {
	if (put_last(queue, message)) {
		return true;
	}
	struct packet *packet = calloc(1, sizeof(*packet));
	if (packet == NULL || !wire_encode(&packet->bytes, message)) {
		if (packet != NULL) {
			buf_finish(&packet->bytes);
		}
		free(packet);
		return false;
	}
	list_append(&queue->packets, &packet->link);
	queue->bytes += packet->bytes.size;
	return true;
}

void queue_move(struct queue *queue, struct queue *from) {
	while (!list_empty(&from->packets)) {
		struct list *link = from->packets.next;
		list_remove(link);
		list_append(&queue->packets, link);
	}
	queue->bytes += from->bytes;
	from->bytes = 0;
}

bool queue_send(struct queue *queue, int socket, bool *ret_left) {
	while (!list_empty(&queue->packets)) {
		struct packet *packet = list_entry(queue->packets.next, struct packet, link);
		ssize_t sent = send(socket, packet->bytes.data, packet->bytes.size,
				MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) {
			continue;
		}
		if (sent < 0) {
			*ret_left = true;
			return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
		}
		drop_first(queue);
	}
	*ret_left = false;
	return true;
}
