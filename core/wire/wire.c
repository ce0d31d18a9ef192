/* The messages between daemon and provider, described once for both directions: see wire.h. */
#include "core/wire/wire.h"

#include "core/wire/coder.h"
#include "core/wire/failure_kind.h"

#include <string.h>

/* Type, job and payload size. */
#define HEADER_SIZE (sizeof(uint8_t) + sizeof(uint64_t) + sizeof(uint32_t))

static void walk_headers(struct coder *coder, uint32_t *n, const char **headers, uint32_t most) {
	code_u32(coder, n, most);
	size_t bytes = 0;
	for (uint32_t i = 0; i < *n && !coder->failed; i++) {
		code_string(coder, &headers[i], WIRE_HEADERS_BYTES);
		bytes += strlen(headers[i]) + 1;
		if (bytes > WIRE_HEADERS_BYTES) {
			coder->failed = true;
		}
	}
}

static void walk_message(struct coder *coder, struct wire_turn_message *message) {
	code_u8(coder, &message->role, 2);
	code_bool(coder, &message->more);
	code_u32(coder, &message->n_parts, WIRE_PARTS_MOST);
	for (uint32_t i = 0; i < message->n_parts && !coder->failed; i++) {
		struct wire_part *part = &message->parts[i];
		code_u32(coder, &part->file, UINT32_MAX);
		code_string(coder, &part->type, WIRE_NAME_MOST);
		code_string(coder, &part->name, WIRE_NAME_MOST);
		code_u64(coder, &part->bytes);
	}
}

static void walk_request_head(struct coder *coder, struct wire_request *request) {
	code_string(coder, &request->method, WIRE_NAME_MOST);
	code_string(coder, &request->url, WIRE_URL_MOST);
	walk_headers(coder, &request->n_headers, request->headers, WIRE_HEADERS_MOST);
}

static void walk_request(struct coder *coder, struct wire_request *request) {
	walk_request_head(coder, request);
	code_bool(coder, &request->to_output);
	code_bool(coder, &request->submits);
	code_u32(coder, &request->delay_ms, UINT32_MAX);
}

static void walk_model(struct coder *coder, struct wire_model *model) {
	code_text(coder, &model->id, &model->id_size, WIRE_ID_MOST);
	if (model->id_size == 0 ||
			(!coder->failed && memchr(model->id, '\0', model->id_size) != NULL)) {
		coder->failed = true;
	}
	code_string(coder, &model->name, WIRE_WORDS_MOST);
	code_string(coder, &model->description, WIRE_DESCRIPTION_MOST);
	code_i64(coder, &model->created);
	code_i64(coder, &model->context_length);
	code_i64(coder, &model->max_output);
	code_string(coder, &model->input_modalities, WIRE_LIST_MOST);
	code_string(coder, &model->output_modalities, WIRE_LIST_MOST);
	code_string(coder, &model->parameters, WIRE_LIST_MOST);
	code_u32(coder, &model->n_prices, WIRE_PRICES_MOST);
	for (uint32_t i = 0; i < model->n_prices && !coder->failed; i++) {
		code_string(coder, &model->prices[i].name, WIRE_PRICE_NAME_MOST);
		code_double(coder, &model->prices[i].usd);
	}
}

static void walk_limit(struct coder *coder, struct wire_limit *limit) {
	code_string(coder, &limit->name, WIRE_NAME_MOST);
	if (!coder->failed && limit->name[0] == '\0') {
		coder->failed = true;
	}
	code_double(coder, &limit->least);
	code_double(coder, &limit->most);
	code_string(coder, &limit->choices, WIRE_CHOICES_MOST);
	code_string(coder, &limit->standard, WIRE_WORDS_MOST);
	code_string(coder, &limit->help, WIRE_WORDS_MOST);
}

static void walk_usage(struct coder *coder, struct wire_usage *usage) {
	code_i64(coder, &usage->prompt_tokens);
	code_i64(coder, &usage->completion_tokens);
	code_i64(coder, &usage->reasoning_tokens);
	code_i64(coder, &usage->cached_tokens);
	code_double(coder, &usage->cost);
}

static void walk_failure(struct coder *coder, struct wire_failure *fail) {
	code_u8(coder, &fail->kind, FAILURE_KINDS - 1);
	code_i32(coder, &fail->status);
	code_u8(coder, &fail->retry, 1);
	code_string(coder, &fail->words, WIRE_WORDS_MOST);
}

static void walk_request_part(struct coder *coder, struct wire_request_part *part) {
	code_u8(coder, &part->kind, 3);
	code_u32(coder, &part->file, UINT32_MAX);
	code_bytes(coder, &part->bytes, &part->size, WIRE_CHUNK_MOST);
	if (part->kind != 0 && part->size != 0) {
		coder->failed = true;
	}
}

/* What a provider says of a job that goes on elsewhere; false when it is something else. */
static bool walk_elsewhere(struct coder *coder, struct wire_message *message) {
	switch (message->type) {
	case WIRE_PROGRESS:
		code_double(coder, &message->progress.share);
		code_string(coder, &message->progress.words, WIRE_DOING_MOST);
		return true;
	case WIRE_ON_CANCEL:
		walk_request_head(coder, &message->on_cancel.request);
		code_bytes(coder, &message->on_cancel.bytes, &message->on_cancel.size,
				WIRE_CANCEL_BODY_MOST);
		return true;
	case WIRE_RESUMABLE:
		code_string(coder, &message->words.words, WIRE_WORDS_MOST);
		return true;
	default:
		return false;
	}
}

static void walk_run_part(struct coder *coder, struct wire_run_part *part) {
	code_u8(coder, &part->kind, 3);
	code_u32(coder, &part->file, UINT32_MAX);
	code_string(coder, &part->text, WIRE_ARGUMENT_MOST);
}

static void walk_run(struct coder *coder, struct wire_run *run) {
	code_string(coder, &run->program, WIRE_NAME_MOST);
	code_bool(coder, &run->reads);
	code_u32(coder, &run->file, UINT32_MAX);
	code_bool(coder, &run->to_output);
}

/* The daemon's messages; false when it isn't one. */
static bool walk_from_daemon(struct coder *coder, struct wire_message *message) {
	switch (message->type) {
	case WIRE_HELLO:
		code_u32(coder, &message->hello.abi, UINT32_MAX);
		code_string(coder, &message->hello.base_url, WIRE_URL_MOST);
		return true;
	case WIRE_TURN:
		code_string(coder, &message->turn.model, WIRE_ID_MOST);
		code_string(coder, &message->turn.capability, WIRE_NAME_MOST);
		return true;
	case WIRE_LOOK_UP:
		code_string(coder, &message->look_up.id, WIRE_ID_MOST);
		return true;
	case WIRE_MESSAGE:
		walk_message(coder, &message->message);
		return true;
	case WIRE_SETTING:
		code_string(coder, &message->setting.name, WIRE_NAME_MOST);
		code_text(coder, &message->setting.value, &message->setting.size, WIRE_CHUNK_MOST);
		return true;
	case WIRE_REPLY:
		code_i32(coder, &message->reply.status);
		code_string(coder, &message->reply.content_type, WIRE_NAME_MOST);
		walk_headers(coder, &message->reply.n_headers, message->reply.headers,
				WIRE_REPLY_HEADERS_MOST);
		return true;
	case WIRE_DATA:
		code_bytes(coder, &message->bytes.bytes, &message->bytes.size, WIRE_CHUNK_MOST);
		return true;
	case WIRE_DISCOVER:
	case WIRE_GO:
	case WIRE_END:
	case WIRE_CANCEL:
		return true;
	default:
		return false;
	}
}

static bool walk_from_provider(struct coder *coder, struct wire_message *message) {
	switch (message->type) {
	case WIRE_READY:
		code_u32(coder, &message->ready.abi, UINT32_MAX);
		code_string(coder, &message->ready.name, WIRE_NAME_MOST);
		code_string(coder, &message->ready.version, WIRE_NAME_MOST);
		return true;
	case WIRE_REFUSED:
	case WIRE_LOG:
		code_string(coder, &message->words.words, WIRE_WORDS_MOST);
		return true;
	case WIRE_REQUEST_PART:
		walk_request_part(coder, &message->request_part);
		return true;
	case WIRE_REQUEST:
		walk_request(coder, &message->request);
		return true;
	case WIRE_READ:
		code_u32(coder, &message->read.file, UINT32_MAX);
		return true;
	case WIRE_RUN_PART:
		walk_run_part(coder, &message->run_part);
		return true;
	case WIRE_RUN:
		walk_run(coder, &message->run);
		return true;
	case WIRE_RAW:
	case WIRE_OUTPUT:
	case WIRE_REASONING:
		code_bytes(coder, &message->bytes.bytes, &message->bytes.size, WIRE_CHUNK_MOST);
		return true;
	case WIRE_MODEL:
		walk_model(coder, &message->model);
		return true;
	case WIRE_LIMIT:
		walk_limit(coder, &message->limit);
		return true;
	case WIRE_USAGE:
		walk_usage(coder, &message->usage);
		return true;
	case WIRE_FAIL:
		walk_failure(coder, &message->fail);
		return true;
	case WIRE_FINISH:
		code_string(coder, &message->finish.finish, WIRE_NAME_MOST);
		code_string(coder, &message->finish.model, WIRE_ID_MOST);
		return true;
	case WIRE_RESULT:
		code_string(coder, &message->result.type, WIRE_NAME_MOST);
		code_string(coder, &message->result.name, WIRE_NAME_MOST);
		return true;
	case WIRE_RESULT_END:
		return true;
	case WIRE_ACK:
		code_u32(coder, &message->ack.bytes, (uint32_t)WIRE_CHUNK_MOST);
		return true;
	default:
		return false;
	}
}

static bool walk(struct coder *coder, struct wire_message *message) {
	bool known = walk_from_daemon(coder, message) || walk_from_provider(coder, message) ||
		     walk_elsewhere(coder, message);
	return known && !coder->failed;
}

bool wire_encode(struct buf *packet, struct wire_message *message) {
	size_t before = packet->size;
	packet->limit = WIRE_PACKET_MOST;
	struct coder coder = {.out = packet};
	uint8_t type = (uint8_t)message->type;
	uint32_t size = 0;
	code_u8(&coder, &type, UINT8_MAX);
	code_u64(&coder, &message->job);
	code_u32(&coder, &size, UINT32_MAX);
	if (!walk(&coder, message)) {
		packet->size = before;
		packet->failed = false;
		return false;
	}
	size = (uint32_t)(packet->size - before - HEADER_SIZE);
	memcpy(packet->data + before + HEADER_SIZE - sizeof(size), &size, sizeof(size));
	return true;
}

bool wire_decode(const uint8_t **at, size_t *left, struct wire_message *ret) {
	struct coder coder = {.at = *at, .left = *left};
	uint8_t type = 0;
	uint32_t size = 0;
	code_u8(&coder, &type, UINT8_MAX);
	code_u64(&coder, &ret->job);
	code_u32(&coder, &size, (uint32_t)(WIRE_PACKET_MOST - HEADER_SIZE));
	if (coder.failed || coder.left < size) {
		return false;
	}
	size_t rest = coder.left - size;
	coder.left = size;
	ret->type = (enum wire_type)type;
	if (!walk(&coder, ret) || coder.left != 0) {
		return false;
	}
	*at = coder.at;
	*left = rest;
	return true;
}

bool wire_acknowledged(enum wire_type type) {
	switch (type) {
	case WIRE_DISCOVER:
	case WIRE_LOOK_UP:
	case WIRE_GO:
	case WIRE_REPLY:
	case WIRE_DATA:
	case WIRE_END:
		return true;
	default:
		return false;
	}
}
