/* The requests of an exchange: sent, with the key, and what comes of them handed on. */
#include "core/engine/engine.h"
#include "core/engine/run/exchange_private.h"

#include <errno.h>
#include <string.h>

/* A reply whose rest nobody needs is read on for so long, so that its connection can be used again.
 */
#define LEFT_MS 1000
#define LEFT_MOST ((uint64_t)64 << 10)

static void on_patience_over(uv_timer_t *timer) {
	exchange_cancel(timer->data);
}

void exchange_leave(struct exchange *exchange) {
	exchange->leaving = true;
	uv_timer_stop(&exchange->deadline);
	list_append(&exchange->provider->leaving, &exchange->link);
	transfer_resume(exchange->transfer);
	uv_timer_start(&exchange->timer, on_patience_over, LEFT_MS, 0);
}

static void on_head(void *data, const struct transfer_head *head) {
	struct exchange *exchange = data;
	exchange->status = head->status;
	exchange->accepted = exchange->accepted || head->status < 400;
	exchange->straight = exchange->to_output && head->status >= 200 && head->status < 300;
	if (exchange->events.head != NULL) {
		exchange->events.head(exchange->data, head->status, head->content_type,
				head->headers, exchange->straight);
	}
	job_reply(exchange->job, head->status, head->content_type, head->headers);
}

static bool on_data(void *data, const void *bytes, size_t size) {
	struct exchange *exchange = data;
	if (exchange->leaving) {
		exchange->left_bytes += size;
		if (exchange->left_bytes > LEFT_MOST) {
			uv_timer_start(&exchange->timer, on_patience_over, 0, 0);
		}
		return true;
	}
	if (exchange->straight) {
		if (exchange->events.output != NULL) {
			exchange->events.output(exchange->data, bytes, size);
		}
		return true;
	}
	bool room = job_data(exchange->job, bytes, size);
	if (exchange->events.response != NULL) {
		exchange->events.response(exchange->data, bytes, size);
	}
	return room;
}

bool exchange_may_repeat(const struct exchange *exchange, bool sent_whole) {
	return exchange->resumable || (!exchange->submitted && !sent_whole);
}

/* Nothing listens there: what a person can do. */
static void add_start(const struct exchange *exchange, struct buf *words) {
	const struct manifest *manifest = &exchange->version->manifest;
	if (manifest->start != NULL) {
		buf_add_format(words, "; to start it: %s", manifest->start);
	}
	if (manifest->service_url[0] != '\0') {
		buf_add_format(words, "; its service, %s, isn't started by conduitfs",
				manifest->service_url);
	}
}

static void on_transfer_end(void *data, const struct transfer_result *transfer) {
	struct exchange *exchange = data;
	exchange->transfer = NULL;
	if (exchange->leaving) {
		exchange_cancel(exchange);
		return;
	}
	if (transfer->sent_whole && exchange->status == 0) {
		exchange->accepted = true;
	}
	exchange->retry_after = transfer->retry_hinted ? transfer->retry_after : -1;
	if (transfer->code == 0) {
		job_body_end(exchange->job);
		return;
	}
	bool connection = transfer->code == ECONNREFUSED || transfer->code == ECONNRESET ||
			  transfer->code == EHOSTUNREACH || transfer->code == ETIMEDOUT;
	cleanup_buf struct buf words = {0};
	buf_add_string(&words, transfer->words != NULL ? transfer->words : "");
	if (transfer->code == ECONNREFUSED) {
		add_start(exchange, &words);
	}
	struct exchange_result result = {
			.code = transfer->code,
			.words = buf_string(&words),
			.finish = "",
			.model = "",
			.status = transfer->status,
			.retry = connection && exchange_may_repeat(exchange, transfer->sent_whole),
			.submitted = exchange->submitted,
			.resumable = exchange->resumable,
			.retry_after = -1,
	};
	job_abandon(take(exchange->job));
	exchange_finish(exchange, &result);
}

void exchange_send(struct exchange *exchange) {
	static const struct transfer_events events = {
			.head = on_head,
			.data = on_data,
			.end = on_transfer_end,
	};
	struct provider *provider = exchange->provider;
	cleanup_buf struct buf key = {0};
	bool keyed = version_key_header(exchange->version, &key);
	struct transfer_timeouts timeouts = exchange->timeouts;
	timeouts.total = 0; /* the exchange's own deadline sees to that */
	struct transfer_request request = {
			.method = exchange->method,
			.url = exchange->url,
			.headers = (const char *const *)exchange->headers,
			.body = exchange->body.n_parts != 0 ? &exchange->body : NULL,
			.key_header = keyed ? buf_string(&key) : NULL,
			.hosts = exchange->version->hosts,
			.n_hosts = exchange->version->n_hosts,
			.timeouts = timeouts,
			.body_most = exchange->body_most,
	};
	exchange->status = 0;
	exchange->straight = false;
	exchange->submitted = exchange->submitted || exchange->submits;
	exchange->transfer = transfer_start(
			provider->engine->transfers, &request, &events, exchange);
	if (key.data != NULL) {
		explicit_bzero(key.data, key.size);
	}
	if (exchange->transfer == NULL) {
		fail_set(&exchange->failure, ENOMEM, "no memory for a request");
		exchange_fail_later(exchange);
		return;
	}
	if (exchange->events.sent != NULL) {
		exchange->events.sent(exchange->data, request.method, request.url, request.body);
	}
	exchange_drop_request(exchange);
}
