/* libcurl's multi handle on a libuv loop: its sockets are polled, its timer is kept, and after
 * each piece of work the owner is told, so that it can look at what ended. It knows nothing of
 * transfers. */
#ifndef CORE_TRANSFER_CURL_LOOP_H
#define CORE_TRANSFER_CURL_LOOP_H

#include "core/base/fail.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <uv.h>

struct curl_loop {
	uv_loop_t *loop;
	CURLM *multi;
	/* libcurl is on the stack: no call may be made into it. */
	bool inside;
	/* After libcurl worked, outside of it. */
	void (*worked)(void *data);
	/* The last handle is closed and the memory may go. */
	void (*closed)(void *data);
	void *data;
	uv_timer_t timer;
	unsigned open; /* uv handles that aren't closed yet */
};

/* `worked`, `closed`, `data` are set before. On failure nothing is open and `closed` isn't called.
 */
bool curl_loop_init(struct curl_loop *loop, uv_loop_t *uv, struct fail *fail);
/* Every easy handle must have been removed. Closes the connections; `closed` comes from the loop.
 */
void curl_loop_finish(struct curl_loop *loop);

/* Lets libcurl begin with what was added, at once. `worked` is called. */
void curl_loop_kick(struct curl_loop *loop);
/* Lets a paused transfer go on; its write callback may be called from in here. `worked` isn't. */
CURLcode curl_loop_unpause(struct curl_loop *loop, CURL *easy);
/* Takes an easy handle out before its end: its connection is closed, or its HTTP/2 stream. */
void curl_loop_break_off(struct curl_loop *loop, CURL *easy);
/* Makes libcurl send what lies in the buffer of this handle's HTTP/2 connection: a broken off
 * neighbour's RST_STREAM, which libcurl 7.88 keeps until something else is sent. */
void curl_loop_flush(struct curl_loop *loop, CURL *easy);

#endif
