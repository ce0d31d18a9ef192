/* Runs a job against scripted exchanges: see replay.h. */
#include "core/provider/replay/replay.h"

#include "core/base/text.h"
#include "core/provider/replay/job.h"

#include <math.h>
#include <string.h>

static void feed(struct conduit_job *job, const struct conduit_provider *provider,
		const char *bytes, size_t size) {
	const struct replay_script *script = job->script;
	size_t step = script->cut == REPLAY_BYTES ? 1 : size;
	if (script->cut == REPLAY_AT && script->at < size) {
		step = script->at;
	}
	for (size_t at = 0; at < size;) {
		size_t piece = step != 0 && step < size - at ? step : size - at;
		/* A copy of just this piece: reading beyond it is an error that tools see. */
		char *copy = malloc(piece);
		if (copy == NULL) {
			abort();
		}
		memcpy(copy, bytes + at, piece);
		provider->data(job, copy, piece);
		free(copy);
		at += piece;
		step = script->cut == REPLAY_BYTES ? 1 : size;
	}
}

/* A program's stdout comes before its exit. */
static void ran(struct conduit_job *job, const struct conduit_provider *provider) {
	static const char *const none[] = {"words: ", "results: 1", NULL};
	const struct replay_exchange *exchange =
			&job->script->exchanges[job->replay->n_requests - 1];
	if (job->sink == CONDUIT_TO_OUTPUT) {
		conduit_output(job, exchange->body, exchange->size);
	} else {
		feed(job, provider, exchange->body, exchange->size);
	}
	if (provider->reply != NULL && !job_over(job)) {
		provider->reply(job, &(struct conduit_reply){.status = exchange->status,
						     .content_type = "text/plain",
						     .headers = exchange->headers != NULL
										? exchange->headers
										: none});
	}
}

/* False when the connection breaks: the job is released without `end`. */
static bool reply(struct conduit_job *job, const struct conduit_provider *provider) {
	static const char *const none[] = {NULL};
	const struct replay_exchange *exchange =
			&job->script->exchanges[job->replay->n_requests - 1];
	struct conduit_reply head = {
			.status = exchange->status,
			.content_type = exchange->content_type != NULL ? exchange->content_type
								       : "",
			.headers = exchange->headers != NULL ? exchange->headers : none,
	};
	bool good = head.status >= 200 && head.status <= 299;
	if (provider->reply != NULL) {
		provider->reply(job, &head);
	}
	if (job->sink == CONDUIT_TO_OUTPUT && good) {
		conduit_output(job, exchange->body, exchange->size);
	} else {
		feed(job, provider, exchange->body, exchange->size);
	}
	return !exchange->breaks;
}

/* Serves what is pending, until nothing is. */
static void serve(struct conduit_job *job, const struct conduit_provider *provider) {
	while (!job_over(job) && job->replay->broken == NULL) {
		enum pending pending = job->pending;
		if (pending == PENDING_NOTHING) {
			job_broke(job, "a callback returned with nothing pending and no end");
			return;
		}
		if (pending != PENDING_FILE && job->replay->n_requests > job->script->n_exchanges) {
			job_broke(job, "more requests than exchanges");
			return;
		}
		bool whole = true;
		if (pending == PENDING_REPLY) {
			whole = reply(job, provider);
		} else if (pending == PENDING_RUN) {
			ran(job, provider);
		} else {
			const struct replay_file *file = &job->script->files[job->file];
			feed(job, provider, file->bytes, file->size);
		}
		if (!whole) {
			return;
		}
		job->pending = PENDING_NOTHING;
		job->may_ask = true;
		provider->end(job);
		job->may_ask = false;
	}
}

/* One of `turn` and `id`, or neither: a discovery. */
static void run(struct replay *replay, const struct conduit_provider *provider,
		const struct replay_script *script, const struct conduit_turn *turn,
		const char *id) {
	*replay = (struct replay){.usage = CONDUIT_USAGE_UNKNOWN};
	struct conduit_job job = {
			.replay = replay,
			.script = script,
			.is_discovery = turn == NULL,
			.model_size = provider->model_size,
			.may_ask = true,
	};
	if (id != NULL && provider->look_up == NULL) {
		conduit_finish(&job, NULL, NULL);
	} else if (id != NULL) {
		provider->look_up(&job, id);
	} else if (turn == NULL) {
		provider->discover(&job);
	} else {
		provider->transform(&job, turn);
	}
	job.may_ask = false;
	serve(&job, provider);
	if (provider->release != NULL) {
		provider->release(&job);
	}
}

void replay_discover(struct replay *replay, const struct conduit_provider *provider,
		const struct replay_script *script) {
	run(replay, provider, script, NULL, NULL);
}

void replay_look_up(struct replay *replay, const struct conduit_provider *provider,
		const struct replay_script *script, const char *id) {
	run(replay, provider, script, NULL, id);
}

void replay_transform(struct replay *replay, const struct conduit_provider *provider,
		const struct replay_script *script, const struct conduit_turn *turn) {
	run(replay, provider, script, turn, NULL);
}

static void model_finish(struct replay_model *model) {
	for (size_t i = 0; i < model->n_prices; i++) {
		free(model->prices[i].name);
	}
	free(model->prices);
	free(model->id);
	free(model->name);
	free(model->description);
	free(model->input_modalities);
	free(model->output_modalities);
	free(model->parameters);
	free(model->raw);
	limits_finish(&model->limits);
}

void replay_finish(struct replay *replay) {
	for (size_t i = 0; i < replay->n_models; i++) {
		model_finish(&replay->models[i]);
	}
	for (size_t i = 0; i < replay->n_requests; i++) {
		free(replay->requests[i].method);
		free(replay->requests[i].url);
		free(replay->requests[i].headers);
		free(replay->requests[i].body);
	}
	for (size_t i = 0; i < replay->n_results; i++) {
		free(replay->results[i].type);
		free(replay->results[i].name);
		buf_finish(&replay->results[i].bytes);
	}
	free(replay->models);
	free(replay->requests);
	free(replay->results);
	buf_finish(&replay->output);
	buf_finish(&replay->reasoning);
	buf_finish(&replay->log);
	buf_finish(&replay->progress);
	buf_finish(&replay->on_cancel);
	buf_finish(&replay->resumable);
	free(replay->finish);
	free(replay->model);
	free(replay->words);
	*replay = (struct replay){0};
}

double replay_price(const struct replay_model *model, const char *name) {
	for (size_t i = 0; i < model->n_prices; i++) {
		if (strcmp(model->prices[i].name, name) == 0) {
			return model->prices[i].usd;
		}
	}
	return NAN;
}

bool replay_limit_text(const struct limit *limit, struct buf *out) {
	bool ranges = limit != NULL && (isfinite(limit->least) || isfinite(limit->most));
	if (ranges && isfinite(limit->least)) {
		buf_add_format(out, "%.15g", limit->least);
	}
	if (ranges) {
		buf_add_string(out, "..");
	}
	if (ranges && isfinite(limit->most)) {
		buf_add_format(out, "%.15g", limit->most);
	}
	const char *choices = limit != NULL ? limit->choices : "";
	buf_add_string(out, ranges && choices[0] != '\0' ? " " : "");
	for (; *choices != '\0'; choices++) {
		buf_add_byte(out, *choices == '\n' ? ',' : *choices);
	}
	if (limit != NULL && limit->standard[0] != '\0') {
		buf_add_format(out, "%s=%s", out->size != 0 ? " " : "", limit->standard);
	}
	return !out->failed;
}

bool replay_is_free(const struct replay_model *model) {
	bool free_of_charge = !isnan(replay_price(model, "prompt")) &&
			      !isnan(replay_price(model, "completion"));
	for (size_t i = 0; i < model->n_prices; i++) {
		free_of_charge = free_of_charge && fpclassify(model->prices[i].usd) == FP_ZERO;
	}
	bool text_only = model->output_modalities != NULL &&
			 strcmp(model->output_modalities, "text") == 0;
	return free_of_charge && (text_only || ends_with(model->id, ":free"));
}
