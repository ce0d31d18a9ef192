/* A transfer's way from start to end: see transfer.h and engine.h. */
#include "core/transfer/engine.h"

#include "core/transfer/result.h"

#include <errno.h>
#include <string.h>

/* Handshakes cost milliseconds of processor time each: so many run at a time. A transfer holds its
 * place until it has a connection, which is at once when one is there already. */
#define PLACES 2
/* A place is held no longer than this: by then it waits for the network and not for the processor,
 * and a host that is gone mustn't keep the others waiting. */
#define PLACE_MS 100

static uint64_t now(const struct transfer *transfer) {
	return uv_now(transfer->engine->curl.loop);
}

static void on_idle(uv_idle_t *idle) {
	engine_work(idle->data);
}

void transfer_work(struct transfer *transfer) {
	if (!list_linked(&transfer->in_work)) {
		list_append(&transfer->engine->work, &transfer->in_work);
	}
	uv_idle_start(&transfer->engine->idle, on_idle);
}

void transfer_stop(struct transfer *transfer) {
	transfer->stopped = true;
	transfer_work(transfer);
}

void transfer_enter(struct transfer *transfer, enum transfer_state state) {
	transfer->state = state;
	transfer->since = now(transfer);
	clock_consider(transfer);
}

struct transfer *transfer_start(struct transfer_engine *engine,
		const struct transfer_request *request, const struct transfer_events *events,
		void *data) {
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	if (transfer == NULL || !request_copy(&transfer->request, request)) {
		free(transfer);
		return NULL;
	}
	transfer->engine = engine;
	transfer->events = *events;
	transfer->data = data;
	transfer->started_ns = uv_hrtime();
	transfer->started = now(transfer);
	engine->running++;
	list_append(&engine->transfers, &transfer->in_all);
	transfer_enter(transfer, TRANSFER_PREPARING);
	transfer_work(transfer);
	return transfer;
}

/* A stream of the same HTTP/2 connection, as far as can be told from here. */
static struct transfer *neighbour_of(const struct transfer *transfer) {
	struct transfer *other;
	list_for_each(other, &transfer->engine->transfers, in_all) {
		if (other != transfer && other->added && other->attempts > 0 &&
				other->target.port == transfer->target.port &&
				strcmp(other->target.scheme, "https") == 0 &&
				strcmp(other->target.host, transfer->target.host) == 0) {
			return other;
		}
	}
	return NULL;
}

/* Takes it out of libcurl, before its end when that hasn't reported it as done. */
static void take_out(struct transfer *transfer, bool early) {
	struct curl_loop *curl = &transfer->engine->curl;
	if (!transfer->added) {
		return;
	}
	transfer->added = false;
	transfer_leave_place(transfer);
	if (early) {
		curl_loop_break_off(curl, transfer->easy);
	} else {
		curl_multi_remove_handle(curl->multi, transfer->easy);
	}
	struct transfer *neighbour = early ? neighbour_of(transfer) : NULL;
	if (neighbour != NULL) {
		curl_loop_flush(curl, neighbour->easy);
	}
}

/* The same, noting before what libcurl knows of the hop. */
static void detach(struct transfer *transfer, bool early, long *os_errno) {
	curl_off_t uploaded = 0;
	long request_bytes = 0, connections = 0;
	if (!transfer->added) {
		return;
	}
	curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connections);
	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, os_errno);
	transfer->sent_now = request_bytes > 0 && (uint64_t)uploaded >= transfer->body_length;
	transfer->reused = transfer->attempts > 0 && connections == 0;
	take_out(transfer, early);
}

void transfer_free(struct transfer *transfer) {
	struct transfer_engine *engine = transfer->engine;
	take_out(transfer, true);
	list_remove(&transfer->in_all);
	list_remove(&transfer->in_waiting);
	list_remove(&transfer->in_work);
	if (!transfer->ending) {
		engine->running--;
	}
	curl_easy_cleanup(transfer->easy);
	curl_url_cleanup(transfer->url);
	request_headers_free(transfer->headers);
	body_reader_destroy(transfer->reader);
	buf_finish(&transfer->small);
	reply_finish(&transfer->reply);
	target_finish(&transfer->target);
	request_finish(&transfer->request);
	fail_finish(&transfer->fail);
	free(transfer);
}

void transfer_cancel(struct transfer *transfer) {
	if (transfer->ending) {
		return;
	}
	if (transfer->engine->curl.inside) {
		transfer->cancelled = true;
		transfer_work(transfer);
		return;
	}
	struct transfer_engine *engine = transfer->engine;
	transfer_free(transfer);
	transfer_admit_waiting(engine);
}

void transfer_resume(struct transfer *transfer) {
	if (transfer->ending) {
		return;
	}
	transfer->resume_wanted = true;
	if (transfer->paused) {
		transfer_work(transfer);
	}
}

/* ---- places among those that connect ---- */

void transfer_leave_place(struct transfer *transfer) {
	if (transfer->place) {
		transfer->place = false;
		transfer->engine->connecting--;
	}
}

static void fail_later(struct transfer *transfer) {
	transfer_enter(transfer, TRANSFER_ENDED);
	transfer_work(transfer);
}

static void begin(struct transfer *transfer) {
	transfer->attempts = 0;
	transfer->error[0] = '\0';
	if (!transfer_setup(transfer, &transfer->fail)) {
		fail_later(transfer);
		return;
	}
	if (curl_multi_add_handle(transfer->engine->curl.multi, transfer->easy) != CURLM_OK) {
		fail_set(&transfer->fail, ENOMEM, "libcurl can't start a transfer with %s",
				transfer->target.host);
		fail_later(transfer);
		return;
	}
	transfer->added = true;
	transfer_enter(transfer, TRANSFER_CONNECTING);
}

void transfer_admit_waiting(struct transfer_engine *engine) {
	while (engine->connecting < PLACES && !list_empty(&engine->waiting)) {
		struct transfer *transfer = list_entry(
				engine->waiting.next, struct transfer, in_waiting);
		list_remove(&transfer->in_waiting);
		transfer->place = true;
		transfer->place_until = now(transfer) + PLACE_MS;
		engine->connecting++;
		begin(transfer);
		if (!transfer->added) {
			transfer_leave_place(transfer);
		}
	}
}

static void admit(struct transfer *transfer) {
	if (strcmp(transfer->target.scheme, "https") != 0) {
		begin(transfer);
		return;
	}
	transfer_enter(transfer, TRANSFER_WAITING);
	list_append(&transfer->engine->waiting, &transfer->in_waiting);
	transfer_admit_waiting(transfer->engine);
}

static void prepare(struct transfer *transfer) {
	switch (transfer_prepare(transfer)) {
	case TRANSFER_READY:
		admit(transfer);
		break;
	case TRANSFER_UNREADY:
		transfer_work(transfer);
		break;
	case TRANSFER_REFUSED:
		fail_later(transfer);
		break;
	}
}

/* ---- the end ---- */

void transfer_abort(struct transfer *transfer) {
	long os_errno = 0;
	detach(transfer, true, &os_errno);
	list_remove(&transfer->in_waiting);
	fail_later(transfer);
}

static void explain(struct transfer *transfer, CURLcode code, long os_errno) {
	struct result_facts facts = {
			.code = code,
			.os_errno = os_errno,
			.detail = transfer->error,
			.host = transfer->target.host,
			.port = transfer->target.port,
			.status = transfer->reply.status,
			.bytes_in = transfer->bytes_in,
	};
	result_explain(&facts, &transfer->fail);
}

static uint64_t microseconds(const struct transfer *transfer, uint64_t until_ns) {
	return until_ns > transfer->started_ns ? (until_ns - transfer->started_ns) / 1000 : 0;
}

/* Delivers the last event and frees the transfer. */
static void end(struct transfer *transfer) {
	struct transfer_result result = {
			.code = transfer->fail.code,
			.words = transfer->fail.code != 0 ? (char *)fail_words(&transfer->fail)
							  : NULL,
			.status = transfer->redirecting ? 0 : transfer->reply.status,
			.sent_whole = transfer->sent_before || transfer->sent_now,
			.reused = transfer->reused,
			.bytes_in = transfer->bytes_in,
			.connect_us = microseconds(transfer, transfer->connected_ns),
			.first_byte_us = microseconds(transfer, transfer->first_byte_ns),
			.total_us = microseconds(transfer, uv_hrtime()),
	};
	result.retry_hinted = reply_retry_after(&transfer->reply, &result.retry_after);
	transfer->ending = true;
	transfer->engine->running--;
	if (transfer->events.end != NULL) {
		transfer->events.end(transfer->data, &result);
	}
	transfer_free(transfer);
}

void transfer_done(struct transfer *transfer, CURLcode code) {
	long os_errno = 0;
	detach(transfer, transfer->stopped, &os_errno);
	transfer->stopped = false;
	list_remove(&transfer->in_work);
	if (transfer->cancelled) {
		transfer_free(transfer);
		return;
	}
	if (code == CURLE_OK) {
		fail_finish(&transfer->fail);
	}
	/* A redirect whose body was too long to wait for counts as well. */
	bool led_on = transfer->redirecting && transfer->fail.code == 0 &&
		      (code == CURLE_OK || code == CURLE_WRITE_ERROR);
	if (led_on && transfer_follow(transfer)) {
		admit(transfer);
		return;
	}
	if (code != CURLE_OK && transfer->fail.code == 0) {
		explain(transfer, code, os_errno);
	}
	end(transfer);
}

static void resume(struct transfer *transfer) {
	transfer->resume_wanted = false;
	transfer->paused = false;
	transfer->since = now(transfer);
	clock_consider(transfer);
	CURLcode code = curl_loop_unpause(&transfer->engine->curl, transfer->easy);
	if (code != CURLE_OK && !transfer->cancelled) {
		transfer_done(transfer, code);
	}
}

void transfer_step(struct transfer *transfer) {
	if (transfer->cancelled) {
		transfer_free(transfer);
	} else if (transfer->state == TRANSFER_PREPARING) {
		prepare(transfer);
	} else if (transfer->state == TRANSFER_ENDED) {
		end(transfer);
	} else if (transfer->stopped) {
		transfer_done(transfer, CURLE_WRITE_ERROR);
	} else if (transfer->paused && transfer->resume_wanted) {
		resume(transfer);
	}
}
