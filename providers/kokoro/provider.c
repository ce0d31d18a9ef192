/* Kokoro (text to speech) behind a Kokoro-FastAPI server: one model, many voices, which mix. */
#include <conduit/kit/failure.h>
#include <conduit/kit/object.h>
#include <conduit/kit/server.h>
#include <conduit/kit/turn.h>
#include <stdlib.h>

/* ---- its voices ---- */

static void emit(struct conduit_job *job, const char *voices) {
	const struct conduit_limit limits[] = {
			{.name = "voice", .choices = voices, .standard = "af_heart"},
			{.name = "format",
					.choices = "mp3\nopus\naac\nflac\nwav\npcm",
					.standard = "mp3"},
			{.name = "speed", .least = 0.25, .most = 4, .standard = "1"},
			{.name = "language",
					.help = "A letter that says how words are spoken: a as in "
						"America, b as in Britain; unset, as the voice "
						"does."},
	};
	conduit_local_model(job, &(struct conduit_model){.id = "kokoro",
						 .name = "Kokoro",
						 .description = "Speaks what is written.",
						 .input_modalities = "text",
						 .output_modalities = "speech",
						 .limits = limits,
						 .n_limits = sizeof(limits) / sizeof(limits[0])});
	conduit_finish(job, NULL, NULL);
}

/* Strings, or since 0.3 objects with an id; and mixes, as af_bella(2)+af_sky(1). */
static void listed(struct conduit_job *job, const struct conduit_answer *answer) {
	struct conduit_json *list = conduit_answer_json(answer);
	char *voices = conduit_server_names(conduit_json_get(list, "voices"), "id", "*");
	if (voices != NULL && voices[0] != '\0') {
		emit(job, voices);
	} else {
		conduit_fail_with(job, CONDUIT_FAIL_GONE,
				"what answers there is no Kokoro server: it names no voices");
	}
	free(voices);
	conduit_json_free(list);
}

static void discover(struct conduit_job *job) {
	conduit_server_get(job, "/v1/audio/voices", listed);
}

/* ---- a turn ---- */

static void put_text(struct conduit_object *object, const char *name, const char *text) {
	if (conduit_object_member(object, name)) {
		conduit_body_string(conduit_object_body(object), text, strlen(text));
	}
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	const struct conduit_part *text = conduit_turn_part(turn, "text/");
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	put_text(object, "model", turn->model);
	if (text == NULL) {
		conduit_object_refuse(object, "only text can be spoken: write some");
	} else if (conduit_object_member(object, "input")) {
		conduit_body_text(body, "\"");
		conduit_body_file(body, CONDUIT_FILE_JSON, text->file);
		conduit_body_text(body, "\"");
	}
	conduit_object_setting(object, "voice", "voice", CONDUIT_FORM_STRING);
	if (!conduit_object_has(object, "format")) {
		put_text(object, "response_format", "mp3");
	}
	conduit_object_setting(object, "format", "response_format", CONDUIT_FORM_STRING);
	conduit_object_setting(object, "speed", "speed", CONDUIT_FORM_NUMBER);
	conduit_object_setting(object, "language", "lang_code", CONDUIT_FORM_STRING);
	struct conduit_request request = conduit_server_post(
			job, "/v1/audio/speech", headers, NULL);
	conduit_local_expect(job, conduit_server_media_done);
	conduit_object_send(object, job, &request);
	conduit_object_destroy(object);
}

CONDUIT_PROVIDER(.name = "kokoro", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_LOCAL_CALLBACKS)
