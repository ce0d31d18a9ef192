/* A prompt that a route brought to a model which fails goes to the next one, at once and before any
 * byte of an answer: design sections 3.8 and 4. Private: see run.h.
 *
 * A failure that every model would give alike ends the turn: a prompt that was refused, moderation.
 * A request that was sent whole and came to nothing may be billed by the one and is answered by the
 * other: who wants an answer has named both. A paid job that was begun is never begun elsewhere. */
#include "core/base/text.h"
#include "core/engine/engine.h"
#include "core/engine/route/ranking.h"
#include "core/engine/run/answers.h"
#include "core/engine/run/queue.h"
#include "core/engine/run/run.h"
#include "core/engine/run/text_check.h"

#include <errno.h>
#include <string.h>

/* Most bytes of one line about who was tried. */
#define LINE_MOST 600

static bool another_may(int code) {
	static const int codes[] = {ECONNREFUSED, EHOSTUNREACH, ECONNRESET, ETIMEDOUT, EBUSY,
			EREMOTEIO, EPROTO, ENOENT, EKEYREJECTED, ENOKEY, ENODEV, EACCES, EDQUOT,
			EMSGSIZE, EIO, ERANGE};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i] == code) {
			return true;
		}
	}
	return false;
}

/* "tried openrouter/a/b EREMOTEIO words" */
void failover_note(struct run *run, int code, const char *words) {
	cleanup_buf struct buf line = {0};
	const struct place *model = run_model(run);
	buf_add_string(&line, "tried ");
	if (model != NULL) {
		candidate_name(run->provider, model, &line);
	} else {
		buf_add_format(&line, "%s/%s", run->provider->name, run->turn->row.model);
	}
	buf_add_format(&line, " %s %s", errno_name(code), words);
	if (line.failed) {
		return;
	}
	size_t length = utf8_cut(line.data, line.size, LINE_MOST);
	for (size_t i = 0; i < length; i++) {
		line.data[i] = (unsigned char)line.data[i] < 0x20 ? ' ' : line.data[i];
	}
	line.data[length] = '\n';
	turn_file_append(run->turn, TURN_TRIED, line.data, length + 1);
}

/* Only a model with a longer context takes what was too long for this one. */
static int64_t context_of(struct run *run) {
	const struct place *model = run_model(run);
	const struct model_record *record =
			model != NULL ? catalogue_record(run->provider->engine->catalogue, model)
				      : NULL;
	return record != NULL ? record->context_length : 0;
}

/* Those that have been let be since before this turn are better than nobody; not those whose
 * failure it may have met itself. */
static bool choose_next(struct run *run, int64_t context_above, bool in_back_off,
		struct route_choice *ret) {
	struct place *place = run_place(run);
	int64_t tried[ROUTE_TRIES + 1];
	memcpy(tried, run->tried, sizeof(run->tried));
	tried[run->n_tried] = run->model;
	struct route_wish wish = {.tried = tried,
			.n_tried = run->n_tried + 1,
			.media = run->turn->media,
			.context_above = context_above,
			.with_full_queue = true,
			.in_back_off = in_back_off,
			.failed_before = run->turn->row.submitted};
	return place_route(place) != NULL &&
	       route_choose(run->provider->engine, place, &wish, ret, NULL);
}

/* Brings the prompt to this one, or to the next that the budgets let it: the run is another's then,
 * or over. */
static void move(struct run *run, struct route_choice to) {
	cleanup_fail struct fail fail = {0};
	struct provider *left = run->provider;
	bool moved;
	while (!(moved = run_move(run, to.provider, to.model, &fail)) && fail.code == EDQUOT &&
			run->n_tried + 1 < ROUTE_TRIES && choose_next(run, 0, true, &to)) {
		failover_note(run, fail.code, fail_words(&fail));
		run->tried[run->n_tried++] = run->model;
	}
	if (!moved) {
		run_end(run, TURN_FAILED, fail.code, fail_words(&fail), NULL);
	}
	queue_pump(left);
	queue_pump(to.provider);
}

/* The model, and those that its service has asked by itself; without a reply it asked nobody. */
static void mark_tried(struct run *run) {
	bool asked = run->turn->row.http_status >= 400;
	run->tried[run->n_tried++] = run->model;
	for (size_t i = 0; asked && i < run->fallback.n && run->n_tried < ROUTE_TRIES; i++) {
		run->tried[run->n_tried++] = run->fallback.models[i];
	}
}

/* A line each of those marked since. */
static void note_from(struct run *run, size_t from, int code, const char *words) {
	int64_t model = run->model;
	for (size_t i = from; i < run->n_tried; i++) {
		run->model = run->tried[i];
		failover_note(run, code, words);
	}
	run->model = model;
}

bool failover(struct run *run, int code, const char *words) {
	struct route_choice next;
	size_t before = run->n_tried;
	if (!run->routed || run->submitted || results_any(&run->results) ||
			run->failure.code != 0 || !another_may(code)) {
		return false;
	}
	/* Fewer than ROUTE_TRIES were moved on from, so that there is room. */
	mark_tried(run);
	if (run->n_tried == ROUTE_TRIES ||
			!choose_next(run, code == EMSGSIZE ? context_of(run) : 0, true, &next)) {
		run->n_tried = before;
		return false;
	}
	note_from(run, before, code, words);
	record_write(&run->record);
	move(run, next);
	return true;
}

/* Nothing paid is asked unasked, although it cost nothing when it was chosen. */
static bool leave_paid(struct run *run, struct place *model) {
	static const char words[] = "it costs money by now, and the route doesn't name it for that";
	struct place *place = run_place(run);
	if (place_route(place) == NULL ||
			route_lets(run->provider->engine, place, run->provider, model)) {
		return false;
	}
	if (!failover(run, ENODEV, words)) {
		run_end(run, TURN_FAILED, ENODEV, words, NULL);
	}
	return true;
}

bool failover_early(struct run *run) {
	struct place *model = run_model(run);
	struct route_choice next;
	if (!run->routed || model == NULL) {
		return false;
	}
	if (leave_paid(run, model)) {
		return true;
	}
	if (run->attempts != 0 ||
			health_back_off(run->provider->engine->health, model, NULL) == 0 ||
			!choose_next(run, 0, false, &next)) {
		return false;
	}
	move(run, next);
	return true;
}

bool failover_unloaded(struct run *run) {
	/* A job that was begun may be billed: it is withdrawn, and none is begun elsewhere. */
	if (run->submitted || exchange_aftermath(run->exchange)[0] != '\0') {
		return false;
	}
	run->charged = run->charged || exchange_may_cost(run->exchange);
	exchange_cancel(take(run->exchange));
	text_check_cancel(take(run->check));
	answers_cancel(take(run->answer_work));
	uv_timer_stop(&run->timer);
	return failover(run, ENODEV, "its provider was unloaded");
}
