/* What the job of an exchange says: the requests it makes, the files it reads, what it puts out,
 * and its end. */
#include "core/base/strings.h"
#include "core/engine/run/exchange_private.h"
#include "core/engine/run/exchange_program.h"

#include <errno.h>
#include <string.h>

static void on_delay_over(uv_timer_t *timer) {
	exchange_send(timer->data);
}

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
	exchange->spoke = true;
	if (exchange->unheard) {
		exchange_submission_over(exchange);
		return;
	}
	if (exchange->transfer != NULL || exchange->url != NULL || feed_active(&exchange->feed)) {
		fail_set(&exchange->failure, EPROTO,
				"the provider %s made a request while another was under way",
				exchange->provider->name);
		exchange_fail_later(exchange);
		return;
	}
	exchange_drop_request(exchange);
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
		exchange_fail_later(exchange);
	} else if (request->delay_ms != 0) {
		uv_timer_start(&exchange->timer, on_delay_over, request->delay_ms, 0);
	} else {
		exchange_send(exchange);
	}
}

static void on_feed_turn(uv_timer_t *timer) {
	struct exchange *exchange = timer->data;
	feed_go_on(&exchange->feed, exchange->job, &exchange->failure);
	if (exchange->failure.code != 0) {
		exchange_fail_later(exchange);
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
		exchange_fail_later(exchange);
	} else if (!feed_open(&exchange->feed, &exchange->files[number], &exchange->failure)) {
		exchange_fail_later(exchange);
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
	exchange->spoke = true;
	if (!withdrawal_set(&exchange->withdrawal, request)) {
		fail_set(&exchange->failure, ENOMEM, "no memory for a request");
		exchange_fail_later(exchange);
	}
}

static void on_resumable(void *data, const char *token) {
	struct exchange *exchange = data;
	if (!set_resumable(exchange, token)) {
		exchange->resumable = false;
		exchange_fail_later(exchange);
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

/* Design 3.8: once a request was sent whole only these statuses are tried again; a reset after
 * that may have been billed. */
static bool status_retries(int status) {
	return status == 408 || status == 409 || status == 429 || status >= 500;
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
				 exchange_may_repeat(exchange, false) &&
				 status_retries(exchange->status),
			.submitted = exchange->submitted,
			.resumable = exchange->resumable,
			.retry_after = exchange->retry_after,
	};
	/* Without a head there is no reply yet, and so no rest of one. */
	if (job->code == 0 && exchange->transfer != NULL && exchange->status != 0) {
		exchange_leave(exchange);
		exchange->events.end(exchange->data, &result);
	} else {
		exchange_finish(exchange, &result);
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
