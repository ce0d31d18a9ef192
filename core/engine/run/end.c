/* How a run ends: its turn, the books, the record; and what it held. Private: see run.h. */
#include "core/engine/engine.h"
#include "core/engine/money/books.h"
#include "core/engine/money/settle.h"
#include "core/engine/run/answers.h"
#include "core/engine/run/queue.h"
#include "core/engine/run/recall.h"
#include "core/engine/run/run.h"
#include "core/engine/run/text_check.h"

#include <errno.h>
#include <math.h>
#include <string.h>

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
	record_end(&run->record, &run->results, newline, result != NULL && result->by_provider);
	books_close(run);
	if (turn->row.cost < 0) {
		settlements_ask(engine->settlements, run);
	}
	store_sync_soon(engine->store, turn->row.id);
	engine->turns_done += state == TURN_DONE;
	engine->turns_failed += state == TURN_FAILED;
	bool withdrawn = state == TURN_CANCELLED || state == TURN_INTERRUPTED;
	if (withdrawn && exchange_withdraw(run->exchange)) {
		run->exchange = NULL;
	} else if (withdrawn) {
		recall_later(run);
	}
	run_drop(run);
	queue_ended(provider, turn_place);
}
