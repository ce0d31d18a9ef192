/* Deadlines: one timer for all transfers. A deadline that moves away costs nothing, as the timer
 * rings for the old one and looks again. */
#include "core/transfer/engine.h"

#include <errno.h>
#include <math.h>

#define NEVER UINT64_MAX

/* At least a millisecond, so that a tiny setting isn't "none". */
static uint64_t milliseconds(double seconds) {
	return seconds < 1e9 ? (uint64_t)ceil(seconds * 1000) : (uint64_t)1e12;
}

static uint64_t after(uint64_t since, double seconds) {
	return seconds > 0 ? since + milliseconds(seconds) : NEVER;
}

static uint64_t nearer(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}

static uint64_t state_deadline(const struct transfer *transfer) {
	const struct transfer_timeouts *timeouts = &transfer->request.timeouts;
	switch (transfer->state) {
	case TRANSFER_CONNECTING:
		return after(transfer->since, timeouts->connect);
	case TRANSFER_SENDING:
		return after(transfer->since, timeouts->idle);
	case TRANSFER_AWAITING:
		return after(transfer->since, timeouts->first_byte);
	case TRANSFER_RECEIVING:
		return transfer->paused ? NEVER : after(transfer->since, timeouts->idle);
	default:
		return NEVER;
	}
}

static uint64_t total_deadline(const struct transfer *transfer) {
	return transfer->state == TRANSFER_ENDED
			       ? NEVER
			       : after(transfer->started, transfer->request.timeouts.total);
}

static uint64_t next_ring(const struct transfer *transfer) {
	uint64_t due = nearer(state_deadline(transfer), total_deadline(transfer));
	return transfer->place ? nearer(due, transfer->place_until) : due;
}

static void clock_set(struct transfer_engine *engine, uint64_t due) {
	if (due == NEVER || (engine->clock_at != 0 && engine->clock_at <= due)) {
		return;
	}
	uint64_t now = uv_now(engine->curl.loop);
	engine->clock_at = due;
	uv_timer_start(&engine->clock, clock_ring, due > now ? due - now : 0, 0);
}

void clock_consider(struct transfer *transfer) {
	clock_set(transfer->engine, next_ring(transfer));
}

static void explain(struct transfer *transfer, bool total) {
	const struct transfer_timeouts *timeouts = &transfer->request.timeouts;
	const char *host = transfer->target.host != NULL ? transfer->target.host : "the service";
	unsigned long long bytes = transfer->bytes_in;
	struct fail *fail = &transfer->fail;
	if (total) {
		fail_set(fail, ETIMEDOUT,
				"%s: not done after %g s, %llu bytes came: raise timeout_total",
				host, timeouts->total, bytes);
		return;
	}
	switch (transfer->state) {
	case TRANSFER_CONNECTING:
		fail_set(fail, ETIMEDOUT, "%s:%d: no connection within %g s: raise timeout_connect",
				host, transfer->target.port, timeouts->connect);
		break;
	case TRANSFER_SENDING:
		fail_set(fail, ETIMEDOUT,
				"%s took none of the request for %g s, after %llu of %llu bytes: "
				"raise timeout_idle",
				host, timeouts->idle, (unsigned long long)transfer->body_sent,
				(unsigned long long)transfer->body_length);
		break;
	case TRANSFER_AWAITING:
		fail_set(fail, ETIMEDOUT,
				"%s sent no reply within %g s of the request: raise "
				"timeout_first_byte",
				host, timeouts->first_byte);
		break;
	default:
		fail_set(fail, ETIMEDOUT,
				"%s sent nothing for %g s, after %llu bytes of the reply: "
				"raise timeout_idle",
				host, timeouts->idle, bytes);
	}
}

void clock_ring(uv_timer_t *timer) {
	struct transfer_engine *engine = timer->data;
	uint64_t now = uv_now(engine->curl.loop);
	uint64_t next = NEVER;
	engine->clock_at = 0;
	struct transfer *transfer;
	list_for_each(transfer, &engine->transfers, in_all) {
		if (transfer->place && transfer->place_until <= now) {
			transfer_leave_place(transfer);
		}
		bool total = total_deadline(transfer) <= now;
		if (!transfer->stopped && (total || state_deadline(transfer) <= now)) {
			explain(transfer, total);
			transfer_abort(transfer);
		}
		next = nearer(next, next_ring(transfer));
	}
	clock_set(engine, next);
	transfer_admit_waiting(engine);
}
