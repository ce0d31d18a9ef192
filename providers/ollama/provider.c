/* Ollama by its own API: which request a job makes, and where the bytes of its reply go. */
#include "ollama.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/openai.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x6f6c6c61u
#define WHOLE_MOST ((size_t)16 << 20) /* bytes of what /api/show says */

struct state *state_of(const struct conduit_job *job) {
	struct state *state = conduit_state(job);
	return state != NULL && state->magic == MAGIC ? state : NULL;
}

struct state *state_begin(struct conduit_job *job) {
	struct state *state = calloc(1, sizeof(*state));
	if (state == NULL) {
		conduit_fail_memory(job);
		return NULL;
	}
	state->magic = MAGIC;
	answer_begin(&state->answer, job);
	state->pull.job = job;
	conduit_set_state(job, state);
	return state;
}

/* ---- a turn ---- */

/* /api/embed takes and gives what the kit knows, by names of its own. */
static const struct conduit_openai_embeddings embeddings = {
		.before = "/api/embed", .input = "input", .list = "embeddings"};
static const struct conduit_openai embedding = {.service = "Ollama", .embeddings = &embeddings};

static bool is_text(const struct conduit_turn *turn) {
	const char *to = turn->capability != NULL ? strrchr(turn->capability, '-') : NULL;
	return to == NULL ||
	       (strcmp(to, "-text") == 0 && strcmp(turn->capability, "audio-to-text") != 0);
}

void take_line(void *data, const char *line, size_t size) {
	struct state *state = state_of(data);
	if (state->step == STEP_PULL) {
		pull_line(&state->pull, line, size);
	} else {
		answer_line(&state->answer, line, size);
	}
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	if (turn->capability != NULL && strcmp(turn->capability, "text-to-embedding") == 0) {
		conduit_openai_transform(job, turn, &embedding);
		return;
	}
	if (!is_text(turn)) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"Ollama's models answer with text or vectors: for anything else "
				"use another provider's");
		return;
	}
	struct state *state = state_begin(job);
	if (state == NULL) {
		return;
	}
	snprintf(state->pull.model, sizeof(state->pull.model), "%s", turn->model);
	state->request = request_build(job, turn);
	request_chat(job, state);
}

/* ---- replies ---- */

static void reply(struct conduit_job *job, const struct conduit_reply *head) {
	struct state *state = state_of(job);
	if (state == NULL) {
		conduit_openai_reply(job, head);
		return;
	}
	conduit_gather_head(&state->reply, head);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct state *state = state_of(job);
	if (state == NULL) {
		conduit_openai_data(job, bytes, size);
	} else if (state->answer.over || state->pull.over) {
		return;
	} else if (!conduit_gathered_good(&state->reply)) {
		conduit_gather(&state->reply, bytes, size, CONDUIT_ERROR_LIMIT);
	} else if (state->step == STEP_TAGS) {
		conduit_json_items_feed(state->items, bytes, size);
	} else if (state->step == STEP_SHOW) {
		conduit_gather(&state->reply, bytes, size, WHOLE_MOST);
	} else if (!conduit_ndjson_feed(state->lines, bytes, size) && !state->answer.over) {
		conduit_malformed(job, "Ollama's answer holds a line that exceeds 64 MiB");
		state->answer.over = true;
	}
}

/* The model is there: what was asked first is asked again. */
static void end_pull(struct conduit_job *job, struct state *state) {
	conduit_ndjson_end(state->lines);
	if (!pull_end(&state->pull)) {
		return;
	}
	if (state->look_up != NULL) {
		request_show(job, state, state->look_up);
	} else {
		request_chat(job, state);
	}
}

static void end_chat(struct conduit_job *job, struct state *state) {
	if (conduit_gathered_good(&state->reply)) {
		conduit_ndjson_end(state->lines);
		answer_end(&state->answer);
	} else if (may_pull(job, state)) {
		request_pull(job, state);
	} else {
		conduit_gathered_failure(job, &state->reply);
	}
}

static void end(struct conduit_job *job) {
	struct state *state = state_of(job);
	if (state == NULL) {
		conduit_openai_end(job);
	} else if (state->answer.over || state->pull.over) {
		return;
	} else if (state->step == STEP_SHOW) {
		end_show(job, state);
	} else if (state->step == STEP_CHAT) {
		end_chat(job, state);
	} else if (!conduit_gathered_good(&state->reply)) {
		conduit_gathered_failure(job, &state->reply);
	} else if (state->step == STEP_TAGS) {
		end_tags(job, state);
	} else {
		end_pull(job, state);
	}
}

static void release(struct conduit_job *job) {
	struct state *state = state_of(job);
	if (state == NULL) {
		conduit_openai_release(job);
		return;
	}
	for (size_t i = 0; i < state->n_entries; i++) {
		conduit_json_free(state->entries[i]);
	}
	conduit_json_items_destroy(state->items);
	conduit_ndjson_destroy(state->lines);
	conduit_object_destroy(state->request);
	answer_finish(&state->answer);
	free(state->look_up);
	conduit_gather_finish(&state->reply);
	free(state);
	conduit_set_state(job, NULL);
}

CONDUIT_PROVIDER(.name = "ollama", .version = "1.0.0", .discover = discover, .transform = transform,
		.reply = reply, .data = data, .end = end, .release = release, .look_up = look_up)
