/* Jobs and their transfers: see exchange.h. */
#include "core/engine/run/exchange.h"

#include "core/base/strings.h"
#include "core/engine/engine.h"
#include "core/engine/run/exchange_private.h"
#include "core/engine/run/exchange_program.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* A reply whose rest nobody needs is read on for so long, so that its connection can be used again.
 */
#define LEFT_MS 1000
#define LEFT_MOST ((uint64_t)64 << 10)

static void on_closed(uv_handle_t *handle) {
	struct exchange *exchange = handle->data;
	if (--exchange->handles == 0) {
		free(exchange);
	}
}

void exchange_leave_all(struct provider *provider) {
	struct exchange *exchange;
	list_for_each(exchange, &provider->leaving, link) {
		exchange_cancel(exchange);
	}
}

static void request_finish(struct exchange *exchange) {
	body_finish(&exchange->body);
	free(take(exchange->method));
	free(take(exchange->url));
	strings_free(take(exchange->headers));
}

void exchange_cancel(struct exchange *exchange) {
	if (exchange == NULL) {
		return;
	}
	if (exchange->transfer != NULL) {
		transfer_cancel(take(exchange->transfer));
	}
	if (exchange->job != NULL) {
		job_cancel(take(exchange->job));
	}
	kept_job_cancel(take(exchange->kept));
	feed_close(&exchange->feed);
	exchange_program_cancel(exchange);
	free(take(exchange->directory));
	free(take(exchange->missing));
	request_finish(exchange);
	withdrawal_finish(&exchange->withdrawal);
	exchange_files_free(exchange->files, exchange->n_files);
	exchange->files = NULL;
	exchange->n_files = 0;
	fail_finish(&exchange->failure);
	list_remove(&exchange->link);
	version_release(exchange->version);
	uv_close((uv_handle_t *)&exchange->timer, on_closed);
	uv_close((uv_handle_t *)&exchange->deadline, on_closed);
}

void exchange_withdraw(struct exchange *exchange) {
	if (exchange != NULL) {
		withdrawal_send(&exchange->withdrawal, exchange->version);
	}
}

bool exchange_may_cost(const struct exchange *exchange) {
	return exchange != NULL &&
	       (exchange->accepted || (exchange->transfer != NULL && exchange->status == 0));
}

static void finish(struct exchange *exchange, const struct exchange_result *result) {
	void (*end)(void *, const struct exchange_result *) = exchange->events.end;
	end(exchange->data, result);
	exchange_cancel(exchange);
}

/* From a timer: `failure` ends it, and nothing is tried again. */
static void finish_failed(struct exchange *exchange) {
	struct exchange_result result = {
			.code = exchange->failure.code,
			.words = fail_words(&exchange->failure),
			.finish = "",
			.model = "",
			.status = exchange->status,
			.submitted = exchange->submitted,
			.retry_after = -1,
	};
	finish(exchange, &result);
}

void exchange_on_deferred_failure(uv_timer_t *timer) {
	finish_failed(timer->data);
}

void exchange_on_deadline(uv_timer_t *timer) {
	struct exchange *exchange = timer->data;
	fail_set(&exchange->failure, ETIMEDOUT,
			"%s: not done after %g s: raise timeout_total, in config/ of the model",
			exchange->provider->name, exchange->timeouts.total);
	finish_failed(exchange);
}

/* Ends the exchange from the loop: a job or a transfer can't be freed inside its own event. */
static void fail_later(struct exchange *exchange) {
	uv_timer_start(&exchange->timer, exchange_on_deferred_failure, 0, 0);
}

/* ---- transfers ---- */

static void on_patience_over(uv_timer_t *timer) {
	exchange_cancel(timer->data);
}

/* The provider has all it needs, but the reply isn't over: a stream's last chunk is still to come.
 * Closing now would cost the connection, so the rest is read and dropped. */
static void leave(struct exchange *exchange) {
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

/* Design 3.8: once a request was sent whole only these statuses are tried again; a reset after
 * that may have been billed. */
static bool status_retries(int status) {
	return status == 408 || status == 409 || status == 429 || status >= 500;
}

/* Whether the turn may be attempted again: a job that was begun may only be picked up, and asking
 * after it costs nothing. */
static bool may_repeat(const struct exchange *exchange, bool sent_whole) {
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
			.retry = connection && may_repeat(exchange, transfer->sent_whole),
			.submitted = exchange->submitted,
			.resumable = exchange->resumable,
			.retry_after = -1,
	};
	job_abandon(take(exchange->job));
	finish(exchange, &result);
}

static void send_request(struct exchange *exchange) {
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
		fail_later(exchange);
		return;
	}
	if (exchange->events.sent != NULL) {
		exchange->events.sent(exchange->data, request.method, request.url, request.body);
	}
	request_finish(exchange);
}

static void on_delay_over(uv_timer_t *timer) {
	send_request(timer->data);
}

/* ---- the job's events ---- */

/* Gives each file of the body its path; false when the provider named one that isn't there. */
static bool resolve_files(struct exchange *exchange) {
	for (size_t i = 0; i < exchange->body.n_parts; i++) {
		struct body_part *part = &exchange->body.parts[i];
		if (part->kind == BODY_LITERAL) {
			continue;
		}
		if (part->file >= exchange->n_files) {
			return fail_set(&exchange->failure, EPROTO,
					"the provider %s asked for file %u of a turn that has %zu",
					exchange->provider->name, part->file, exchange->n_files);
		}
		const struct exchange_file *file = &exchange->files[part->file];
		part->skip = file->skip;
		part->drop = file->drop;
		free(part->path);
		part->path = strdup(file->path);
		if (part->path == NULL) {
			return fail_set(&exchange->failure, ENOMEM, "no memory for a request");
		}
	}
	return true;
}

static bool set_resumable(struct exchange *exchange, const char *token) {
	exchange->resumable = token[0] != '\0' && exchange->events.resumable != NULL;
	return exchange->events.resumable == NULL ||
	       exchange->events.resumable(exchange->data, token, &exchange->failure);
}

static void on_request(void *data, struct job_request *request) {
	struct exchange *exchange = data;
	if (exchange->transfer != NULL || exchange->url != NULL || feed_active(&exchange->feed)) {
		fail_set(&exchange->failure, EPROTO,
				"the provider %s made a request while another was under way",
				exchange->provider->name);
		fail_later(exchange);
		return;
	}
	request_finish(exchange);
	exchange->body = *request->body;
	*request->body = (struct body){0};
	exchange->method = strdup(request->method);
	exchange->url = strdup(request->url);
	bool copied = strings_copy(&exchange->headers, (char *const *)request->headers);
	exchange->to_output = request->to_output;
	exchange->submits = request->submits;
	copied = copied && exchange->method != NULL && exchange->url != NULL;
	if (!copied) {
		fail_set(&exchange->failure, ENOMEM, "no memory for a request");
	}
	/* Another job is begun: the one before isn't what it would be picked up by. */
	bool forgot = !exchange->submits || !exchange->resumable || set_resumable(exchange, "");
	if (!copied || !forgot || !resolve_files(exchange)) {
		fail_later(exchange);
	} else if (request->delay_ms != 0) {
		uv_timer_start(&exchange->timer, on_delay_over, request->delay_ms, 0);
	} else {
		send_request(exchange);
	}
}

static void on_feed_turn(uv_timer_t *timer) {
	struct exchange *exchange = timer->data;
	feed_go_on(&exchange->feed, exchange->job, &exchange->failure);
	if (exchange->failure.code != 0) {
		fail_later(exchange);
	}
}

static void on_read(void *data, uint32_t number) {
	struct exchange *exchange = data;
	bool at_rest = exchange->transfer == NULL && exchange->url == NULL &&
		       !feed_active(&exchange->feed);
	if (!at_rest || number >= exchange->n_files) {
		fail_set(&exchange->failure, EPROTO,
				"the provider %s asked for file %u of a turn that has %zu%s",
				exchange->provider->name, number, exchange->n_files,
				at_rest ? "" : ", while a request was under way");
		fail_later(exchange);
	} else if (!feed_open(&exchange->feed, &exchange->files[number], &exchange->failure)) {
		fail_later(exchange);
	} else {
		uv_timer_start(&exchange->timer, on_feed_turn, 0, 0);
	}
}

static void on_resume(void *data) {
	struct exchange *exchange = data;
	if (exchange->transfer != NULL) {
		transfer_resume(exchange->transfer);
	} else if (exchange->program != NULL) {
		exchange_program_resume(exchange);
	} else if (feed_active(&exchange->feed) && exchange->failure.code == 0) {
		uv_timer_start(&exchange->timer, on_feed_turn, 0, 0);
	}
}

static void on_model(void *data, const struct job_model *model) {
	struct exchange *exchange = data;
	if (exchange->events.model != NULL) {
		exchange->events.model(exchange->data, model);
	}
}

static void on_progress(void *data, const struct job_progress *progress) {
	struct exchange *exchange = data;
	if (exchange->events.progress != NULL) {
		exchange->events.progress(exchange->data, progress);
	}
}

static void on_cancel(void *data, struct job_request *request) {
	struct exchange *exchange = data;
	if (!withdrawal_set(&exchange->withdrawal, request)) {
		fail_set(&exchange->failure, ENOMEM, "no memory for a request");
		fail_later(exchange);
	}
}

static void on_resumable(void *data, const char *token) {
	struct exchange *exchange = data;
	if (!set_resumable(exchange, token)) {
		exchange->resumable = false;
		fail_later(exchange);
	}
}

static void on_output(void *data, const void *bytes, size_t size) {
	struct exchange *exchange = data;
	if (exchange->events.output != NULL) {
		exchange->events.output(exchange->data, bytes, size);
	}
}

static void on_reasoning(void *data, const void *bytes, size_t size) {
	struct exchange *exchange = data;
	if (exchange->events.reasoning != NULL) {
		exchange->events.reasoning(exchange->data, bytes, size);
	}
}

static void on_result(void *data, const char *type, const char *name) {
	struct exchange *exchange = data;
	if (exchange->events.result != NULL) {
		exchange->events.result(exchange->data, type, name);
	}
}

static void on_result_end(void *data) {
	struct exchange *exchange = data;
	if (exchange->events.result_end != NULL) {
		exchange->events.result_end(exchange->data);
	}
}

static void on_usage(void *data, const struct job_usage *usage) {
	struct exchange *exchange = data;
	if (exchange->events.usage != NULL) {
		exchange->events.usage(exchange->data, usage);
	}
}

static void on_job_end(void *data, const struct job_result *job) {
	struct exchange *exchange = data;
	exchange->job = NULL, exchange->kept = NULL;
	int status = exchange->status != 0 ? exchange->status : job->status;
	struct exchange_result result = {
			.code = job->code,
			.words = job->words,
			.finish = job->finish,
			.model = job->model,
			.status = status,
			.by_provider = !job->crashed,
			.retry = job->code != 0 && !job->never_retry && !job->crashed &&
				 may_repeat(exchange, false) && status_retries(exchange->status),
			.submitted = exchange->submitted,
			.resumable = exchange->resumable,
			.retry_after = exchange->retry_after,
	};
	/* Without a head there is no reply yet, and so no rest of one. */
	if (job->code == 0 && exchange->transfer != NULL && exchange->status != 0) {
		leave(exchange);
		exchange->events.end(exchange->data, &result);
	} else {
		finish(exchange, &result);
	}
}

const struct job_events exchange_job_events = {
		.request = on_request,
		.read = on_read,
		.run = exchange_on_run,
		.resume = on_resume,
		.model = on_model,
		.output = on_output,
		.reasoning = on_reasoning,
		.result = on_result,
		.result_end = on_result_end,
		.usage = on_usage,
		.progress = on_progress,
		.on_cancel = on_cancel,
		.resumable = on_resumable,
		.end = on_job_end,
};
