/* HTTP on the loop: libcurl's multi interface driven by libuv. One attempt a transfer: who may try
 * again, and when, is decided above (core/turn), from the facts that a transfer_result states.
 *
 * The key is added here, last, and only to the hosts that the request allows; redirects are
 * followed only to those too. TLS is always verified. Everything is on the loop's thread. */
#ifndef CORE_TRANSFER_TRANSFER_H
#define CORE_TRANSFER_TRANSFER_H

#include "core/base/fail.h"
#include "core/transfer/body.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct transfer_engine;
struct transfer;

struct transfer_engine_options {
	const char *user_agent;
	const char *ca_file; /* NULL: the system's */
	/* Called after each batch of work, so that the owner can serve /dev/fuse between any two
	 * events; may be NULL. */
	void (*between)(void *data);
	void *data;
};

/* NULL with words when libcurl can't start. curl_global_init is the caller's, once, after the
 * daemon went to the background. */
struct transfer_engine *transfer_engine_create(
		uv_loop_t *loop, const struct transfer_engine_options *options, struct fail *fail);
/* Cancels what runs (no events), closes connections and uv handles; the loop must turn until its
 * handles are closed. Not from inside an event. NULL is fine. */
void transfer_engine_destroy(struct transfer_engine *engine);

/* Seconds; 0 means none. */
struct transfer_timeouts {
	double connect; /* name, TCP and TLS */
	double first_byte; /* from the request's last byte to the reply's first */
	double idle; /* between two bytes of the reply; doesn't count while paused. Also for
			a request's body of which the service takes nothing more */
	double total;
};

/* A host that may be spoken to: where the key may go and where a redirect may lead. */
struct transfer_host {
	char *scheme; /* "https", or "http" where config.yml allows it */
	char *host; /* lower case; "*.example.com" for its subdomains */
	int port; /* 0: the scheme's own */
	bool keyed; /* the key may be sent there */
	bool local; /* may resolve to loopback, link-local or private addresses */
};

struct transfer_request {
	const char *method;
	const char *url;
	const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
	const struct body *body; /* NULL for none; copied */
	const char *key_header; /* the whole line, "Authorization: Bearer …"; NULL for none. Is
				   wiped from our memory when the transfer ends. */
	const struct transfer_host *hosts;
	size_t n_hosts;
	struct transfer_timeouts timeouts;
	uint64_t body_most; /* reply bodies above this end the transfer with EMSGSIZE; 0: none */
};

struct transfer_head {
	int status;
	const char *content_type; /* lower case, no parameters; "" when absent */
	const char *const *headers; /* "name: value", names lower case, ended by NULL */
};

struct transfer_result {
	int code; /* 0, or errno of a transfer that failed: ECONNREFUSED, EHOSTUNREACH,
		     ECONNRESET, ETIMEDOUT, EPROTO, EACCES (host not allowed) … An HTTP
		     error status is a success here. */
	char *words; /* what failed, for people; NULL on success; valid during `end` */
	int status; /* HTTP status, 0 when none came */
	bool sent_whole; /* the request may have reached the service: a repeat may be billed twice
			  */
	bool retry_hinted; /* retry_after holds the reply's Retry-After (429 and 503 only) */
	double retry_after; /* seconds */
	uint64_t bytes_in; /* of the body */
	bool reused; /* went over a connection that was there already */
	/* Since transfer_start: a connection was at hand, the final reply's first byte, the end; 0
	 * for what never came. */
	uint64_t connect_us, first_byte_us, total_us;
};

/* Events come from the loop, never from inside transfer_start. After transfer_cancel none comes. */
struct transfer_events {
	/* The final reply's head (not a followed redirect's, not 1xx). */
	void (*head)(void *data, const struct transfer_head *head);
	/* Bytes of the body. Returning false pauses after these bytes (they were taken): nothing
	 * more is read from the socket until transfer_resume. */
	bool (*data)(void *data, const void *bytes, size_t size);
	/* Exactly once, last; the transfer is freed after it. Comes while paused as well, when the
	 * bytes that paused it were the last or a time-out (`total`) ran out. */
	void (*end)(void *data, const struct transfer_result *result);
};

/* Starts an attempt. A request that can't start (bad URL, host not allowed, unreadable file) ends
 * through `end` as well, from the loop. NULL only without memory. */
struct transfer *transfer_start(struct transfer_engine *engine,
		const struct transfer_request *request, const struct transfer_events *events,
		void *data);
/* May be called from any event, of this transfer too. */
void transfer_resume(struct transfer *transfer);
/* Closes the connection; no further event; frees the transfer. May be called from any event. */
void transfer_cancel(struct transfer *transfer);

/* How many are under way, for `status` and tests. */
size_t transfer_engine_running(const struct transfer_engine *engine);

/* True when `url` may be sent to by these hosts; else words naming the host and the remedy. */
bool transfer_allowed(const char *url, const struct transfer_host *hosts, size_t n_hosts,
		struct fail *fail);

#endif
