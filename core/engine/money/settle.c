/* What cut-off turns cost: see settle.h. A question is a job of the provider's, with the capability
 * "cost": see provider.h. */
#include "core/engine/money/settle.h"

#include "core/base/log.h"
#include "core/base/usd.h"
#include "core/engine/engine.h"
#include "core/engine/run/run.h"
#include "core/store/delay.h"
#include "core/store/ledger.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* After 2, 4 … 128 seconds. */
#define DELAY_FIRST_MS 2000
#define TRIES_MOST 7
/* Questions at a time; of more turns than that the cost stays unknown. */
#define QUESTIONS_MOST 256

struct settlements {
	struct engine *engine;
	struct list questions;
	size_t n_questions;
};

struct question {
	struct list link;
	struct settlements *settlements;
	struct provider *provider;
	int64_t turn;
	char *model, *head;
	unsigned tries;
	struct delay *delay;
	struct exchange *exchange;
	struct job_usage usage;
};

static void question_free(struct question *question) {
	list_remove(&question->link);
	question->settlements->n_questions--;
	exchange_cancel(question->exchange);
	delay_destroy(question->delay);
	free(question->model);
	free(question->head);
	free(question);
}

static void ask_later(struct question *question) {
	if (question->tries == TRIES_MOST) {
		question_free(question);
		return;
	}
	delay_arm(question->delay, (uint64_t)DELAY_FIRST_MS << question->tries++);
}

static void on_usage(void *data, const struct job_usage *usage) {
	struct question *question = data;
	question->usage = *usage;
}

/* True when it is in the ledger; it may not be yet, as long as the turn's end isn't. */
static bool settle(const struct question *question) {
	struct engine *engine = question->settlements->engine;
	cleanup_fail struct fail fail = {0};
	cleanup_turn struct turn *turn = turn_get(engine->turns, question->turn);
	struct turn_row row = {.id = question->turn};
	struct turn_row *into = turn != NULL ? &turn->row : &row;
	const struct job_usage *usage = &question->usage;
	struct ledger_cost cost = {usd_from(usage->cost), usage->prompt_tokens,
			usage->completion_tokens, usage->reasoning_tokens, usage->cached_tokens};
	if (!ledger_settle(engine->store, into, &cost, &fail)) {
		log_warning("what turn %" PRId64 " cost can't be recorded: %s", question->turn,
				fail_words(&fail));
		return false;
	}
	if (turn != NULL) {
		turn_changed(turn);
	} else {
		free(row.cost_source);
	}
	return true;
}

static void on_end(void *data, const struct exchange_result *result) {
	struct question *question = data;
	question->exchange = NULL;
	bool told = result->code == 0 && usd_from(question->usage.cost) >= 0;
	if (told && settle(question)) {
		question_free(question);
	} else {
		ask_later(question);
	}
}

static void on_due(void *data) {
	static const struct exchange_events events = {.usage = on_usage, .end = on_end};
	static const struct transfer_timeouts timeouts = {15, 60, 60, 120};
	struct question *question = data;
	struct job_setting setting = {
			.name = "reply", .value = question->head, .size = strlen(question->head)};
	struct job_turn turn = {.model = question->model,
			.capability = "cost",
			.settings = &setting,
			.n_settings = 1};
	question->usage = (struct job_usage){-1, -1, -1, -1, NAN};
	question->exchange = question->provider->version != NULL
					     ? exchange_transform(question->provider->version,
							       &turn, NULL, 0, &timeouts, &events,
							       question)
					     : NULL;
	if (question->exchange == NULL) {
		ask_later(question);
	}
}

bool settlements_can_ask(const struct run *run) {
	const struct manifest *manifest = provider_manifest(run->provider);
	return manifest != NULL && manifest->cost_lookup && run->terms.reserved != 0;
}

void settlements_ask(struct settlements *settlements, const struct run *run) {
	struct engine *engine = run->provider->engine;
	const struct place *model = run_model(run);
	const struct model_record *record = model != NULL ? catalogue_record(engine->catalogue,
									    model)
							  : NULL;
	if (settlements == NULL || record == NULL || run->reply_head == NULL ||
			settlements->n_questions == QUESTIONS_MOST) {
		return;
	}
	struct question *question = calloc(1, sizeof(*question));
	if (question == NULL) {
		return;
	}
	question->settlements = settlements;
	question->provider = run->provider;
	question->turn = run->turn->row.id;
	question->model = strdup(record->id);
	question->head = strdup(run->reply_head);
	question->delay = delay_create(engine->loop, on_due, question, false);
	list_append(&settlements->questions, &question->link);
	settlements->n_questions++;
	if (question->model == NULL || question->head == NULL || question->delay == NULL) {
		question_free(question);
		return;
	}
	ask_later(question);
}

void settlements_leave(struct settlements *settlements, const struct provider *provider) {
	struct question *question;
	if (settlements == NULL) {
		return;
	}
	list_for_each(question, &settlements->questions, link) {
		if (question->provider == provider) {
			question_free(question);
		}
	}
}

struct settlements *settlements_create(struct engine *engine) {
	struct settlements *settlements = calloc(1, sizeof(*settlements));
	if (settlements != NULL) {
		settlements->engine = engine;
		list_init(&settlements->questions);
	}
	return settlements;
}

void settlements_destroy(struct settlements *settlements) {
	if (settlements == NULL) {
		return;
	}
	struct question *question;
	list_for_each(question, &settlements->questions, link) {
		question_free(question);
	}
	free(settlements);
}
