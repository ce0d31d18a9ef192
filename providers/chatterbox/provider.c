/* Chatterbox (text to speech, cloned voices) behind one of two servers: see chatterbox.h. A sound
 * in attach/ is the voice to speak with: it is brought to the server before. */
#include "chatterbox.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/multipart.h>
#include <conduit/kit/object.h>
#include <conduit/kit/server.h>
#include <conduit/kit/turn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const json_headers[] = {"Content-Type: application/json", NULL};

static void finish_work(void *own) {
	struct work *work = own;
	conduit_body_destroy(work->request);
	free(work->models);
}

struct work *chatterbox_work(struct conduit_job *job) {
	return conduit_local_own(job, sizeof(struct work), finish_work);
}

/* ---- a turn ---- */

/* The sound that is the voice, or NULL; false when there are two, of which one would count for
 * nothing. */
static bool find_voice(const struct conduit_turn *turn, const struct conduit_part **ret) {
	const struct conduit_message *last = &turn->messages[turn->n_messages - 1];
	*ret = conduit_turn_part(turn, "audio/");
	for (size_t i = 0; *ret != NULL && i < last->n_parts; i++) {
		const struct conduit_part *part = &last->parts[i];
		if (part != *ret && strncmp(part->type, "audio/", 6) == 0) {
			return false;
		}
	}
	return true;
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
	put_string(body, extra, "output_format", conduit_setting_or(turn, "format", "wav"));
	put_number(body, extra, "temperature", conduit_setting_or(turn, "temperature", ""));
	put_number(body, extra, "cfg_weight", conduit_setting_or(turn, "guidance", ""));
	put_number(body, extra, "speed_factor", conduit_setting_or(turn, "speed", ""));
	put_number(body, extra, "seed", conduit_setting_or(turn, "seed", ""));
	put_string(body, extra, "language", conduit_setting_or(turn, "language", ""));
	put_extra(body, extra);
	return body;
}

static void speak(struct conduit_job *job, struct conduit_body *said, const char *mode,
		const char *member_name, const char *voice) {
	conduit_body_text(said, ",\"voice_mode\":\"");
	conduit_body_text(said, mode);
	conduit_body_text(said, "\",\"");
	conduit_body_text(said, member_name);
	conduit_body_text(said, "\":");
	conduit_body_string(said, voice, strlen(voice));
	conduit_body_text(said, "}");
	struct conduit_request request = conduit_server_post(job, "/tts", json_headers, NULL);
	conduit_local_expect(job, conduit_server_media_done);
	conduit_body_send(said, job, &request);
}

static void uploaded(struct conduit_job *job, const struct conduit_answer *answer) {
	const struct work *work = chatterbox_work(job);
	struct conduit_json *said = conduit_json_parse(answer->body, answer->size);
	const char *name = conduit_json_string(said, "uploaded_files.0");
	const char *why = conduit_json_string(said, "errors.0.error");
	if (name != NULL) {
		speak(job, work->request, "clone", "reference_audio_filename", name);
	} else if (why != NULL) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID,
						  .status = answer->status,
						  .words = why});
	} else if (answer->status < 200 || answer->status > 299) {
		conduit_http_failure(job, answer->status, answer->type, answer->body, answer->size);
	} else {
		conduit_malformed(job, "the server doesn't say what it calls the voice that it was "
				       "brought");
	}
	conduit_json_free(said);
}

/* FNV-1a: to tell voices apart, not to withstand anybody. */
static uint64_t digest_of(const char *bytes, size_t size) {
	uint64_t digest = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < size; i++) {
		digest = (digest ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	}
	return digest;
}

/* Its beginning is known. The server keeps what it has of the same name, so that the name tells
 * what is in it: no voice is taken for another, and none is kept twice. It goes by the ending. */
static void voice_read(struct conduit_job *job, const struct conduit_answer *beginning) {
	struct work *work = chatterbox_work(job);
	struct conduit_multipart *form = conduit_multipart_create();
	struct conduit_request request = conduit_server_post(
			job, "/upload_reference", NULL, uploaded);
	char name[300];
	bool mp3 = strcmp(work->sound_type, "audio/mpeg") == 0;
	snprintf(name, sizeof(name), "%s-%" PRIu64 "-%016" PRIx64 ".%s", work->sound_name,
			work->sound.bytes, digest_of(beginning->body, beginning->size),
			mp3 ? "mp3" : "wav");
	conduit_multipart_file(form, "files", &work->sound, name);
	conduit_multipart_send(form, job, &request);
	conduit_multipart_destroy(form);
}

static void bring(struct conduit_job *job, struct work *work, const struct conduit_part *sound) {
	snprintf(work->sound_type, sizeof(work->sound_type), "%s", sound->type);
	snprintf(work->sound_name, sizeof(work->sound_name), "%s",
			sound->name[0] != '\0' ? sound->name : "voice");
	work->sound = (struct conduit_part){.file = sound->file,
			.bytes = sound->bytes,
			.type = work->sound_type,
			.name = work->sound_name};
	if (conduit_local_expect(job, voice_read)) {
		conduit_read(job, sound->file);
	}
}

/* None was named: the first that there is. */
static void voices_listed(struct conduit_job *job, const struct conduit_answer *answer) {
	const struct work *work = chatterbox_work(job);
	struct conduit_json *list = conduit_json_parse(answer->body, answer->size);
	const char *voice = chatterbox_first_voice(list);
	if (answer->status < 200 || answer->status > 299) {
		conduit_http_failure(job, answer->status, answer->type, answer->body, answer->size);
	} else if (voice != NULL) {
		speak(job, work->request, "predefined", "predefined_voice_id", voice);
	} else {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_UPSTREAM,
						  .status = answer->status,
						  .words = "the server has no voice: write one to "
							   "config/voice, or attach a sound"});
	}
	conduit_json_free(list);
}

static void begin_files(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_part *text, const struct conduit_part *sound) {
	const char *extra_text = conduit_setting_or(turn, "extra", "");
	const char *voice = conduit_setting_or(turn, "voice", "");
	struct work *work = chatterbox_work(job);
	if (work == NULL) {
		return;
	}
	struct conduit_json *extra = conduit_json_parse(extra_text, strlen(extra_text));
	work->request = describe(turn, text, extra);
	conduit_json_free(extra);
	if (sound != NULL) {
		bring(job, work, sound);
	} else if (voice[0] != '\0') {
		speak(job, work->request, "predefined", "predefined_voice_id", voice);
	} else {
		conduit_server_get(job, PATH_VOICES, voices_listed);
	}
}

/* With a voice to clone it takes a form. */
static void send_form(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_part *text, const struct conduit_part *sound) {
	struct conduit_multipart *form = conduit_multipart_create();
	struct conduit_request request = conduit_server_post(
			job, "/v1/audio/speech/upload", NULL, NULL);
	conduit_local_expect(job, conduit_server_media_done);
	conduit_multipart_part(form, "input", text);
	conduit_multipart_text(form, "model", turn->model);
	conduit_multipart_setting(form, turn, "temperature", "temperature");
	conduit_multipart_setting(form, turn, "guidance", "cfg_weight");
	conduit_multipart_setting(form, turn, "language", "language");
	conduit_multipart_extra(form, turn);
	conduit_multipart_file(form, "voice_file", sound, sound->name);
	conduit_multipart_send(form, job, &request);
	conduit_multipart_destroy(form);
}

static void send_openai(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_part *text) {
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	struct conduit_request request = conduit_server_post(
			job, "/v1/audio/speech", json_headers, NULL);
	conduit_local_expect(job, conduit_server_media_done);
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
	conduit_object_send(object, job, &request);
	conduit_object_destroy(object);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const struct conduit_part *text = conduit_turn_part(turn, "text/"), *sound;
	if (text == NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"only text can be spoken: write some; a sound is the voice, and "
				"belongs into attach/");
	} else if (!find_voice(turn, &sound)) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"one sound is the voice, and here are two: rm one of attach/");
	} else if (strcmp(turn->model, ID_FILES) == 0) {
		begin_files(job, turn, text, sound);
	} else if (sound != NULL) {
		send_form(job, turn, text, sound);
	} else {
		send_openai(job, turn, text);
	}
}

CONDUIT_PROVIDER(.name = "chatterbox", .version = "1.0.0", .discover = chatterbox_discover,
		.transform = transform, CONDUIT_LOCAL_CALLBACKS)
