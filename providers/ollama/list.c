/* The models of the server: those that it has, each asked about, or one that is looked up by its
 * name, and pulled where it isn't there yet. */
#include "ollama.h"

#include <conduit/kit/failure.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *entry_name(const struct conduit_json *entry) {
	const char *name = conduit_json_string(entry, "name");
	return name != NULL ? name : conduit_json_string(entry, "model");
}

static void take_entry(void *data, const char *json, size_t size) {
	struct state *state = state_of(data);
	struct conduit_json *entry = conduit_json_parse(json, size);
	const char *name = entry_name(entry);
	if (name == NULL || name[0] == '\0' || state->n_entries == LISTED_MOST) {
		conduit_log(data,
				name == NULL || name[0] == '\0'
						? "an entry of the list is left out: it has no name"
						: "an entry of the list is left out: there are "
						  "more "
						  "than 2000");
		conduit_json_free(entry);
		return;
	}
	state->entries[state->n_entries++] = entry;
}

void discover(struct conduit_job *job) {
	static const char *const names[] = {"models", NULL};
	struct state *state = state_begin(job);
	if (state == NULL) {
		return;
	}
	state->items = conduit_json_items_create(&(struct conduit_json_items_calls){
			.names = names, .item = take_entry, .data = job});
	if (state->items == NULL) {
		conduit_fail_memory(job);
		return;
	}
	request_tags(job, state);
}

/* Each is asked about: the list doesn't say what a model can do. */
static void next_entry(struct conduit_job *job, struct state *state) {
	if (state->at < state->n_entries) {
		request_show(job, state, entry_name(state->entries[state->at]));
	} else {
		conduit_finish(job, NULL, NULL);
	}
}

void end_tags(struct conduit_job *job, struct state *state) {
	if (conduit_json_items_state(state->items) != CONDUIT_ITEMS_WHOLE ||
			!conduit_json_items_found(state->items)) {
		conduit_malformed(job, "Ollama's list of models is cut short, or is none");
		return;
	}
	next_entry(job, state);
}

/* One that the server fails to show (its file is damaged, or it is just being removed) is listed by
 * what its entry says. */
static void end_entry(struct conduit_job *job, struct state *state) {
	const struct conduit_json *entry = state->entries[state->at++];
	struct conduit_json *shown = conduit_gathered_good(&state->reply)
						     ? conduit_json_parse(state->reply.body,
								       state->reply.size)
						     : NULL;
	if (shown == NULL) {
		conduit_log(job,
				"%.200s isn't shown by Ollama (HTTP %d): only what the list says "
				"is known of it",
				entry_name(entry), state->reply.status);
	}
	models_emit(job, entry_name(entry), entry, shown);
	conduit_json_free(shown);
	next_entry(job, state);
}

void look_up(struct conduit_job *job, const char *id) {
	struct state *state = state_begin(job);
	if (state == NULL) {
		return;
	}
	state->look_up = strdup(id);
	snprintf(state->pull.model, sizeof(state->pull.model), "%s", id);
	if (state->look_up == NULL) {
		conduit_fail_memory(job);
		return;
	}
	request_show(job, state, id);
}

static void end_look_up(struct conduit_job *job, struct state *state) {
	if (may_pull(job, state)) {
		request_pull(job, state);
		return;
	}
	if (!conduit_gathered_good(&state->reply)) {
		conduit_gathered_failure(job, &state->reply);
		return;
	}
	struct conduit_json *shown = conduit_json_parse(state->reply.body, state->reply.size);
	if (shown == NULL) {
		conduit_malformed(job, "what Ollama shows of %.200s isn't JSON", state->look_up);
	} else {
		models_emit(job, state->look_up, NULL, shown);
		conduit_finish(job, NULL, NULL);
	}
	conduit_json_free(shown);
}

void end_show(struct conduit_job *job, struct state *state) {
	if (state->look_up != NULL) {
		end_look_up(job, state);
	} else {
		end_entry(job, state);
	}
}
