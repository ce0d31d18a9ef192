/* A provider's turns: see queue.h. */
#include "core/engine/run/queue.h"

#include "core/engine/engine.h"
#include "core/engine/money/books.h"
#include "core/engine/run/recall.h"
#include "core/engine/run/run.h"

#include <errno.h>

bool queue_has_room(const struct provider *provider) {
	return provider->n_queued < (size_t)provider->queue_most ||
	       (provider->n_queued == 0 && provider->n_running < (size_t)provider->concurrent);
}

int64_t queue_waits_for(const struct turn *turn) {
	int64_t id = turn->row.previous;
	while (id != 0) {
		cleanup_turn struct turn *previous = turn_get(turn->table, id);
		if (previous == NULL) {
			return 0;
		}
		/* Who has no run any more is over, whatever its row could be told. */
		if (previous->run != NULL) {
			return id;
		}
		/* Once one began, those before it were over; one that never did says nothing. */
		if (previous->row.started != 0) {
			return 0;
		}
		id = previous->row.previous;
	}
	return 0;
}

/* Turns of one conversation run in order. */
static bool ready(const struct run *run) {
	return queue_waits_for(run->turn) == 0;
}

static struct run *next_ready(struct provider *provider) {
	struct run *run;
	list_for_each(run, &provider->queue, link) {
		if (ready(run)) {
			return run;
		}
	}
	return NULL;
}

static void recount(struct provider *provider) {
	struct run *run;
	provider->n_queued = provider->n_running = 0;
	list_for_each(run, &provider->queue, link) {
		provider->n_queued++;
	}
	list_for_each(run, &provider->running, link) {
		provider->n_running++;
	}
}

void queue_pump(struct provider *provider) {
	recount(provider);
	/* A turn that ends as soon as it begins pumps as well: the loop below goes on for it. */
	if (provider->pumping || provider->engine->closing || provider->version == NULL ||
			key_pending(provider->version->key)) {
		return;
	}
	provider->pumping = true;
	recall_pump(provider);
	struct run *run;
	while (provider->n_running < (size_t)provider->concurrent &&
			(run = next_ready(provider)) != NULL) {
		list_remove(&run->link);
		list_append(&provider->running, &run->link);
		if (run->turn->row.started == 0) {
			run->turn->row.started = now_us();
		}
		attempt_begin(run);
		recount(provider);
	}
	provider->pumping = false;
}

void queue_ended(struct provider *provider, int64_t place) {
	struct engine *engine = provider->engine;
	const struct place *at = catalogue_place(engine->catalogue, place);
	queue_pump(provider);
	if (at != NULL && at->model) {
		return;
	}
	/* Who waits for it may wait at another provider: a route answers by several. */
	struct provider *other;
	list_for_each(other, &engine->providers, link) {
		if (other != provider) {
			queue_pump(other);
		}
	}
}

struct place *run_place(const struct run *run) {
	return catalogue_place(run->provider->engine->catalogue, run->turn->row.place);
}

struct place *run_model(const struct run *run) {
	return catalogue_place(run->provider->engine->catalogue, run->model);
}

bool queue_add(struct provider *provider, struct place *model, struct turn *turn,
		struct fail *fail) {
	struct run *run = calloc(1, sizeof(*run));
	if (run == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a turn");
	}
	run->provider = provider;
	run->turn = turn;
	run->model = model->id;
	run->routed = place_route(catalogue_place(provider->engine->catalogue, turn->row.place)) !=
		      NULL;
	turn_words_set(&turn->row.provider, provider->name);
	if (!run_keep_settings(run)) {
		free(run);
		return fail_set(fail, ENOMEM, "no memory for a turn's settings");
	}
	if (!books_open(run, fail)) {
		books_abandon(run);
		run_drop_settings(run);
		free(run);
		return false;
	}
	turn_hold(turn);
	uv_timer_init(provider->engine->loop, &run->timer);
	run->timer.data = run;
	turn->run = run;
	list_append(&provider->queue, &run->link);
	queue_pump(provider);
	return true;
}

bool run_move(struct run *run, struct provider *provider, struct place *model, struct fail *fail) {
	list_remove(&run->link);
	list_append(&provider->queue, &run->link);
	run->provider = provider;
	run->model = model->id;
	run->attempts = 0;
	run_drop_settings(run);
	turn_words_set(&run->turn->row.provider, provider->name);
	turn_words_set(&run->turn->row.model, "");
	run->turn->row.state = TURN_QUEUED;
	if (!run_keep_settings(run)) {
		return fail_set(fail, ENOMEM, "no memory for a turn's settings");
	}
	if (!books_move(run, fail)) {
		return false;
	}
	turn_changed(run->turn);
	return true;
}

void queue_cancel(struct turn *turn) {
	char words[256];
	snprintf(words, sizeof(words), "cancelled%s",
			recall_needed(turn->run)
					? "; its service is told to withdraw the job once its "
					  "provider is there, where that can be done"
					: exchange_aftermath(turn->run->exchange));
	run_end(turn->run, TURN_CANCELLED, ECANCELED, words, NULL);
}

static void interrupt(struct run *run, const char *words) {
	const struct engine *engine = run->provider->engine;
	if (engine->closing && run->token != NULL && store_keeps_turns(engine->store)) {
		run_leave(run);
		return;
	}
	if (run->provider->engine->closing || !failover_unloaded(run)) {
		char all[256];
		snprintf(all, sizeof(all), "%s%s", words, exchange_aftermath(run->exchange));
		run_end(run, TURN_INTERRUPTED, EIO, all, NULL);
	}
}

void queue_interrupt(struct provider *provider) {
	provider->concurrent = 0;
	/* Who is told of one's end may end others. */
	while (!list_empty(&provider->running)) {
		interrupt(list_entry(provider->running.next, struct run, link),
				"conduitfs ended, or its provider was unloaded, while it ran");
	}
	while (!list_empty(&provider->queue)) {
		interrupt(list_entry(provider->queue.next, struct run, link),
				"conduitfs ended, or its provider was unloaded, before it was "
				"sent");
	}
}

size_t queue_position(const struct turn *turn) {
	size_t position = 0;
	if (turn->run == NULL || turn->row.state != TURN_QUEUED) {
		return 0;
	}
	const struct run *run;
	list_for_each(run, &turn->run->provider->queue, link) {
		position++;
		if (run == turn->run) {
			return position;
		}
	}
	return 0;
}

void queue_words(const struct turn *turn, char ret[QUEUE_WORDS_MOST]) {
	ret[0] = '\0';
	if (queue_position(turn) == 0) {
		return;
	}
	const struct provider *provider = turn->run->provider;
	int64_t before = queue_waits_for(turn);
	cleanup_turn struct turn *other = before != 0 ? turn_get(turn->table, before) : NULL;
	if (other != NULL) {
		char name[TURN_NAME_SIZE];
		turn_name(other, name);
		snprintf(ret, QUEUE_WORDS_MOST, "turn %s, which it continues", name);
	} else if (key_pending(provider->version->key)) {
		snprintf(ret, QUEUE_WORDS_MOST, "the key of %.80s", provider->name);
	} else {
		snprintf(ret, QUEUE_WORDS_MOST, "%.80s, which runs no more than %zu at once",
				provider->name, provider->n_running);
	}
}

/* The one that was submitted last: those before it don't begin meanwhile. */
static struct turn *last_of(struct engine *engine, int64_t place) {
	struct provider *provider;
	struct turn *last = NULL;
	list_for_each(provider, &engine->providers, link) {
		struct list *const lists[] = {&provider->running, &provider->queue};
		for (size_t i = 0; i < 2; i++) {
			struct run *run;
			list_for_each(run, lists[i], link) {
				bool later = last == NULL ||
					     run->turn->row.submitted >= last->row.submitted;
				last = run->turn->row.place == place && later ? run->turn : last;
			}
		}
	}
	return last;
}

void queue_cancel_all(struct engine *engine, int64_t place) {
	struct turn *turn;
	while ((turn = last_of(engine, place)) != NULL) {
		queue_cancel(turn);
	}
}

void queue_count(const struct engine *engine, int64_t place, size_t *ret_running,
		size_t *ret_queued) {
	const struct provider *provider;
	*ret_running = *ret_queued = 0;
	list_for_each(provider, &engine->providers, link) {
		const struct run *run;
		list_for_each(run, &provider->running, link) {
			*ret_running += run->turn->row.place == place;
		}
		list_for_each(run, &provider->queue, link) {
			*ret_queued += run->turn->row.place == place;
		}
	}
}
