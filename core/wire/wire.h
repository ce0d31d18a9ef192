/* What the daemon and a provider's process say to each other over their SEQPACKET socketpair.
 *
 * A packet (one datagram, at most WIRE_PACKET_MOST bytes) is a run of messages; a message is its
 * type (u8), job (u64), payload size (u32) and payload, integers in the machine's own order, for
 * both ends are one machine. Text is a u32 size, the bytes and a NUL that the size doesn't count,
 * so that decoded strings point into the packet. Every payload must be consumed exactly: a
 * message that is short, long or holds a value outside its range is refused.
 *
 * What doesn't fit a message is cut: a request's body into REQUEST_PARTs before its REQUEST, a
 * model's `raw` into RAWs and its limits into LIMITs before its MODEL, a program's arguments into
 * RUN_PARTs before its RUN, a turn into TURN, MESSAGEs and SETTINGs before GO. */
#ifndef CORE_WIRE_WIRE_H
#define CORE_WIRE_WIRE_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_PACKET_MOST ((size_t)64 << 10)
/* Most bytes in one DATA, OUTPUT, REASONING, RAW, REQUEST_PART or setting. */
#define WIRE_CHUNK_MOST ((size_t)60 << 10)

#define WIRE_NAME_MOST 255 /* a MIME type, a file name, a setting's name, a method */
#define WIRE_ID_MOST 1023 /* a model's id */
#define WIRE_URL_MOST 8192
#define WIRE_WORDS_MOST 4096 /* a failure's words, a log line */
#define WIRE_DESCRIPTION_MOST 16384
#define WIRE_LIST_MOST 8192 /* comma-separated modalities and parameters */
#define WIRE_HEADERS_MOST 64 /* a request's headers, in number … */
#define WIRE_HEADERS_BYTES 16384 /* … and in bytes, NULs included; a reply's too */
#define WIRE_REPLY_HEADERS_MOST 512
#define WIRE_PARTS_MOST 64 /* in one MESSAGE; more follow in one with `more` set */
#define WIRE_ARGUMENTS_MOST 256 /* of a program … */
#define WIRE_ARGUMENT_MOST 4096 /* … each in bytes … */
#define WIRE_ARGUMENTS_BYTES ((size_t)64 << 10) /* … and together */
#define WIRE_PRICES_MOST 32
#define WIRE_PRICE_NAME_MOST 31
#define WIRE_CANCEL_BODY_MOST ((size_t)16 << 10) /* of the request that cancels a job */
#define WIRE_DOING_MOST 120 /* what a job is at, in words */
#define WIRE_CHOICES_MOST ((size_t)48 << 10) /* a setting's choices */

/* Of a request's whole recipe, over all its REQUEST_PARTs, and of a model's RAWs. */
#define WIRE_BODY_PARTS_MOST 4096
#define WIRE_BODY_BYTES_MOST ((size_t)1 << 20)
#define WIRE_RAW_MOST ((size_t)1 << 20)

enum wire_type {
	/* From the daemon. Those marked * are acknowledged, each by one ACK, when they were dealt
	 * with. */
	WIRE_HELLO = 1, /* first: what the provider must know */
	WIRE_DISCOVER = 2, /* * begins a job */
	WIRE_TURN = 3, /* begins a job that GO starts */
	WIRE_MESSAGE = 4,
	WIRE_SETTING = 5,
	WIRE_GO = 6, /* * */
	WIRE_REPLY = 7, /* * */
	WIRE_DATA = 8, /* * with its size */
	WIRE_END = 9, /* * */
	WIRE_CANCEL = 10, /* the job is over */

	/* From the provider. */
	WIRE_REFUSED = 33, /* instead of READY: it can't be loaded, and why */
	WIRE_READY = 34,
	WIRE_REQUEST_PART = 35,
	WIRE_REQUEST = 36,
	WIRE_READ = 37,
	WIRE_RAW = 38,
	WIRE_MODEL = 39,
	WIRE_OUTPUT = 40,
	WIRE_REASONING = 41,
	WIRE_USAGE = 42,
	WIRE_FAIL = 43,
	WIRE_FINISH = 44,
	WIRE_LOG = 45,
	WIRE_ACK = 46,
	WIRE_RESULT = 47, /* what OUTPUT or a reply brings from here on is a result of its own */
	WIRE_PROGRESS = 48,
	WIRE_ON_CANCEL = 49,
	WIRE_RESUMABLE = 50,
	WIRE_RUN_PART = 51,
	WIRE_RUN = 52,
	WIRE_LIMIT = 53,

	/* From the daemon. */
	WIRE_LOOK_UP = 54, /* * begins a job: whether there is this one model */

	/* From the provider. */
	WIRE_RESULT_END = 55, /* what OUTPUT brings from here on goes on at the output */
};

struct wire_hello {
	uint32_t abi;
	const char *base_url;
};

struct wire_turn {
	const char *model, *capability;
};

struct wire_look_up {
	const char *id;
};

struct wire_part {
	uint32_t file;
	const char *type, *name;
	uint64_t bytes;
};

struct wire_turn_message {
	uint8_t role; /* 0..2 as enum conduit_role */
	bool more; /* further parts of the message before */
	uint32_t n_parts;
	struct wire_part parts[WIRE_PARTS_MOST];
};

struct wire_setting {
	const char *name, *value;
	uint32_t size; /* of value */
};

struct wire_reply {
	int32_t status;
	const char *content_type;
	uint32_t n_headers;
	const char *headers[WIRE_REPLY_HEADERS_MOST];
};

struct wire_bytes {
	const void *bytes;
	uint32_t size;
};

struct wire_ready {
	uint32_t abi;
	const char *name, *version;
};

struct wire_words {
	const char *words;
};

struct wire_request_part {
	uint8_t kind; /* 0..3 as enum conduit_body_kind */
	uint32_t file;
	const void *bytes; /* empty but for a literal */
	uint32_t size;
};

struct wire_request {
	const char *method, *url;
	uint32_t n_headers;
	const char *headers[WIRE_HEADERS_MOST];
	bool to_output, submits;
	uint32_t delay_ms;
};

struct wire_progress {
	double share;
	const char *words;
};

/* What `request` has behind its headers doesn't travel. */
struct wire_on_cancel {
	struct wire_request request; /* method "": there is none any more */
	const void *bytes; /* its body */
	uint32_t size;
};

struct wire_read {
	uint32_t file;
};

struct wire_run_part {
	uint8_t kind; /* 0..3 as enum conduit_argument_kind */
	uint32_t file; /* 0 but for an input */
	const char *text; /* "" for an input */
};

struct wire_run {
	const char *program;
	bool reads; /* `file` is its stdin */
	uint32_t file;
	bool to_output;
};

struct wire_price {
	const char *name;
	double usd;
};

struct wire_model {
	const char *id;
	uint32_t id_size; /* 1..WIRE_ID_MOST */
	const char *name, *description;
	int64_t created, context_length, max_output;
	const char *input_modalities, *output_modalities, *parameters;
	uint32_t n_prices;
	struct wire_price prices[WIRE_PRICES_MOST];
};

struct wire_limit {
	const char *name; /* 1..WIRE_NAME_MOST */
	double least, most; /* NAN: no bound */
	const char *choices; /* one a line */
	const char *standard, *help;
};

struct wire_usage {
	int64_t prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens;
	double cost;
};

struct wire_failure {
	uint8_t kind; /* 0..13 as enum conduit_kind */
	int32_t status;
	uint8_t retry; /* 0..1 as enum conduit_retry */
	const char *words;
};

struct wire_finish {
	const char *finish, *model;
};

struct wire_result {
	const char *type, *name; /* "": told by content, numbered */
};

struct wire_ack {
	uint32_t bytes; /* of the DATA that was dealt with; 0 for the other messages */
};

/* One message. DISCOVER, GO, END, CANCEL and RESULT_END have no payload. */
struct wire_message {
	enum wire_type type;
	uint64_t job; /* 0 where none is meant: HELLO, REFUSED, READY */
	union {
		struct wire_hello hello;
		struct wire_turn turn;
		struct wire_look_up look_up;
		struct wire_turn_message message;
		struct wire_setting setting;
		struct wire_reply reply;
		struct wire_bytes bytes; /* DATA, RAW, OUTPUT, REASONING */
		struct wire_ready ready;
		struct wire_words words; /* REFUSED, LOG, RESUMABLE ("": not any more) */
		struct wire_request_part request_part;
		struct wire_request request;
		struct wire_progress progress;
		struct wire_on_cancel on_cancel;
		struct wire_read read;
		struct wire_run_part run_part;
		struct wire_run run;
		struct wire_model model;
		struct wire_limit limit;
		struct wire_usage usage;
		struct wire_failure fail;
		struct wire_finish finish;
		struct wire_ack ack;
		struct wire_result result;
	};
};

/* Appends a message to a packet; NULL strings travel as "". False, with the packet as it was, when
 * it doesn't fit into what is left of WIRE_PACKET_MOST, or breaks a bound above. */
bool wire_encode(struct buf *packet, struct wire_message *message);

/* Decodes the message at the front of `*left` bytes and moves past it. What it points to lies in
 * the packet. False on anything that isn't exactly a message. */
bool wire_decode(const uint8_t **at, size_t *left, struct wire_message *ret);

/* True for the messages that are answered by an ACK. */
bool wire_acknowledged(enum wire_type type);

#endif
