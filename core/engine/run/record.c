/* Requests and replies beside their turns: see record.h. */
#include "core/engine/run/record.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/provider/replay/exchange_line.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* A reply kept beside the turn is cut here, and so is what a model thought. */
#define RESPONSE_MOST ((uint64_t)64 << 20)
/* A request above this isn't written out beside the turn: its parts are there. */
#define REQUEST_MOST ((uint64_t)1 << 20)
/* Settings may be long, and a provider may ask on and on: what is larger isn't kept. */
#define EXCHANGE_MOST ((size_t)256 << 10)
/* So much of a reply is gathered before it is written, answer or not. */
#define GATHERED_MOST ((size_t)256 << 10)

static void forget_types(struct record *record) {
	free(take(record->type));
	strings_free(take(record->types));
}

void record_begin(struct record *record, struct turn *turn) {
	record->turn = turn;
	forget_types(record);
	body_finish(&record->request);
	buf_clear(&record->response);
	buf_clear(&record->exchange);
	record->exchange.limit = EXCHANGE_MOST;
	record->replying = false;
	record->response_size = record->reasoning_size = 0;
	turn_file_empty(turn, TURN_RESPONSE);
	turn_file_empty(turn, TURN_REASONING);
	turn_file_empty(turn, TURN_EXCHANGE);
}

void record_finish(struct record *record) {
	forget_types(record);
	body_finish(&record->request);
	buf_finish(&record->response);
	buf_finish(&record->exchange);
}

static void add_two(struct buf *out, const char *key, const char *first, const char *second) {
	cleanup_buf struct buf value = {0};
	buf_add_format(&value, "%s %s", first, second);
	exchange_line_write(out, key, buf_string(&value), value.size);
}

/* What the prompt is where it isn't text, and what goes along with it. */
static void record_files(struct buf *out, const struct job_turn *turn) {
	const struct job_message *prompt = &turn->messages[turn->n_messages - 1];
	for (const struct job_message *one = turn->messages; one < prompt; one++) {
		if (one->role == JOB_USER &&
				(one->n_parts != 1 ||
						strcmp(one->parts[0].type, "text/plain") != 0)) {
			buf_add_string(out, "files_before\n");
			break;
		}
	}
	for (size_t i = 0; i < prompt->n_parts; i++) {
		const struct job_part *part = &prompt->parts[i];
		if (part->name[0] != '\0') {
			add_two(out, "attach", part->type, part->name);
		} else if (strcmp(part->type, "text/plain") != 0) {
			exchange_line_write(out, "asked", part->type, strlen(part->type));
		}
	}
}

void record_turn(struct record *record, const char *base_url, const char *system,
		const struct job_turn *turn) {
	struct buf *out = &record->exchange;
	if (base_url[0] != '\0') {
		exchange_line_write(out, "base_url", base_url, strlen(base_url));
	}
	add_two(out, "turn", turn->model, turn->capability);
	for (size_t i = 0; i < turn->n_settings; i++) {
		add_two(out, "set", turn->settings[i].name, turn->settings[i].value);
	}
	if (system[0] != '\0') {
		exchange_line_write(out, "system", system, strlen(system));
	}
	record_files(out, turn);
}

/* The last reply is over: how much of `response` it is. */
static void end_reply(struct record *record) {
	if (record->replying && record->to_output && record->result != 0) {
		buf_add_format(&record->exchange, " result%zu\n", record->result);
	} else if (record->replying && record->to_output) {
		buf_add_string(&record->exchange, " output\n");
	} else if (record->replying) {
		buf_add_format(&record->exchange, " %" PRIu64 "\n", record->reply_size);
	}
	record->replying = false;
}

void record_request(struct record *record, const char *method, const char *url,
		const struct body *body) {
	cleanup_buf struct buf value = {0};
	end_reply(record);
	buf_add_format(&value, "%s %s", method, url);
	exchange_line_write(&record->exchange, "request", buf_string(&value), value.size);
	buf_add_string(&record->exchange, body != NULL && body->n_parts != 0 ? "body\n" : "");
	body_finish(&record->request);
	if (body != NULL && !body_copy(&record->request, body)) {
		record->request = (struct body){0};
	}
}

void record_head(struct record *record, int status, const char *content_type, bool to_output,
		size_t result) {
	/* A type is one word; a service may say anything. */
	size_t size = strcspn(content_type, " \t\r\n");
	buf_add_format(&record->exchange, "reply %d %.*s", status, (int)(size != 0 ? size : 1),
			size != 0 ? content_type : "-");
	record->replying = true;
	record->to_output = to_output;
	record->result = result;
	record->reply_size = 0;
}

void record_result(struct record *record, const char *type, bool further) {
	if (further) {
		strings_add(&record->types, type[0] != '\0' ? type : "-");
	} else {
		free(record->type);
		record->type = type[0] != '\0' ? strdup(type) : NULL;
	}
}

void record_response(struct record *record, const void *bytes, size_t size) {
	if (record->response_size >= RESPONSE_MOST) {
		return;
	}
	record->response_size += size;
	record->reply_size += size;
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

/* Those that were kept, which are all of a turn that ended well. */
static void record_results(struct record *record, const struct results *results) {
	const struct turn_results *done = &results->done;
	if (record->type != NULL) {
		exchange_line_write(&record->exchange, "type", record->type, strlen(record->type));
	}
	for (size_t i = 1; record->types != NULL && record->types[i - 1] != NULL; i++) {
		size_t at = i - results->promoted;
		if (at < done->n) {
			add_two(&record->exchange, "artifact", record->types[i - 1],
					at == 0 ? "output" : done->all[at].name);
		}
	}
}

void record_end(struct record *record, const struct results *results, bool newline,
		bool by_provider) {
	record_write(record);
	end_reply(record);
	if (record->exchange.size != 0) {
		record_results(record, results);
		buf_add_string(&record->exchange, newline ? "newline\n" : "");
		buf_add_string(&record->exchange, by_provider ? "" : "broke\n");
	}
	if (record->exchange.size != 0 && !record->exchange.failed) {
		turn_file_append(record->turn, TURN_EXCHANGE, record->exchange.data,
				record->exchange.size);
	}
}
