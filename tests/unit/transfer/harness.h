/* A loop, an engine and the server of server.py for a test; and one fetch with what came of it. */
#ifndef TESTS_TRANSFER_HARNESS_H
#define TESTS_TRANSFER_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/transfer/transfer.h"

struct server {
	int pid;
	int input; /* closed: the server ends */
	char directory[64];
	int http, https, stranger, h2; /* h2: 0 where nginx isn't installed */
	int mute[6];
};

extern struct server server;

/* Group set-up and tear-down: the server and libcurl. */
int server_start(void **state);
int server_stop(void **state);

extern uv_loop_t loop;
extern struct transfer_engine *engine;
extern unsigned betweens; /* calls of `between` */

/* Set-up and tear-down of a test: a loop of its own and an engine. */
int engine_start(void **state);
int engine_stop(void **state);

/* What a test wants and what it gets. Zero it and set what differs. */
struct fetch {
	const char *method; /* NULL: GET */
	const char *const *headers;
	const char *text; /* a body of one literal */
	const struct body *body; /* or any body */
	const char *key;
	const struct transfer_host *hosts; /* NULL: every host of the server, keyed, local */
	size_t n_hosts;
	struct transfer_timeouts timeouts;
	uint64_t body_most;
	bool drop_data; /* don't keep the reply's body */
	uint64_t pause_at; /* the event after which so many bytes have come pauses; 0: none */
	bool resume_at_once; /* from inside that event */
	uint64_t cancel_at; /* cancels from inside the event then; 0: none */
	void (*on_head)(struct fetch *fetch);
	void (*on_data)(struct fetch *fetch);
	void (*on_end)(struct fetch *fetch);

	struct transfer *transfer;
	unsigned heads, datas, ends, pauses;
	int status;
	char type[64];
	struct buf head; /* "name: value\n" */
	struct buf data;
	uint64_t bytes;
	struct transfer_result result; /* words: owned */
};

/* Starts it; `url` with %s and so on. */
void fetch_start(struct fetch *fetch, const char *url, ...) __attribute__((format(printf, 2, 3)));
/* Turns the loop until it ended; fails the test after 20 s. */
void fetch_wait(struct fetch *fetch);
void fetch_run(struct fetch *fetch, const char *url, ...) __attribute__((format(printf, 2, 3)));
void fetch_finish(struct fetch *fetch);
/* Turns the loop until `*value >= wanted`; fails the test after 20 s. */
void turn_until(const uint64_t *value, uint64_t wanted);
/* Turns it for so long. */
void turn_for(unsigned milliseconds);
/* What the server noted under a name, waiting for it; valid until the next call. */
const char *fact(const char *name);

/* "http://127.0.0.1:PORT", "https://localhost:PORT" */
const char *http_base(void);
const char *https_base(void);
const char *h2_base(void);

#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		const char *text_ = (text);                                                        \
		if (text_ == NULL || strstr(text_, (part)) == NULL) {                              \
			fail_msg("'%s' doesn't contain '%s'", text_ != NULL ? text_ : "(null)",    \
					(part));                                                   \
		}                                                                                  \
	} while (0)

#endif
