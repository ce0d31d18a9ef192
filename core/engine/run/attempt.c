/* An attempt at a turn and what comes of it: output, usage, and whether another is made. Private:
 * see run.h. */
#include "core/engine/attach/attach.h"
#include "core/engine/engine.h"
#include "core/engine/money/settle.h"
#include "core/engine/run/answers.h"
#include "core/engine/run/run.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* A request that was sent is on its way by then. */
#define WRITE_AFTER_MS 1

/* ---- what comes from the exchange ---- */

/* The time until the reply comes is used for what somebody would otherwise wait for. */
static void on_time_to_write(uv_timer_t *timer) {
	struct run *run = timer->data;
	record_write(&run->record);
	turn_open_file(run->turn, TURN_OUTPUT, true);
}

static void on_sent(void *data, const char *method, const char *url, const struct body *body) {
	struct run *run = data;
	run->turn->row.overhead_us = now_us() - run->attempt_began;
	record_request(&run->record, method, url, body);
	uv_timer_start(&run->timer, on_time_to_write, WRITE_AFTER_MS, 0);
}

/* The head of a reply, by which it can be asked what the turn cost, should it be cut off. */
static void keep_head(struct run *run, const char *const *headers) {
	cleanup_buf struct buf head = {0};
	for (; headers != NULL && *headers != NULL; headers++) {
		buf_add_format(&head, "%s\n", *headers);
	}
	free(run->reply_head);
	run->reply_head = buf_take(&head);
}

static void on_head(void *data, int status, const char *content_type, const char *const *headers,
		bool to_output) {
	struct run *run = data;
	if (settlements_can_ask(run)) {
		keep_head(run, headers);
	}
	record_head(&run->record, status, content_type, to_output, run->results.under_way);
	if (to_output) {
		results_hint(&run->results, content_type);
	}
}

static void on_failed(uv_timer_t *timer) {
	struct run *run = timer->data;
	exchange_withdraw(run->exchange);
	run_end(run, TURN_FAILED, run->failure.code, fail_words(&run->failure), NULL);
}

static void on_output(void *data, const void *bytes, size_t size) {
	struct run *run = data;
	if (size == 0 || run->failure.code != 0) {
		return;
	}
	if (run->turn->row.first_byte == 0) {
		run->turn->row.first_byte = now_us();
	}
	if (!results_add(&run->results, bytes, size, &run->failure)) {
		/* An exchange can't be ended inside its own event. */
		uv_timer_start(&run->timer, on_failed, 0, 0);
	}
}

static void on_result(void *data, const char *type, const char *name) {
	struct run *run = data;
	size_t begun = run->results.begun;
	if (run->failure.code == 0 && !results_next(&run->results, type, name, &run->failure)) {
		uv_timer_start(&run->timer, on_failed, 0, 0);
	}
	record_result(&run->record, type, run->results.begun != begun);
}

static void on_result_end(void *data) {
	struct run *run = data;
	if (run->failure.code == 0 && !results_resume(&run->results, &run->failure)) {
		uv_timer_start(&run->timer, on_failed, 0, 0);
	}
}

static bool on_file(void *data, const char *path, const char *name, struct fail *fail) {
	struct run *run = data;
	if (run->turn->row.first_byte == 0) {
		run->turn->row.first_byte = now_us();
	}
	size_t begun = run->results.begun;
	bool taken = results_take(&run->results, path, name, fail);
	record_result(&run->record, "", run->results.begun != begun);
	return taken;
}

static void on_reasoning(void *data, const void *bytes, size_t size) {
	struct run *run = data;
	record_reasoning(&run->record, bytes, size);
}

static void on_response(void *data, const void *bytes, size_t size) {
	struct run *run = data;
	record_response(&run->record, bytes, size);
}

static void on_usage(void *data, const struct job_usage *usage) {
	struct run *run = data;
	run->usage = *usage;
	run->has_usage = true;
}

static void on_progress(void *data, const struct job_progress *progress) {
	struct run *run = data;
	struct turn *turn = run->turn;
	/* Each poll that says that the job goes on is a new beginning: as many may fail behind it.
	 */
	if (run->token != NULL) {
		run->attempts = 1;
	}
	turn->share = progress->share;
	snprintf(turn->doing, sizeof(turn->doing), "%s", progress->words);
	turn_changed(turn);
}

static bool on_resumable(void *data, const char *token, struct fail *fail) {
	struct run *run = data;
	char *copy = token[0] != '\0' ? strdup(token) : NULL;
	if (token[0] != '\0' && copy == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a turn");
	}
	free(run->token);
	run->token = copy;
	run->submitted = true;
	return store_job_keep(
			run->provider->engine->store, &run->turn->row, run->model, copy, fail);
}

/* ---- its end ---- */

/* Seconds from the request to its answer's first byte; negative when there was none. */
static double latency(const struct run *run) {
	int64_t first = run->turn->row.first_byte;
	return first >= run->attempt_began ? (double)(first - run->attempt_began) / 1e6 : -1;
}

static void note_health(struct run *run, const struct exchange_result *result) {
	struct health *health = run->provider->engine->health;
	const struct place *model = run_model(run);
	/* What the disk or a limit of ours ended says nothing of the service. */
	if (model == NULL || run->failure.code != 0) {
		return;
	}
	if (result->code == 0) {
		const struct place *answered = fallback_answered(run, result->model);
		if (answered != model) {
			failover_note(run, EREMOTEIO, "its service answered with another");
			health_failed(health, model, EREMOTEIO, -1,
					"its service answered with another");
		}
		health_answered(health, answered, latency(run));
	} else {
		health_failed(health, model, result->code, result->retry_after, result->words);
	}
}

/* Text may be empty, and silence written down is; of a picture or a sound nothing is no result. */
static bool output_is_there(struct run *run, const struct exchange_result *result) {
	return run->text || run->turn->row.output_size != 0 ||
	       fail_set(&run->failure, EPROTO,
			       "%s says that it is done (HTTP %d), but gave no bytes of a result",
			       run->provider->name, result->status);
}

static void on_end(void *data, const struct exchange_result *result) {
	struct run *run = data;
	struct exchange *exchange = take(run->exchange);
	run->charged = run->charged || exchange_may_cost(exchange);
	run->submitted = run->submitted || result->submitted;
	uv_timer_stop(&run->timer);
	run->turn->row.http_status = result->status;
	note_health(run, result);
	if (run->failure.code == 0 && result->code == 0 && output_is_there(run, result) &&
			results_end(&run->results, &run->failure)) {
		output_conforms(run, result->finish, &run->failure);
	}
	if (run->failure.code != 0) {
		run_end(run, TURN_FAILED, run->failure.code, fail_words(&run->failure), result);
	} else if (result->code == 0) {
		run_end(run, TURN_DONE, 0, "", result);
	} else if (fallback_was_refused(run, result->code)) {
		attempt_go_on(run);
	} else if ((run->submitted || !failover(run, result->code, result->words)) &&
			!retry(run, result)) {
		exchange_withdraw(exchange);
		run_end(run, TURN_FAILED, result->code, result->words, result);
	}
}

/* ---- beginning ---- */

static const struct exchange_events events = {
		.sent = on_sent,
		.head = on_head,
		.output = on_output,
		.file = on_file,
		.reasoning = on_reasoning,
		.result = on_result,
		.result_end = on_result_end,
		.usage = on_usage,
		.progress = on_progress,
		.resumable = on_resumable,
		.response = on_response,
		.end = on_end,
};

static void let_run_programs(struct run *run) {
	char directory[PATH_MAX];
	if (run->exchange != NULL && turn_directory(run->turn, directory, sizeof(directory))) {
		exchange_set_directory(run->exchange, directory);
	}
}

void attempt_go_on(struct run *run) {
	struct turn *turn = run->turn;
	struct prepared prepared = {0};
	struct fail fail = {0};
	turn->row.state = TURN_RUNNING;
	turn_changed(turn);
	record_begin(&run->record, turn);
	run->has_usage = false;
	if (prepare(run, &prepared, &fail)) {
		results_begin(&run->results, turn,
				attachments_media(run->provider->engine->attachments),
				run->provider->engine->config.media_most, run->text);
		/* Until the provider names the one that really answered. */
		turn_words_set(&turn->row.model, prepared.turn.model);
		if (run->token == NULL && answers_look(run, &prepared) != ANSWER_NONE) {
			prepared_finish(&prepared);
			return;
		}
		record_turn(&run->record, run->provider->version->base_url,
				run_setting(run, "system"), &prepared.turn);
		run->exchange = exchange_transform(run->provider->version, &prepared.turn,
				take(prepared.files), prepared.n_files, &prepared.timeouts, &events,
				run);
		prepared.n_files = 0;
		let_run_programs(run);
		if (run->exchange != NULL && run->token != NULL) {
			exchange_has_run(run->exchange,
					(double)(now_us() - turn->row.started) / 1e6);
		}
	}
	prepared_finish(&prepared);
	if (run->exchange == NULL &&
			(fail.code == 0 || !failover(run, fail.code, fail_words(&fail)))) {
		run_end(run, TURN_FAILED, fail.code != 0 ? fail.code : ENOMEM,
				fail.code != 0 ? fail_words(&fail) : "no memory for a turn", NULL);
	}
	fail_finish(&fail);
}

void attempt_begin(struct run *run) {
	run->attempt_began = now_us();
	uv_timer_stop(&run->timer);
	if (!texts_pass(run)) {
		return;
	}
	if (run->token == NULL && failover_early(run)) {
		return;
	}
	run->attempts++;
	attempt_go_on(run);
}
