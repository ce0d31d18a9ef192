/* Which server answers, and its models: OpenAI's list (speaches), then the paths that the server
 * describes (whisper-asr-webservice), then its page (whisper.cpp). */
/* For strcasestr. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "whisper.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/server.h>

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
	conduit_local_model(job, &(struct conduit_model){.id = id,
						 .name = name,
						 .description = "Writes down what is said.",
						 .input_modalities = "audio",
						 .output_modalities = "transcription",
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

static void paged(struct conduit_job *job, const struct conduit_answer *answer) {
	if (answer->status == 200 && strcasestr(answer->body, "whisper.cpp") != NULL) {
		emit(job, ID_CPP, "Whisper, by whisper.cpp", with_segments,
				N_LIMITS(with_segments));
		conduit_finish(job, NULL, NULL);
	} else {
		conduit_fail_with(
				job, CONDUIT_FAIL_GONE, "what answers there is no Whisper server");
	}
}

static void described(struct conduit_job *job, const struct conduit_answer *answer) {
	struct conduit_json *api = conduit_answer_json(answer);
	if (conduit_json_get(api, "paths./asr") != NULL) {
		emit(job, ID_ASR, "Whisper, by whisper-asr-webservice", of_asr, N_LIMITS(of_asr));
		conduit_finish(job, NULL, NULL);
	} else {
		conduit_server_get(job, "/", paged);
	}
	conduit_json_free(api);
}

static void listed(struct conduit_job *job, const struct conduit_answer *answer) {
	struct conduit_json *list = conduit_answer_json(answer);
	if (emit_listed(job, list) != 0) {
		conduit_finish(job, NULL, NULL);
	} else if (list != NULL && is_speaches(list)) {
		conduit_fail_with(job, CONDUIT_FAIL_GONE,
				"the server has no model that transcribes: have it get one, as by "
				"curl -X POST …/v1/models/Systran/faster-whisper-small");
	} else if (answer->status == 401 || answer->status == 403) {
		conduit_http_failure(job, answer->status, answer->type, answer->body, answer->size);
	} else {
		conduit_server_get(job, "/openapi.json", described);
	}
	conduit_json_free(list);
}

void whisper_discover(struct conduit_job *job) {
	conduit_server_get(job, "/v1/models", listed);
}
