/* Requests and replies beside their turns: see record.h. */
#include "core/engine/record.h"

#include <unistd.h>

/* A reply kept beside the turn is cut here, and so is what a model thought. */
#define RESPONSE_MOST ((uint64_t)64 << 20)
/* A request above this isn't written out beside the turn: its parts are there. */
#define REQUEST_MOST ((uint64_t)1 << 20)
/* So much of a reply is gathered before it is written, answer or not. */
#define GATHERED_MOST ((size_t)256 << 10)

void record_begin(struct record *record, struct turn *turn) {
	record->turn = turn;
	body_finish(&record->request);
	buf_clear(&record->response);
	record->response_size = record->reasoning_size = 0;
	turn_file_empty(turn, TURN_RESPONSE);
	turn_file_empty(turn, TURN_REASONING);
}

void record_finish(struct record *record) {
	body_finish(&record->request);
	buf_finish(&record->response);
}

void record_request(struct record *record, const struct body *body) {
	body_finish(&record->request);
	if (body != NULL && !body_copy(&record->request, body)) {
		record->request = (struct body){0};
	}
}

void record_response(struct record *record, const void *bytes, size_t size) {
	if (record->response_size >= RESPONSE_MOST) {
		return;
	}
	record->response_size += size;
	if (record->response.size + size > GATHERED_MOST) {
		record_write(record);
	}
	if (size > GATHERED_MOST) {
		turn_file_append(record->turn, TURN_RESPONSE, bytes, size);
	} else {
		buf_add(&record->response, bytes, size);
	}
}

void record_reasoning(struct record *record, const void *bytes, size_t size) {
	if (record->reasoning_size < RESPONSE_MOST) {
		record->reasoning_size += size;
		turn_file_append(record->turn, TURN_REASONING, bytes, size);
	}
}

static void write_request(struct record *record) {
	char piece[16384];
	ssize_t size;
	struct body_reader *reader = body_reader_create(&record->request, NULL);
	if (reader != NULL && body_reader_length(reader) <= REQUEST_MOST) {
		int fd = turn_open_file(record->turn, TURN_REQUEST, true);
		bool kept = fd >= 0 && ftruncate(fd, 0) == 0;
		while (kept && (size = body_reader_read(reader, piece, sizeof(piece))) > 0) {
			kept = turn_file_append(record->turn, TURN_REQUEST, piece, (size_t)size);
		}
	}
	body_reader_destroy(reader);
}

void record_write(struct record *record) {
	if (record->request.n_parts != 0) {
		write_request(record);
		body_finish(&record->request);
	}
	if (record->response.size != 0) {
		turn_file_append(record->turn, TURN_RESPONSE, record->response.data,
				record->response.size);
		buf_clear(&record->response);
	}
}
