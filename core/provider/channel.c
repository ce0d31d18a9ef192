/* The runner's end of the socket: see channel.h. */
#include "core/provider/channel.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static void send_packet(struct channel *channel) {
	if (channel->packet.size == 0) {
		return;
	}
	ssize_t sent;
	do {
		sent = send(channel->fd, channel->packet.data, channel->packet.size, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0) {
		_exit(EXIT_FAILURE);
	}
	buf_clear(&channel->packet);
}

static bool put(struct channel *channel, struct wire_message *message) {
	if (wire_encode(&channel->packet, message)) {
		return true;
	}
	if (channel->packet.size == 0) {
		return false;
	}
	send_packet(channel);
	return wire_encode(&channel->packet, message);
}

static void put_gathered_text(struct channel *channel) {
	if (channel->text.size == 0) {
		return;
	}
	struct wire_message message = {.type = channel->text_type,
			.job = channel->text_job,
			.bytes = {.bytes = channel->text.data,
					.size = (uint32_t)channel->text.size}};
	if (!put(channel, &message)) {
		fputs("no memory for the output\n", stderr);
		_exit(EXIT_FAILURE);
	}
	buf_clear(&channel->text);
}

void channel_init(struct channel *channel, int fd) {
	*channel = (struct channel){.fd = fd, .text.limit = WIRE_CHUNK_MOST};
}

void channel_finish(struct channel *channel) {
	buf_finish(&channel->packet);
	buf_finish(&channel->text);
}

bool channel_put(struct channel *channel, struct wire_message *message) {
	put_gathered_text(channel);
	return put(channel, message);
}

void channel_put_text(struct channel *channel, uint64_t job, enum wire_type type, const void *bytes,
		size_t size) {
	if (channel->text_type != type || channel->text_job != job) {
		put_gathered_text(channel);
		channel->text_type = type;
		channel->text_job = job;
	}
	const char *from = bytes;
	while (size > 0) {
		size_t room = WIRE_CHUNK_MOST - channel->text.size;
		size_t piece = size < room ? size : room;
		if (piece == 0) {
			put_gathered_text(channel);
			continue;
		}
		if (!buf_add(&channel->text, from, piece)) {
			fputs("no memory for the output\n", stderr);
			_exit(EXIT_FAILURE);
		}
		from += piece;
		size -= piece;
	}
}

void channel_flush(struct channel *channel) {
	put_gathered_text(channel);
	send_packet(channel);
}

const uint8_t *channel_receive(struct channel *channel, size_t *ret_size) {
	static uint8_t packet[WIRE_PACKET_MOST];
	ssize_t size;
	do {
		size = recv(channel->fd, packet, sizeof(packet), 0);
	} while (size < 0 && errno == EINTR);
	if (size <= 0) {
		return NULL;
	}
	*ret_size = (size_t)size;
	return packet;
}
