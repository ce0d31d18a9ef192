/* Which of the two servers answers, its models and voices: see chatterbox.h. */
#include "chatterbox.h"

#include <conduit/kit/failure.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void chatterbox_ask(
		struct conduit_job *job, struct state *state, enum step step, const char *path) {
	char url[2048];
	snprintf(url, sizeof(url), "%s%s", conduit_base_url(job), path);
	state->step = step;
	state->size = 0;
	conduit_request(job, &(struct conduit_request){.method = "GET", .url = url});
}

const char *chatterbox_first_voice(const struct conduit_json *list) {
	const struct conduit_json *first = conduit_json_type(list, NULL) == CONDUIT_JSON_ARRAY
							   ? conduit_json_first(list)
							   : NULL;
	return conduit_json_string(first, "filename");
}

static void emit(struct conduit_job *job, const char *id, size_t size, const char *voices,
		const char *formats) {
	static const struct conduit_price prices[] = {{"prompt", 0}, {"completion", 0}};
	const struct conduit_limit limits[] = {
			{.name = "voice", .choices = voices[0] != '\0' ? voices : NULL},
			{.name = "format", .choices = formats, .standard = "wav"},
			{.name = "temperature", .least = 0.05, .most = 5, .standard = "0.8"},
			{.name = "guidance",
					.least = 0,
					.most = 1,
					.standard = "0.5",
					.help = "How closely the voice's own pace is kept."},
			{.name = "language"},
			/* Of the first server alone. */
			{.name = "speed", .least = 0.25, .most = 4, .standard = "1"},
			{.name = "seed"},
	};
	bool files = size == strlen(ID_FILES) && memcmp(id, ID_FILES, size) == 0;
	size_t n = sizeof(limits) / sizeof(limits[0]);
	conduit_model(job,
			&(struct conduit_model){.id = id,
					.id_size = size,
					.name = "Chatterbox",
					.description = "Speaks what is written, in a voice of its "
						       "own or like the sound in attach/.",
					.input_modalities = "text,audio",
					.output_modalities = "speech",
					.prices = prices,
					.n_prices = 2,
					.limits = limits,
					.n_limits = files ? n : n - 2});
}

/* Strings of an array, or a member of its objects, one a line; `to` has room for all, for each
 * takes more in JSON. How many there are. */
static size_t list_names(const struct conduit_json *array, const char *member, char *to) {
	size_t n = 0;
	to[0] = '\0';
	const struct conduit_json *each = conduit_json_type(array, NULL) == CONDUIT_JSON_ARRAY
							  ? conduit_json_first(array)
							  : NULL;
	for (; each != NULL; each = conduit_json_next(each)) {
		const char *name = conduit_json_string(each, member);
		name = name != NULL ? name : conduit_json_string(each, NULL);
		if (name != NULL && name[0] != '\0') {
			to = stpcpy(stpcpy(to, name), "\n");
			n++;
		}
	}
	return n;
}

static void end_files(
		struct conduit_job *job, struct state *state, const struct conduit_json *list) {
	char *voices = malloc(state->size + 1);
	if (voices != NULL && list_names(list, "filename", voices) != 0) {
		emit(job, ID_FILES, strlen(ID_FILES), voices, "wav\nopus\nmp3");
		conduit_finish(job, NULL, NULL);
	} else {
		chatterbox_ask(job, state, ASK_MODELS, "/v1/models");
	}
	free(voices);
}

/* The names that stand for another service's models are passed over. */
static void end_models(
		struct conduit_job *job, struct state *state, const struct conduit_json *list) {
	const struct conduit_json *each = conduit_json_first(conduit_json_get(list, "data"));
	char *to = state->models = calloc(1, state->size + 1);
	for (; to != NULL && each != NULL; each = conduit_json_next(each)) {
		const char *id = conduit_json_string(each, "id");
		if (id != NULL && strncmp(id, "chatterbox-", 11) == 0) {
			to = stpcpy(stpcpy(to, id), "\n");
		}
	}
	if (state->models != NULL && state->models[0] != '\0') {
		chatterbox_ask(job, state, ASK_VOICES, "/v1/voices");
	} else {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_GONE,
						  .words = "what answers there is no Chatterbox "
							   "server"});
	}
}

static void end_voices(
		struct conduit_job *job, struct state *state, const struct conduit_json *list) {
	char *voices = malloc(state->size + 1);
	if (voices == NULL) {
		conduit_fail(job, &(struct conduit_failure){.words = "memory is short"});
		return;
	}
	list_names(conduit_json_get(list, "voices"), "name", voices);
	for (const char *id = state->models; *id != '\0'; id += strcspn(id, "\n") + 1) {
		emit(job, id, strcspn(id, "\n"), voices, "wav");
	}
	free(voices);
	conduit_finish(job, NULL, NULL);
}

void chatterbox_discovered(struct conduit_job *job, struct state *state) {
	struct conduit_json *list = state->status == 200
						    ? conduit_json_parse(state->body, state->size)
						    : NULL;
	if (state->step == ASK_FILES) {
		end_files(job, state, list);
	} else if (state->step == ASK_MODELS) {
		end_models(job, state, list);
	} else {
		end_voices(job, state, list);
	}
	conduit_json_free(list);
}
