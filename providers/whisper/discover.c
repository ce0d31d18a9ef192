/* Which server answers, and its models: OpenAI's list (speaches), then the paths that the server
 * describes (whisper-asr-webservice), then its page (whisper.cpp). */
/* For strcasestr. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "whisper.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/json.h>
#include <stdio.h>
#include <string.h>

static void ask(struct conduit_job *job, struct state *state, enum step step, const char *path) {
	char url[2048];
	snprintf(url, sizeof(url), "%s%s", conduit_base_url(job), path);
	state->step = step;
	state->size = 0;
	conduit_request(job, &(struct conduit_request){.method = "GET", .url = url});
}

void whisper_discover(struct conduit_job *job, struct state *state) {
	ask(job, state, ASK_MODELS, "/v1/models");
}

#define N_LIMITS(array) (sizeof(array) / sizeof((array)[0]))

static const struct conduit_limit with_segments[] = {
		{.name = "format", .choices = "text\nsrt\nvtt\njson", .standard = "text"},
		{.name = "task", .choices = "transcribe\ntranslate", .standard = "transcribe"},
		{.name = "timestamps", .choices = "none\nsegment\nword", .standard = "none"},
		{.name = "language"},
		{.name = "instructions",
				.help = "Words that are likely to come, and their spelling."},
		{.name = "temperature", .least = 0, .most = 1, .standard = "0"},
};

static const struct conduit_limit of_asr[] = {
		{.name = "format", .choices = "text\nsrt\nvtt\njson\ntsv", .standard = "text"},
		{.name = "task", .choices = "transcribe\ntranslate", .standard = "transcribe"},
		{.name = "timestamps", .choices = "none\nsegment\nword", .standard = "none"},
		{.name = "language"},
		{.name = "instructions",
				.help = "Words that are likely to come, and their spelling."},
};

static void emit(struct conduit_job *job, const char *id, const char *name,
		const struct conduit_limit *limits, size_t n) {
	static const struct conduit_price prices[] = {{"prompt", 0}, {"completion", 0}};
	conduit_model(job, &(struct conduit_model){.id = id,
					   .id_size = strlen(id),
					   .name = name,
					   .description = "Writes down what is said.",
					   .input_modalities = "audio",
					   .output_modalities = "transcription",
					   .prices = prices,
					   .n_prices = 2,
					   .limits = limits,
					   .n_limits = n});
}

/* Servers that say what a model is for are believed; of others its name tells. */
static bool transcribes(const struct conduit_json *entry, const char *id) {
	static const char *const names[] = {
			"whisper", "transcribe", "parakeet", "canary", "moonshine"};
	const char *task = conduit_json_string(entry, "task");
	if (task != NULL) {
		return strcmp(task, "automatic-speech-recognition") == 0;
	}
	for (size_t i = 0; i < N_LIMITS(names); i++) {
		if (strcasestr(id, names[i]) != NULL) {
			return true;
		}
	}
	return false;
}

static size_t emit_listed(struct conduit_job *job, const struct conduit_json *list) {
	size_t n = 0;
	const struct conduit_json *entry = conduit_json_first(conduit_json_get(list, "data"));
	for (; entry != NULL; entry = conduit_json_next(entry)) {
		const char *id = conduit_json_string(entry, "id");
		if (id != NULL && id[0] != '\0' && transcribes(entry, id)) {
			emit(job, id, id, with_segments, N_LIMITS(with_segments));
			n++;
		}
	}
	return n;
}

/* speaches knows what each model is for, and begins with none. */
static bool is_speaches(const struct conduit_json *list) {
	const struct conduit_json *data = conduit_json_get(list, "data");
	const struct conduit_json *first = conduit_json_first(data);
	return conduit_json_type(data, NULL) == CONDUIT_JSON_ARRAY &&
	       (first == NULL || conduit_json_string(first, "task") != NULL);
}

static void end_models(struct conduit_job *job, struct state *state) {
	struct conduit_json *list = state->status == 200
						    ? conduit_json_parse(state->body, state->size)
						    : NULL;
	if (emit_listed(job, list) != 0) {
		conduit_finish(job, NULL, NULL);
	} else if (list != NULL && is_speaches(list)) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_GONE,
						  .words = "the server has no model that "
							   "transcribes: have it get one, as by "
							   "curl -X POST …/v1/models/Systran/"
							   "faster-whisper-small"});
	} else if (state->status == 401 || state->status == 403) {
		conduit_http_failure(job, state->status, state->type, state->body, state->size);
	} else {
		ask(job, state, ASK_OPENAPI, "/openapi.json");
	}
	conduit_json_free(list);
}

static void end_openapi(struct conduit_job *job, struct state *state) {
	struct conduit_json *api = state->status == 200
						   ? conduit_json_parse(state->body, state->size)
						   : NULL;
	if (conduit_json_get(api, "paths./asr") != NULL) {
		emit(job, ID_ASR, "Whisper, by whisper-asr-webservice", of_asr, N_LIMITS(of_asr));
		conduit_finish(job, NULL, NULL);
	} else {
		ask(job, state, ASK_PAGE, "/");
	}
	conduit_json_free(api);
}

static void end_page(struct conduit_job *job, struct state *state) {
	if (state->status == 200 && strcasestr(state->body, "whisper.cpp") != NULL) {
		emit(job, ID_CPP, "Whisper, by whisper.cpp", with_segments,
				N_LIMITS(with_segments));
		conduit_finish(job, NULL, NULL);
	} else {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_GONE,
						  .words = "what answers there is no Whisper "
							   "server"});
	}
}

void whisper_discovered(struct conduit_job *job, struct state *state) {
	if (state->step == ASK_MODELS) {
		end_models(job, state);
	} else if (state->step == ASK_OPENAPI) {
		end_openapi(job, state);
	} else {
		end_page(job, state);
	}
}
