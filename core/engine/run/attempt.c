/* An attempt at a turn and what comes of it: output, usage, another attempt, or the end. Private:
 * see run.h. */
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/engine/attach/attach.h"
#include "core/engine/engine.h"
#include "core/engine/money/books.h"
#include "core/engine/money/settle.h"
#include "core/engine/run/answers.h"
#include "core/engine/run/queue.h"
#include "core/engine/run/run.h"
#include "core/engine/run/text_check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/* Waits between attempts: 0.5 s doubling to 8 s, three quarters to all of it; a service that asks
 * for more than this much patience is not waited for. */
#define DELAY_FIRST 0.5
#define DELAY_MOST 8.0
#define RETRY_AFTER_MOST 300.0
/* Prompts above this are checked on the pool. */
#define CHECK_INLINE_MOST ((uint64_t)1 << 20)
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
	record_head(&run->record, status, content_type, to_output);
	if (to_output) {
		results_hint(&run->results, content_type);
	}
	/* Each poll that is answered is a new beginning: as many may fail behind it. */
	if (run->token != NULL && status < 400) {
		run->attempts = 1;
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
	if (run->failure.code == 0 && !results_next(&run->results, type, name, &run->failure)) {
		uv_timer_start(&run->timer, on_failed, 0, 0);
	}
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
	return results_take(&run->results, path, name, fail);
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

/* ---- another attempt ---- */

static double jitter(void) {
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
		return 1.0;
	}
	return 0.75 + 0.25 * random / UINT32_MAX;
}

static void on_wait_over(uv_timer_t *timer) {
	struct run *run = timer->data;
	run->turn->waiting_for[0] = '\0';
	run->turn->retry_at = 0;
	attempt_begin(run);
}

/* Waits and tries again, when the rules of design section 3.8 let it; false when they don't. */
static bool try_again(struct run *run, const struct exchange_result *result) {
	struct turn *turn = run->turn;
	double most = run_number(run, "retries", 4);
	/* What was submitted may only be picked up. */
	bool lost = run->submitted && run->token == NULL;
	if (!result->retry || lost || results_any(&run->results) || run->failure.code != 0 ||
			run->attempts > (int)most) {
		return false;
	}
	double delay = DELAY_FIRST * exp2(run->attempts - 1);
	delay = (delay < DELAY_MOST ? delay : DELAY_MOST) * jitter();
	if (result->retry_after > RETRY_AFTER_MOST) {
		return false;
	}
	if (result->retry_after > 0) {
		delay = result->retry_after;
	}
	record_write(&run->record);
	turn->row.state = TURN_WAITING;
	turn->retry_at = now_us() + (int64_t)(delay * 1e6);
	snprintf(turn->waiting_for, sizeof(turn->waiting_for), "attempt %d after: %s",
			run->attempts + 1, result->words);
	/* Flat keyed: one line, cut at a whole character. */
	turn->waiting_for[utf8_cut(turn->waiting_for, strlen(turn->waiting_for),
			sizeof(turn->waiting_for) - 5)] = '\0';
	for (char *c = turn->waiting_for; *c != '\0'; c++) {
		*c = (unsigned char)*c < 0x20 ? ' ' : *c;
	}
	turn_changed(turn);
	uv_timer_start(&run->timer, on_wait_over, (uint64_t)(delay * 1000), 0);
	return true;
}

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
			!try_again(run, result)) {
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
	}
	prepared_finish(&prepared);
	if (run->exchange == NULL &&
			(fail.code == 0 || !failover(run, fail.code, fail_words(&fail)))) {
		run_end(run, TURN_FAILED, fail.code != 0 ? fail.code : ENOMEM,
				fail.code != 0 ? fail_words(&fail) : "no memory for a turn", NULL);
	}
	fail_finish(&fail);
}

static void on_checked(void *data, const struct fail *fail) {
	struct run *run = data;
	run->check = NULL;
	run->n_checked++;
	if (fail->code != 0) {
		run_end(run, TURN_FAILED, fail->code, fail_words(fail), NULL);
	} else {
		attempt_begin(run);
	}
}

/* One of the texts that go out: the prompt is the first, then what is attached. -1 when this one
 * isn't a text, -2 when it can't be read. */
static int open_text(struct run *run, const struct attached *attached, size_t i, char *what,
		size_t size) {
	struct store *store = run->provider->engine->store;
	char path[PATH_MAX];
	const struct attached_file *file = i > 0 ? &attached->files[i - 1] : NULL;
	snprintf(what, size, "%s%s", file != NULL ? "attach/" : "the prompt",
			file != NULL ? file->name : "");
	const char *type = file != NULL ? file->type : attached_prompt_type(attached);
	if (strcmp(type, "text/plain") != 0 || (file != NULL && file->name[0] == '\0')) {
		return -1;
	}
	bool there = file != NULL ? store_attached_path(store, run->turn->row.id, file->name, path,
						    sizeof(path))
				  : turn_file_path(run->turn, TURN_PROMPT, path, sizeof(path));
	int fd = there ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	return fd >= 0 ? fd : -2;
}

/* What is sent as text must be UTF-8 as a whole. 1: it is, 0: the check goes on on the pool, -1
 * with words. */
static int check_text(struct run *run, int fd, const char *what, struct fail *fail) {
	struct stat status;
	if (fd < 0 || fstat(fd, &status) != 0) {
		fail_set(fail, EIO, "%s can't be read from the state directory: %s", what,
				strerror(errno));
		return -1;
	}
	if ((uint64_t)status.st_size > CHECK_INLINE_MOST) {
		uv_loop_t *loop = run->provider->engine->loop;
		run->check = text_check_start(loop, fd, what, on_checked, run);
		if (run->check != NULL) {
			return 0;
		}
	}
	return text_check_now(fd, what, fail) ? 1 : -1;
}

/* False when there is no attempt to make now: the turn has ended, or goes on when the check on the
 * pool is through. */
static bool texts_pass(struct run *run) {
	cleanup_fail struct fail fail = {0};
	cleanup(attached_finish) struct attached attached = {0};
	char what[NAME_MAX + 16];
	int passed = attached_of(run->provider->engine->attachments, run->turn->row.id, &attached,
				     &fail)
				     ? 1
				     : -1;
	while (passed > 0 && run->n_checked <= attached.n) {
		cleanup_close int fd = open_text(
				run, &attached, run->n_checked, what, sizeof(what));
		passed = fd != -1 ? check_text(run, fd, what, &fail) : 1;
		run->n_checked += passed > 0;
	}
	if (passed < 0) {
		run_end(run, TURN_FAILED, fail.code, fail_words(&fail), NULL);
	}
	return passed > 0;
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

/* ---- ending ---- */

/* A text result ends with a newline (design section 3.4). True when one was added. */
static bool end_with_newline(struct turn *turn) {
	char last = 0;
	uint64_t size = turn->row.output_size;
	int fd = size > 0 ? turn_open_file(turn, TURN_OUTPUT, false) : -1;
	return fd >= 0 && pread(fd, &last, 1, (off_t)(size - 1)) == 1 && last != '\n' &&
	       turn_output_append(turn, "\n", 1, NULL);
}

static void on_timer_closed(uv_handle_t *handle) {
	free(handle->data);
}

static void run_free(struct run *run) {
	fail_finish(&run->failure);
	run_drop_settings(run);
	free(run->terms.model);
	free(run->reply_head);
	free(run->token);
	fallback_drop(run);
	record_finish(&run->record);
	results_finish(&run->results);
	turn_release(run->turn);
	uv_close((uv_handle_t *)&run->timer, on_timer_closed);
}

/* Ends what it waits for, and frees it. */
static void run_drop(struct run *run) {
	list_remove(&run->link);
	exchange_cancel(take(run->exchange));
	text_check_cancel(take(run->check));
	answers_cancel(take(run->answer_work));
	run_free(run);
}

void run_leave(struct run *run) {
	struct turn *turn = run->turn;
	turn->row.state = TURN_INTERRUPTED;
	turn_set_words(turn, EIO, "conduitfs ended; the next mount picks the turn's job up");
	turn->run = NULL;
	record_write(&run->record);
	turn_changed(turn);
	/* The note of what it may cost stays. */
	books_abandon(run);
	run_drop(run);
}

void run_end(struct run *run, enum turn_state state, int code, const char *words,
		const struct exchange_result *result) {
	struct turn *turn = run->turn;
	struct provider *provider = run->provider;
	struct engine *engine = provider->engine;
	int64_t turn_place = turn->row.place;
	results_end(&run->results, NULL);
	bool plain = results_plain(&run->results);
	bool newline = state == TURN_DONE && run->text && plain && end_with_newline(turn);
	books_settle(run, run->charged || exchange_may_cost(run->exchange));
	turn->row.finished = now_us();
	turn->row.state = state;
	turn_set_words(turn, code, words);
	if (result != NULL) {
		turn_words_set(&turn->row.finish, result->finish);
		if (result->model[0] != '\0') {
			turn_words_set(&turn->row.model, result->model);
		}
	}
	turn->waiting_for[0] = '\0';
	turn->retry_at = 0;
	turn->share = NAN;
	turn->doing[0] = '\0';
	turn->run = NULL;
	/* First who waits for the answer, then the books. */
	turn_changed(turn);
	if ((!plain || run->results.done.n > 1) && engine->options.turns_changed != NULL) {
		engine->options.turns_changed(engine->options.data, turn_place);
	}
	record_end(&run->record, newline, result != NULL && result->by_provider);
	books_close(run);
	if (turn->row.cost < 0) {
		settlements_ask(engine->settlements, run);
	}
	store_sync_soon(engine->store, turn->row.id);
	engine->turns_done += state == TURN_DONE;
	engine->turns_failed += state == TURN_FAILED;
	if (state == TURN_CANCELLED || state == TURN_INTERRUPTED) {
		exchange_withdraw(run->exchange);
	}
	run_drop(run);
	queue_ended(provider, turn_place);
}
