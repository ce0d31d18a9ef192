/* Which of the two servers answers, its models and voices: see chatterbox.h. */
#include "chatterbox.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/server.h>
#include <stdlib.h>

const char *chatterbox_first_voice(const struct conduit_json *list) {
	const struct conduit_json *first = conduit_json_type(list, NULL) == CONDUIT_JSON_ARRAY
							   ? conduit_json_first(list)
							   : NULL;
	return conduit_json_string(first, "filename");
}

static void emit(struct conduit_job *job, const char *id, size_t size, const char *voices,
		const char *formats) {
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
	conduit_local_model(job,
			&(struct conduit_model){.id = id,
					.id_size = size,
					.name = "Chatterbox",
					.description = "Speaks what is written, in a voice of its "
						       "own or like the sound in attach/.",
					.input_modalities = "text,audio",
					.output_modalities = "speech",
					.limits = limits,
					.n_limits = files ? n : n - 2});
}

static void api_voices(struct conduit_job *job, const struct conduit_answer *answer) {
	const struct work *work = chatterbox_work(job);
	struct conduit_json *list = conduit_answer_json(answer);
	char *voices = conduit_server_names(conduit_json_get(list, "voices"), "name", NULL);
	conduit_json_free(list);
	if (voices == NULL) {
		conduit_fail_memory(job);
		return;
	}
	for (const char *id = work->models; *id != '\0'; id += strcspn(id, "\n") + 1) {
		emit(job, id, strcspn(id, "\n"), voices, "wav");
	}
	free(voices);
	conduit_finish(job, NULL, NULL);
}

/* The names that stand for another service's models are passed over; `to` has room for all, for
 * each takes more in JSON. */
static void keep_models(char *to, const struct conduit_json *list) {
	const struct conduit_json *each = conduit_json_first(conduit_json_get(list, "data"));
	for (; each != NULL; each = conduit_json_next(each)) {
		const char *id = conduit_json_string(each, "id");
		if (id != NULL && strncmp(id, "chatterbox-", 11) == 0) {
			to = stpcpy(stpcpy(to, id), "\n");
		}
	}
}

static void api_models(struct conduit_job *job, const struct conduit_answer *answer) {
	struct work *work = chatterbox_work(job);
	struct conduit_json *list = conduit_answer_json(answer);
	if (work != NULL && (work->models = calloc(1, answer->size + 1)) != NULL) {
		keep_models(work->models, list);
	}
	conduit_json_free(list);
	if (work != NULL && work->models != NULL && work->models[0] != '\0') {
		conduit_server_get(job, "/v1/voices", api_voices);
	} else {
		conduit_fail_with(job, CONDUIT_FAIL_GONE,
				"what answers there is no Chatterbox server");
	}
}

static void file_voices(struct conduit_job *job, const struct conduit_answer *answer) {
	struct conduit_json *list = conduit_answer_json(answer);
	char *voices = conduit_server_names(list, "filename", NULL);
	if (voices != NULL && voices[0] != '\0') {
		emit(job, ID_FILES, strlen(ID_FILES), voices, "wav\nopus\nmp3");
		conduit_finish(job, NULL, NULL);
	} else {
		conduit_server_get(job, "/v1/models", api_models);
	}
	free(voices);
	conduit_json_free(list);
}

void chatterbox_discover(struct conduit_job *job) {
	conduit_server_get(job, PATH_VOICES, file_voices);
}
