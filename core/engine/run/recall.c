/* Calling jobs back: see recall.h. */
#include "core/engine/run/recall.h"

#include "core/engine/engine.h"
#include "core/engine/load/load_private.h"
#include "core/engine/run/run.h"
#include "core/engine/run/withdraw.h"

#include <string.h>

/* At a time; who ends a session of more loses nothing but money. */
#define RECALLS_MOST 256
/* For a provider to come, and for it to answer. */
#define PATIENCE_MS ((uint64_t)10 * 60 * 1000)
#define ANSWER_MS ((uint64_t)10 * 1000)

struct recall {
	struct list link; /* in engine->recalls */
	struct engine *engine;
	char *provider; /* its name: it may go, and come again */
	char *model, *capability, *token;
	struct version *version; /* held while the job is under way; NULL before */
	struct job *job;
	struct withdrawal withdrawal;
	uv_timer_t timer;
};

static void on_closed(uv_handle_t *handle) {
	free(handle->data);
}

static void recall_free(struct recall *recall) {
	list_remove(&recall->link);
	recall->engine->n_recalls--;
	if (recall->job != NULL) {
		job_cancel(recall->job);
	}
	version_release(recall->version);
	withdrawal_finish(&recall->withdrawal);
	free(recall->provider);
	free(recall->model);
	free(recall->capability);
	free(recall->token);
	uv_close((uv_handle_t *)&recall->timer, on_closed);
}

static void note(const struct recall *recall, const char *words) {
	struct provider *provider = load_find(recall->engine, recall->provider);
	if (provider != NULL) {
		provider_log(provider, words);
	}
}

/* What the provider had to say was said. */
static void on_answered(uv_timer_t *timer) {
	struct recall *recall = timer->data;
	if (recall->withdrawal.url != NULL) {
		withdrawal_send(&recall->withdrawal, recall->version);
	} else {
		note(recall, "a cancelled job may go on: how it is withdrawn wasn't said");
	}
	recall_free(recall);
}

/* ---- what the provider says ---- */

/* A job can't be ended inside its own event. */
static void answered(struct recall *recall) {
	uv_timer_start(&recall->timer, on_answered, 0, 0);
}

static void on_cancel(void *data, struct job_request *request) {
	struct recall *recall = data;
	withdrawal_set(&recall->withdrawal, request);
	if (request != NULL) {
		answered(recall);
	}
}

/* It would go on with the job. */
static void on_request(void *data, struct job_request *request) {
	(void)request;
	answered(data);
}

static void on_read(void *data, uint32_t file) {
	(void)file;
	answered(data);
}

static void on_run(void *data, const struct job_run *run) {
	(void)run;
	answered(data);
}

static void on_end(void *data, const struct job_result *result) {
	(void)result;
	struct recall *recall = data;
	recall->job = NULL;
	answered(recall);
}

static void ask(struct recall *recall, struct version *version) {
	static const struct job_events events = {.request = on_request,
			.read = on_read,
			.run = on_run,
			.on_cancel = on_cancel,
			.end = on_end};
	const struct job_part part = {.type = "text/plain", .name = ""};
	const struct job_message message = {.role = JOB_USER, .parts = &part, .n_parts = 1};
	const struct job_setting resume = {
			.name = "resume", .value = recall->token, .size = strlen(recall->token)};
	const struct job_turn turn = {.model = recall->model,
			.capability = recall->capability,
			.messages = &message,
			.n_messages = 1,
			.settings = &resume,
			.n_settings = 1};
	recall->version = version_hold(version);
	recall->job = job_transform(version->process, &turn, &events, recall);
	uv_timer_start(&recall->timer, on_answered, recall->job != NULL ? ANSWER_MS : 0, 0);
}

/* ---- waiting for it ---- */

static void on_patience_over(uv_timer_t *timer) {
	struct recall *recall = timer->data;
	note(recall, "a cancelled job may go on: its provider wasn't there to withdraw it");
	recall_free(recall);
}

static void wait_for_provider(struct recall *recall) {
	uv_timer_start(&recall->timer, on_patience_over, PATIENCE_MS, 0);
}

void recall_leave(const struct provider *provider) {
	struct recall *recall;
	list_for_each(recall, &provider->engine->recalls, link) {
		if (recall->version == NULL || recall->version->provider != provider) {
			continue;
		}
		if (recall->withdrawal.url != NULL) {
			withdrawal_send(&recall->withdrawal, recall->version);
			recall_free(recall);
			continue;
		}
		if (recall->job != NULL) {
			job_cancel(take(recall->job));
		}
		version_release(take(recall->version));
		wait_for_provider(recall);
	}
}

void recall_pump(struct provider *provider) {
	struct recall *recall;
	list_for_each(recall, &provider->engine->recalls, link) {
		if (recall->version == NULL && strcmp(recall->provider, provider->name) == 0) {
			ask(recall, provider->version);
		}
	}
}

bool recall_needed(const struct run *run) {
	return run->token != NULL && !exchange_spoke(run->exchange);
}

void recall_later(struct run *run) {
	struct provider *provider = run->provider;
	struct engine *engine = provider->engine;
	const struct place *model = run_model(run);
	if (!recall_needed(run) || engine->closing || model == NULL ||
			engine->n_recalls == RECALLS_MOST) {
		return;
	}
	struct recall *recall = calloc(1, sizeof(*recall));
	if (recall == NULL) {
		return;
	}
	recall->engine = engine;
	uv_timer_init(engine->loop, &recall->timer);
	recall->timer.data = recall;
	list_append(&engine->recalls, &recall->link);
	engine->n_recalls++;
	recall->provider = strdup(provider->name);
	recall->token = strdup(run->token);
	if (!run_asks_for(run, &recall->model, &recall->capability) || recall->provider == NULL ||
			recall->token == NULL) {
		recall_free(recall);
		return;
	}
	wait_for_provider(recall);
}

void recalls_drop(struct engine *engine) {
	struct recall *recall;
	list_for_each(recall, &engine->recalls, link) {
		recall_free(recall);
	}
}
