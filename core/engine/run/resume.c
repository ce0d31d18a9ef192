/* Picking turns up after a start: see resume.h. */
#include "core/engine/run/resume.h"

#include "core/base/log.h"
#include "core/engine/engine.h"
#include "core/engine/money/books.h"
#include "core/engine/run/queue.h"
#include "core/engine/run/run.h"

#include <errno.h>
#include <string.h>

/* No more run at a time in all. */
#define JOBS_MOST 1024
#define PATIENCE_MS ((uint64_t)10 * 60 * 1000)

/* A turn that can't be picked up: what it may have cost counts as such. */
static void give_up(struct engine *engine, struct turn *turn, const struct store_job *job,
		const char *words) {
	turn->row.state = TURN_INTERRUPTED;
	turn->row.finished = now_us();
	turn->row.cost = job->reserved == 0 ? 0 : -1;
	turn_set_words(turn, EIO, words);
	books_close_left(engine->books, turn, job);
}

static void on_patience_over(uv_timer_t *timer) {
	struct run *run = timer->data;
	run_end(run, TURN_INTERRUPTED, EIO,
			"its job went on elsewhere while conduitfs ended, and its provider wasn't "
			"there for ten minutes to pick it up",
			NULL);
}

/* What the attempt before it left behind. */
static void forget_output(struct turn *turn) {
	turn_file_empty(turn, TURN_OUTPUT);
	turn->row.output_size = 0;
	turn->row.first_byte = 0;
}

static bool begin(struct run *run, const struct store_job *job, struct fail *fail) {
	run->token = strdup(job->token);
	if (run->token == NULL || !run_keep_settings(run)) {
		return fail_set(fail, ENOMEM, "no memory for a turn");
	}
	return books_restore(run, job, fail);
}

static bool pick_up(struct engine *engine, struct turn *turn, const struct store_job *job,
		struct fail *fail) {
	struct place *model = catalogue_place(engine->catalogue, job->model);
	struct provider *provider = engine_provider(engine, model);
	if (provider == NULL || catalogue_place(engine->catalogue, turn->row.place) == NULL) {
		return fail_set(fail, ENODEV,
				"its job went on elsewhere while conduitfs ended, but its model or "
				"provider isn't there any more to pick it up");
	}
	struct run *run = calloc(1, sizeof(*run));
	if (run == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a turn");
	}
	run->provider = provider;
	run->turn = turn;
	run->model = job->model;
	run->submitted = true;
	if (!begin(run, job, fail)) {
		books_abandon(run);
		run_drop_settings(run);
		free(run->token);
		free(run);
		return false;
	}
	forget_output(turn);
	turn->row.state = TURN_RUNNING;
	turn_hold(turn);
	turn->run = run;
	uv_timer_init(engine->loop, &run->timer);
	run->timer.data = run;
	uv_timer_start(&run->timer, on_patience_over, PATIENCE_MS, 0);
	list_append(&provider->queue, &run->link);
	return true;
}

void resume_all(struct engine *engine) {
	struct store_job *jobs = calloc(JOBS_MOST, sizeof(*jobs));
	size_t n = jobs != NULL ? store_jobs(engine->store, jobs, JOBS_MOST) : 0;
	for (size_t i = 0; i < n; i++) {
		cleanup_fail struct fail fail = {0};
		cleanup_turn struct turn *turn = turn_get(engine->turns, jobs[i].turn);
		if (turn != NULL && !pick_up(engine, turn, &jobs[i], &fail)) {
			give_up(engine, turn, &jobs[i], fail_words(&fail));
		}
		store_job_finish(&jobs[i]);
	}
	free(jobs);
	if (n != 0) {
		log_info("%zu turns are picked up whose jobs went on elsewhere", n);
	}
	struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		queue_pump(provider);
	}
}
