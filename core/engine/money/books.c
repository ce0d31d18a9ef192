/* The books: see books.h. */
#include "core/engine/money/books.h"

#include "core/base/log.h"
#include "core/base/usd.h"
#include "core/engine/engine.h"
#include "core/engine/money/estimate.h"
#include "core/engine/run/run.h"
#include "core/engine/session/retention.h"
#include "core/store/delay.h"
#include "core/store/ledger.h"
#include "core/turn/history.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* How long after a failure it is tried again. */
#define AGAIN_MS 1000
/* A conversation longer than this isn't sent whole. */
#define CONVERSATION_MOST 500

struct books {
	struct engine *engine;
	struct list unwritten; /* struct end */
	struct delay *again;
};

/* A turn's end that isn't in the store yet. */
struct end {
	struct list link;
	struct turn *turn; /* held */
	char *model;
	int64_t reserved;
	struct reservation reservation;
};

/* ---- estimates ---- */

static const struct model_record *record_of(const struct run *run) {
	const struct place *model = run_model(run);
	return model != NULL ? catalogue_record(run->provider->engine->catalogue, model) : NULL;
}

/* What it may cost at most, reserved within the budgets; EDQUOT with words. */
static bool reserve(struct run *run, const struct input_size *size, struct fail *fail) {
	struct budgets *budgets = run->provider->engine->budgets;
	const struct model_record *record = record_of(run);
	struct place *place = run_place(run), *model = run_model(run);
	budget_release(budgets, &run->terms.reservation);
	run->terms.reserved = 0;
	if (record == NULL || place == NULL) {
		return true;
	}
	struct estimate estimate;
	estimate_turn(run->provider, record, (const char *const *)run->settings, size,
			budget_left(budgets, place, model), &estimate);
	/* Without a bound there is no budget, or it is refused below. */
	int64_t elsewhere = run->terms.elsewhere > 0 ? run->terms.elsewhere : 0;
	int64_t most = estimate.cost_most < 0 ? -1 : usd_sum(estimate.cost_most, elsewhere);
	if (!budget_reserve(budgets, place, model, most, &run->terms.reservation, fail)) {
		return false;
	}
	run->terms.reserved = most;
	run->terms.max_tokens = estimate.max_tokens;
	return true;
}

bool books_may_open(struct engine *engine, struct place *place, struct place *model,
		struct fail *fail) {
	const struct provider *provider = engine_provider(engine, model);
	const struct model_record *record = model != NULL ? catalogue_record(engine->catalogue,
									    model)
							  : NULL;
	if (provider == NULL || record == NULL) {
		return true;
	}
	struct price price = price_of(provider, record, 0, true);
	return budget_allows(engine->budgets, place, model, &price, fail);
}

/* The conversation as far as it is known; an answer that is still to come counts by its
 * max_tokens. */
static struct input_size conversation_size(struct turn *turn) {
	struct input_size size = {.bytes = turn->row.prompt_size, .messages = 1};
	int64_t id = turn->row.previous;
	for (int i = 0; id != 0 && i < CONVERSATION_MOST; i++) {
		cleanup_turn struct turn *previous = turn_get(turn->table, id);
		if (previous == NULL) {
			break;
		}
		if (previous->row.state <= TURN_DONE) {
			size.bytes += previous->row.prompt_size + history_answer_size(previous);
			size.messages += 2;
			size.tokens += previous->run != NULL ? previous->run->terms.max_tokens : 0;
		}
		id = previous->row.previous;
	}
	return size;
}

bool books_open(struct run *run, struct fail *fail) {
	cleanup_buf struct buf path = {0};
	const struct place *model = run_model(run);
	if (model == NULL || !place_path(model, &path)) {
		return fail_set(fail, ENOMEM, "no memory for a turn");
	}
	run->terms.model = buf_take(&path);
	struct input_size size = conversation_size(run->turn);
	size.bytes += strlen(run_setting(run, "system"));
	size.messages++;
	return run->terms.model != NULL ? reserve(run, &size, fail)
					: fail_set(fail, ENOMEM, "no memory for a turn");
}

bool books_restore(struct run *run, const struct store_job *job, struct fail *fail) {
	cleanup_buf struct buf path = {0};
	struct place *model = run_model(run);
	run->terms.model = place_path(model, &path) ? buf_take(&path) : NULL;
	run->terms.reserved = job->reserved;
	run->charged = true;
	return (run->terms.model != NULL &&
			       budget_restore(run->provider->engine->budgets, run_place(run), model,
					       job->reserved, &run->terms.reservation)) ||
	       fail_set(fail, ENOMEM, "no memory for a turn");
}

void books_abandon(struct run *run) {
	budget_release(run->provider->engine->budgets, &run->terms.reservation);
	free(take(run->terms.model));
}

bool books_move(struct run *run, struct fail *fail) {
	if (run->charged) {
		run->terms.elsewhere = run->terms.reserved;
	}
	run->charged = false;
	books_abandon(run);
	return books_open(run, fail);
}

static struct ledger_terms ledger_terms_of(const struct run *run) {
	return (struct ledger_terms){.model = run->terms.model, .reserved = run->terms.reserved};
}

bool books_send(struct run *run, const struct input_size *size, struct fail *fail) {
	cleanup_fail struct fail why = {0};
	if (!reserve(run, size, fail)) {
		return false;
	}
	struct ledger_terms terms = ledger_terms_of(run);
	/* What costs nothing needs no note. */
	return terms.reserved == 0 ||
	       ledger_reserve(run->provider->engine->store, &run->turn->row, &terms, &why) ||
	       fail_set(fail, why.code,
			       "nothing was sent, because what it may cost can't be noted: %s",
			       fail_words(&why));
}

int64_t books_max_tokens(const struct run *run) {
	return run->terms.max_tokens;
}

/* ---- what it cost ---- */

/* By the prices; -1 when a price or a count is unknown. */
static int64_t computed_cost(const struct run *run, bool charged) {
	const struct model_record *record = record_of(run);
	const struct job_usage *usage = &run->usage;
	if (!charged) {
		return 0;
	}
	if (record == NULL) {
		return -1;
	}
	struct price price = price_of(run->provider, record, usage->prompt_tokens, false);
	price_add_images(&price, 0, estimate_answers((const char *const *)run->settings));
	return price_cost(&price, usage->prompt_tokens, usage->completion_tokens);
}

void books_settle(struct run *run, bool charged) {
	struct turn_row *row = &run->turn->row;
	if (row->cached_from != 0) {
		row->prompt_tokens = row->completion_tokens = 0;
		row->reasoning_tokens = row->cached_tokens = row->cost = 0;
		turn_words_set(&row->cost_source, "cached");
		return;
	}
	if (!run->has_usage) {
		run->usage = (struct job_usage){-1, -1, -1, -1, NAN};
	}
	row->prompt_tokens = run->usage.prompt_tokens;
	row->completion_tokens = run->usage.completion_tokens;
	row->reasoning_tokens = run->usage.reasoning_tokens;
	row->cached_tokens = run->usage.cached_tokens;
	row->cost = usd_from(run->usage.cost);
	if (row->cost >= 0) {
		turn_words_set(&row->cost_source, "reported");
	} else {
		row->cost = computed_cost(run, charged || run->has_usage);
		turn_words_set(&row->cost_source, row->cost >= 0 ? "computed" : "unknown");
	}
	/* What a model that failed may have cost counts as if it did. */
	if (run->terms.elsewhere != 0) {
		bool known = row->cost >= 0 && run->terms.elsewhere > 0;
		row->cost = known ? usd_sum(row->cost, run->terms.elsewhere) : -1;
		turn_words_set(&row->cost_source, known ? "computed" : "unknown");
	}
}

/* ---- the end ---- */

static void end_free(struct books *books, struct end *end) {
	budget_release(books->engine->budgets, &end->reservation);
	list_remove(&end->link);
	turn_release(end->turn);
	free(end->model);
	free(end);
}

static bool write_end(struct books *books, const struct turn *turn, const char *model,
		int64_t reserved, struct fail *fail) {
	struct ledger_terms terms = {.model = model, .reserved = reserved};
	return ledger_end(books->engine->store, &turn->row, &terms, fail);
}

static void on_again(void *data) {
	struct books *books = data;
	while (!list_empty(&books->unwritten)) {
		struct end *end = list_entry(books->unwritten.next, struct end, link);
		if (!write_end(books, end->turn, end->model, end->reserved, NULL)) {
			delay_arm(books->again, AGAIN_MS);
			return;
		}
		end_free(books, end);
	}
}

/* Takes the reservation over: it holds until the cost is in the ledger. */
static void close_turn(struct books *books, struct turn *turn, const char *model, int64_t reserved,
		struct reservation *reservation) {
	cleanup_fail struct fail fail = {0};
	turn->row.bytes = turn_bytes(turn);
	if (write_end(books, turn, model, reserved, &fail)) {
		budget_release(books->engine->budgets, reservation);
		retention_look(books->engine->retention);
		return;
	}
	log_error("turn %lld can't be recorded yet: %s", (long long)turn->row.id,
			fail_words(&fail));
	struct end *end = calloc(1, sizeof(*end));
	char *copy = strdup(model);
	if (end == NULL || copy == NULL) {
		free(end);
		free(copy);
		budget_release(books->engine->budgets, reservation);
		log_error("turn %lld isn't in the ledger: no memory", (long long)turn->row.id);
		return;
	}
	*end = (struct end){.turn = turn_hold(turn), .model = copy, .reserved = reserved};
	end->reservation = *reservation;
	*reservation = (struct reservation){0};
	list_append(&books->unwritten, &end->link);
	delay_arm(books->again, AGAIN_MS);
}

void books_close(struct run *run) {
	close_turn(run->provider->engine->books, run->turn,
			run->terms.model != NULL ? run->terms.model : "", run->terms.reserved,
			&run->terms.reservation);
}

void books_close_left(struct books *books, struct turn *turn, const struct store_job *job) {
	struct reservation none = {0};
	close_turn(books, turn, job->path, job->reserved, &none);
}

void books_close_unsent(struct books *books, struct turn *turn) {
	turn->row.cost = 0;
	turn_words_set(&turn->row.cost_source, "computed");
	struct reservation none = {0};
	close_turn(books, turn, "", 0, &none);
}

struct books *books_create(struct engine *engine) {
	struct books *books = calloc(1, sizeof(*books));
	if (books == NULL) {
		return NULL;
	}
	books->engine = engine;
	list_init(&books->unwritten);
	books->again = delay_create(engine->loop, on_again, books, false);
	if (books->again == NULL) {
		free(books);
		return NULL;
	}
	return books;
}

void books_destroy(struct books *books) {
	if (books == NULL) {
		return;
	}
	on_again(books);
	struct end *end;
	list_for_each(end, &books->unwritten, link) {
		log_error("turn %lld isn't recorded: it will say interrupted",
				(long long)end->turn->row.id);
		end_free(books, end);
	}
	delay_destroy(books->again);
	free(books);
}
