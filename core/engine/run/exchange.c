/* What an exchange holds and how it ends: see exchange.h. It begins in exchange_start.c, takes what
 * its job says in exchange_job.c, and sends in exchange_send.c. */
#include "core/engine/run/exchange.h"

#include "core/base/strings.h"
#include "core/engine/engine.h"
#include "core/engine/run/exchange_private.h"
#include "core/engine/run/exchange_program.h"

#include <errno.h>

/* A turn that is over waits for the reply to its submission so long, to withdraw the job. */
#define SUBMISSION_MS 60000

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

void exchange_drop_request(struct exchange *exchange) {
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
	exchange_drop_request(exchange);
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

static bool is_submitting(const struct exchange *exchange) {
	return exchange->submits && exchange->transfer != NULL && exchange->withdrawal.url == NULL;
}

static void end_unheard(void *data, const struct exchange_result *result) {
	(void)data, (void)result;
}

static void on_submission_over(uv_timer_t *timer) {
	struct exchange *exchange = timer->data;
	withdrawal_send(&exchange->withdrawal, exchange->version);
	exchange_cancel(exchange);
}

void exchange_submission_over(struct exchange *exchange) {
	uv_timer_start(&exchange->timer, on_submission_over, 0, 0);
}

bool exchange_withdraw(struct exchange *exchange) {
	static const struct exchange_events unheard = {.end = end_unheard};
	if (exchange == NULL) {
		return false;
	}
	if (!is_submitting(exchange) || exchange->provider->engine->closing) {
		withdrawal_send(&exchange->withdrawal, exchange->version);
		return false;
	}
	exchange->events = unheard;
	exchange->unheard = true;
	uv_timer_stop(&exchange->deadline);
	list_append(&exchange->provider->leaving, &exchange->link);
	uv_timer_start(&exchange->timer, on_submission_over, SUBMISSION_MS, 0);
	return true;
}

bool exchange_spoke(const struct exchange *exchange) {
	return exchange != NULL && exchange->spoke;
}

const char *exchange_aftermath(const struct exchange *exchange) {
	if (exchange == NULL || (!exchange->submitted && !exchange->resumable)) {
		return "";
	}
	if (exchange->provider->engine->closing) {
		return "; its job may have been begun: then it goes on at its service, and may be "
		       "billed";
	}
	return exchange->withdrawal.url != NULL ? "; its service is told to withdraw the job"
	       : is_submitting(exchange)
			       ? "; the job was being submitted: it is withdrawn once its service "
				 "has named it, where that can be done, and may be billed"
			       : "; the job can't be withdrawn from its service, and may be billed";
}

bool exchange_may_cost(const struct exchange *exchange) {
	return exchange != NULL &&
	       (exchange->accepted || (exchange->transfer != NULL && exchange->status == 0));
}

void exchange_finish(struct exchange *exchange, const struct exchange_result *result) {
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
	exchange_finish(exchange, &result);
}

static void on_deferred_failure(uv_timer_t *timer) {
	finish_failed(timer->data);
}

void exchange_on_deadline(uv_timer_t *timer) {
	struct exchange *exchange = timer->data;
	fail_set(&exchange->failure, ETIMEDOUT,
			"%s: not done after %g s: raise timeout_total, in config/ of the model",
			exchange->provider->name, exchange->timeouts.total);
	finish_failed(exchange);
}

void exchange_fail_later(struct exchange *exchange) {
	uv_timer_start(&exchange->timer, on_deferred_failure, 0, 0);
}
