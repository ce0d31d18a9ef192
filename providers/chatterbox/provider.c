/* Chatterbox (text to speech, cloned voices) behind one of two servers: see chatterbox.h. A sound
 * in attach/ is the voice to speak with: it is brought to the server before. */
#include "chatterbox.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/multipart.h>
#include <conduit/kit/object.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list of voices: larger is none. */
#define BODY_MOST ((size_t)1 << 20)

static const char *const json_headers[] = {"Content-Type: application/json", NULL};

static struct state *make_state(struct conduit_job *job) {
	struct state *state = calloc(1, sizeof(*state));
	if (state == NULL || (state->body = calloc(1, 1)) == NULL) {
		free(state);
		conduit_fail(job, &(struct conduit_failure){.words = "memory is short"});
		return NULL;
	}
	conduit_set_state(job, state);
	return state;
}

static void discover(struct conduit_job *job) {
	struct state *state = make_state(job);
	if (state != NULL) {
		chatterbox_ask(job, state, ASK_FILES, "/get_predefined_voices");
	}
}

/* ---- a turn ---- */

static const char *setting(const struct conduit_turn *turn, const char *name) {
	const char *value = conduit_setting(turn, name);
	return value != NULL ? value : "";
}

static void find_parts(const struct conduit_turn *turn, const struct conduit_part **ret_text,
		const struct conduit_part **ret_sound) {
	const struct conduit_message *last = turn->n_messages != 0
							     ? &turn->messages[turn->n_messages - 1]
							     : NULL;
	*ret_text = *ret_sound = NULL;
	for (size_t i = 0; last != NULL && i < last->n_parts; i++) {
		const struct conduit_part *part = &last->parts[i];
		if (strncmp(part->type, "text/", 5) == 0) {
			*ret_text = *ret_text != NULL ? *ret_text : part;
		} else if (strncmp(part->type, "audio/", 6) == 0) {
			*ret_sound = part;
		}
	}
}

/* `,"name":` and what stands there; false where extra has that member. */
static bool member(struct conduit_body *body, const struct conduit_json *extra, const char *name) {
	if (conduit_json_type(extra, name) != CONDUIT_JSON_NONE) {
		return false;
	}
	conduit_body_text(body, ",\"");
	conduit_body_text(body, name);
	conduit_body_text(body, "\":");
	return true;
}

static void put_string(struct conduit_body *body, const struct conduit_json *extra,
		const char *name, const char *value) {
	if (value[0] != '\0' && member(body, extra, name)) {
		conduit_body_string(body, value, strlen(value));
	}
}

/* The daemon has checked that it is a number. */
static void put_number(struct conduit_body *body, const struct conduit_json *extra,
		const char *name, const char *value) {
	if (value[0] != '\0' && member(body, extra, name)) {
		conduit_body_text(body, value);
	}
}

static void put_extra(struct conduit_body *body, const struct conduit_json *extra) {
	const struct conduit_json *each = conduit_json_first(extra);
	for (; each != NULL; each = conduit_json_next(each)) {
		const char *name = conduit_json_name(each);
		char *value = conduit_json_print(each);
		if (name != NULL && value != NULL) {
			conduit_body_text(body, ",");
			conduit_body_string(body, name, strlen(name));
			conduit_body_text(body, ":");
			conduit_body_text(body, value);
		}
		free(value);
	}
}

/* All but the voice, which may be known later. */
static struct conduit_body *describe(const struct conduit_turn *turn,
		const struct conduit_part *text, const struct conduit_json *extra) {
	struct conduit_body *body = conduit_body_create();
	conduit_body_text(body, "{\"text\":\"");
	conduit_body_file(body, CONDUIT_FILE_JSON, text->file);
	conduit_body_text(body, "\"");
	put_string(body, extra, "output_format",
			setting(turn, "format")[0] != '\0' ? setting(turn, "format") : "wav");
	put_number(body, extra, "temperature", setting(turn, "temperature"));
	put_number(body, extra, "cfg_weight", setting(turn, "guidance"));
	put_number(body, extra, "speed_factor", setting(turn, "speed"));
	put_number(body, extra, "seed", setting(turn, "seed"));
	put_string(body, extra, "language", setting(turn, "language"));
	put_extra(body, extra);
	return body;
}

static void speak(struct conduit_job *job, struct state *state, const char *mode,
		const char *member_name, const char *voice) {
	char url[2048];
	conduit_body_text(state->request, ",\"voice_mode\":\"");
	conduit_body_text(state->request, mode);
	conduit_body_text(state->request, "\",\"");
	conduit_body_text(state->request, member_name);
	conduit_body_text(state->request, "\":");
	conduit_body_string(state->request, voice, strlen(voice));
	conduit_body_text(state->request, "}");
	snprintf(url, sizeof(url), "%s/tts", conduit_base_url(job));
	state->step = TURN_SPEECH;
	state->size = 0;
	conduit_body_send(state->request, job,
			&(struct conduit_request){.method = "POST",
					.url = url,
					.headers = json_headers,
					.sink = CONDUIT_TO_OUTPUT});
}

/* The server keeps a file that has the name of another as it was, so that each gets a name that
 * tells its size; it goes by the ending. */
static void upload(struct conduit_job *job, struct state *state, const struct conduit_part *sound) {
	struct conduit_multipart *form = conduit_multipart_create();
	char url[2048], name[300];
	bool mp3 = strcmp(sound->type, "audio/mpeg") == 0;
	const char *stem = sound->name[0] != '\0' ? sound->name : "voice";
	snprintf(name, sizeof(name), "%.200s-%" PRIu64 ".%s", stem, sound->bytes,
			mp3 ? "mp3" : "wav");
	conduit_multipart_file(form, "files", sound, name);
	snprintf(url, sizeof(url), "%s/upload_reference", conduit_base_url(job));
	state->step = TURN_UPLOAD;
	conduit_multipart_send(form, job, &(struct conduit_request){.method = "POST", .url = url});
	conduit_multipart_destroy(form);
}

static void begin_files(struct conduit_job *job, struct state *state,
		const struct conduit_turn *turn, const struct conduit_part *text,
		const struct conduit_part *sound) {
	const char *extra_text = setting(turn, "extra");
	struct conduit_json *extra = conduit_json_parse(extra_text, strlen(extra_text));
	state->request = describe(turn, text, extra);
	conduit_json_free(extra);
	if (sound != NULL) {
		upload(job, state, sound);
	} else if (setting(turn, "voice")[0] != '\0') {
		speak(job, state, "predefined", "predefined_voice_id", setting(turn, "voice"));
	} else {
		chatterbox_ask(job, state, TURN_VOICES, "/get_predefined_voices");
	}
}

/* With a voice to clone it takes a form. */
static void send_form(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_part *text, const struct conduit_part *sound) {
	struct conduit_multipart *form = conduit_multipart_create();
	char url[2048];
	conduit_multipart_part(form, "input", text);
	conduit_multipart_text(form, "model", turn->model);
	conduit_multipart_setting(form, turn, "temperature", "temperature");
	conduit_multipart_setting(form, turn, "guidance", "cfg_weight");
	conduit_multipart_setting(form, turn, "language", "language");
	conduit_multipart_extra(form, turn);
	conduit_multipart_file(form, "voice_file", sound, sound->name);
	snprintf(url, sizeof(url), "%s/v1/audio/speech/upload", conduit_base_url(job));
	conduit_multipart_send(form, job,
			&(struct conduit_request){
					.method = "POST", .url = url, .sink = CONDUIT_TO_OUTPUT});
	conduit_multipart_destroy(form);
}

static void send_openai(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_part *text) {
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	char url[2048];
	if (conduit_object_member(object, "input")) {
		conduit_body_text(body, "\"");
		conduit_body_file(body, CONDUIT_FILE_JSON, text->file);
		conduit_body_text(body, "\"");
	}
	if (conduit_object_member(object, "model")) {
		conduit_body_string(body, turn->model, strlen(turn->model));
	}
	conduit_object_setting(object, "voice", "voice", CONDUIT_FORM_STRING);
	conduit_object_setting(object, "temperature", "temperature", CONDUIT_FORM_NUMBER);
	conduit_object_setting(object, "guidance", "cfg_weight", CONDUIT_FORM_NUMBER);
	conduit_object_setting(object, "language", "language", CONDUIT_FORM_STRING);
	snprintf(url, sizeof(url), "%s/v1/audio/speech", conduit_base_url(job));
	conduit_object_send(object, job,
			&(struct conduit_request){.method = "POST",
					.url = url,
					.headers = json_headers,
					.sink = CONDUIT_TO_OUTPUT});
	conduit_object_destroy(object);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const struct conduit_part *text, *sound;
	struct state *state = make_state(job);
	if (state == NULL) {
		return;
	}
	find_parts(turn, &text, &sound);
	state->step = TURN_SPEECH;
	if (text == NULL) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID,
						  .words = "only text can be spoken: write some; a "
							   "sound is the voice, and belongs into "
							   "attach/"});
	} else if (strcmp(turn->model, ID_FILES) == 0) {
		begin_files(job, state, turn, text, sound);
	} else if (sound != NULL) {
		send_form(job, turn, text, sound);
	} else {
		send_openai(job, turn, text);
	}
}

/* ---- replies ---- */

static void end_upload(struct conduit_job *job, struct state *state) {
	struct conduit_json *said = conduit_json_parse(state->body, state->size);
	const char *name = conduit_json_string(said, "uploaded_files.0");
	const char *why = conduit_json_string(said, "errors.0.error");
	if (name != NULL) {
		speak(job, state, "clone", "reference_audio_filename", name);
	} else if (why != NULL) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID,
						  .status = state->status,
						  .words = why});
	} else {
		conduit_http_failure(job, state->status >= 400 ? state->status : 502, state->type,
				state->body, state->size);
	}
	conduit_json_free(said);
}

static void end_turn_voices(struct conduit_job *job, struct state *state) {
	struct conduit_json *list = conduit_json_parse(state->body, state->size);
	const char *voice = chatterbox_first_voice(list);
	if (voice != NULL) {
		speak(job, state, "predefined", "predefined_voice_id", voice);
	} else {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_UPSTREAM,
						  .status = state->status,
						  .words = "the server has no voice: write one to "
							   "config/voice, or attach a sound"});
	}
	conduit_json_free(list);
}

static void reply(struct conduit_job *job, const struct conduit_reply *head) {
	struct state *state = conduit_state(job);
	state->status = head->status;
	snprintf(state->type, sizeof(state->type), "%s", head->content_type);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct state *state = conduit_state(job);
	size_t room = BODY_MOST - state->size;
	size = size < room ? size : room;
	char *grown = realloc(state->body, state->size + size + 1);
	if (grown != NULL) {
		memcpy(grown + state->size, bytes, size);
		state->body = grown;
		state->size += size;
		state->body[state->size] = '\0';
	}
}

static void end(struct conduit_job *job) {
	struct state *state = conduit_state(job);
	bool good = state->status >= 200 && state->status <= 299;
	if (state->step < TURN_VOICES) {
		chatterbox_discovered(job, state);
	} else if (state->step == TURN_UPLOAD) {
		end_upload(job, state);
	} else if (!good) {
		conduit_http_failure(job, state->status, state->type, state->body, state->size);
	} else if (state->step == TURN_VOICES) {
		end_turn_voices(job, state);
	} else {
		conduit_finish(job, "stop", NULL);
	}
}

static void release(struct conduit_job *job) {
	struct state *state = conduit_state(job);
	if (state != NULL) {
		conduit_body_destroy(state->request);
		free(state->models);
		free(state->body);
		free(state);
	}
}

CONDUIT_PROVIDER(.name = "chatterbox", .version = "1.0.0", .discover = discover,
		.transform = transform, .reply = reply, .data = data, .end = end,
		.release = release)
