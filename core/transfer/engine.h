/* What the parts of the engine share: the engine, and a transfer on its way through it.
 *
 * libcurl forbids calls from its callbacks, and users may call us from any event. So callbacks
 * note, and what they noted is done afterwards: `work` holds the transfers that wait to be looked
 * at from the loop, and after libcurl worked engine.c sees to what ended. */
#ifndef CORE_TRANSFER_ENGINE_H
#define CORE_TRANSFER_ENGINE_H

#include "core/base/buf.h"
#include "core/base/list.h"
#include "core/transfer/curl_loop.h"
#include "core/transfer/hosts.h"
#include "core/transfer/reply.h"
#include "core/transfer/request.h"
#include "core/transfer/transfer.h"

struct transfer_engine {
	struct curl_loop curl;
	CURLSH *share; /* TLS sessions, so that a new connection costs half a handshake */
	char *user_agent;
	char *ca_file;
	bool ca_bundle; /* the system has a bundle: no directory of certificates is needed */
	void (*between)(void *data);
	void *data;
	struct list transfers; /* all of them */
	struct list waiting; /* for one of the places among those that connect */
	struct list work; /* wait for the loop */
	unsigned connecting; /* places that are taken */
	size_t running;
	uv_idle_t idle; /* active while there is work */
	uv_timer_t clock; /* the nearest deadline of all */
	uint64_t clock_at; /* uv_now at which it rings; 0 while it is stopped */
	unsigned open; /* of idle, clock and curl */
};

enum transfer_state {
	TRANSFER_PREPARING, /* not looked at yet, or its body is being measured */
	TRANSFER_WAITING, /* for a place */
	TRANSFER_CONNECTING, /* name, TCP, TLS, or a connection that is there already */
	TRANSFER_SENDING, /* a body that libcurl hasn't taken whole */
	TRANSFER_AWAITING, /* the request is sent, nothing has come */
	TRANSFER_RECEIVING,
	TRANSFER_ENDED, /* out of libcurl; the end event is due */
};

struct transfer {
	struct transfer_engine *engine;
	struct list in_all, in_waiting, in_work;
	enum transfer_state state;
	struct transfer_events events;
	void *data;
	struct request request;

	/* Of the current hop. */
	CURLU *url;
	struct target target;
	CURL *easy;
	struct curl_slist *headers;
	bool added; /* to the multi handle */
	bool place; /* counts among those that connect */
	unsigned attempts; /* connections that this hop was given */
	uint64_t body_sent; /* bytes that libcurl took in this attempt */
	struct reply reply;
	bool redirecting;
	uint64_t discarded; /* of a redirect's body */
	char error[CURL_ERROR_SIZE];

	struct body_reader *reader; /* NULL for no body and for a small one */
	struct buf small; /* such a small one, read whole */
	uint64_t body_length;

	bool paused;
	bool resume_wanted;
	bool cancelled; /* while libcurl was on the stack */
	bool stopped; /* a callback wants it taken out */
	bool ending; /* the end event is being delivered */
	unsigned redirects;
	bool sent_before; /* an earlier hop or attempt was sent whole and may have had effect */
	bool sent_now; /* the current one was sent whole */
	bool reused; /* no new connection was made for it */
	uint64_t bytes_in;
	uint64_t place_until; /* ms of uv_now */
	uint64_t started; /* ms of uv_now */
	uint64_t since; /* ms of uv_now: the state, or its last sign of life */
	uint64_t started_ns, connected_ns, first_byte_ns;
	struct fail fail;
};

/* transfer.c */

/* Puts it on the list of work and wakes the loop. */
void transfer_work(struct transfer *transfer);
/* For callbacks: has it taken out of libcurl from the loop. There it ends as `fail` says, or
 * follows its redirect, or is freed when it was cancelled. A callback that returned an error
 * instead would leave it to libcurl to end an HTTP/2 stream, and it may do so late. */
void transfer_stop(struct transfer *transfer);
/* Enters a state: its clock starts, the engine's is set for it. */
void transfer_enter(struct transfer *transfer, enum transfer_state state);
/* Takes it from libcurl, noting what it sent; its end event comes from the loop. */
void transfer_abort(struct transfer *transfer);
/* What libcurl reported as done: follows a redirect, or ends. */
void transfer_done(struct transfer *transfer, CURLcode code);
/* Does what is due; may deliver events and free it. */
void transfer_step(struct transfer *transfer);
/* Begins those that wait, as far as there are places. */
void transfer_admit_waiting(struct transfer_engine *engine);
void transfer_leave_place(struct transfer *transfer);
void transfer_free(struct transfer *transfer);

/* engine.c */

/* Looks at every transfer that waits for the loop, once. */
void engine_work(struct transfer_engine *engine);

/* prepare.c */

enum transfer_prepared {
	TRANSFER_READY,
	TRANSFER_UNREADY, /* a long body is being measured: call again */
	TRANSFER_REFUSED, /* `fail` says why */
};
enum transfer_prepared transfer_prepare(struct transfer *transfer);
/* Readies the hop that a redirect leads to; false with words in `fail`. */
bool transfer_follow(struct transfer *transfer);

/* setup.c */

/* Sets every option for the current hop; false with words. */
bool transfer_setup(struct transfer *transfer, struct fail *fail);

/* clock.c */

/* Sets the clock for a deadline that may have come nearer. */
void clock_consider(struct transfer *transfer);
void clock_ring(uv_timer_t *timer);

#endif
