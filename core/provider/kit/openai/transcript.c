/* Text out of sound and documents: see transcript.h. */
#include "core/provider/kit/openai/transcript.h"

#include "core/base/text.h"
#include "core/provider/kit/openai/media.h"
#include "core/provider/kit/openai/request.h"
#include "core/provider/kit/openai/usage.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/multipart.h>
#include <string.h>

/* Hours of speech with a time for each word. */
#define REPLY_MOST ((size_t)32 << 20)

static void refuse(struct transcript *transcript, const char *words) {
	conduit_fail(transcript->job,
			&(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID, .words = words});
	transcript->over = true;
}

static void begin(struct transcript *transcript, struct conduit_job *job,
		const struct conduit_openai *dialect) {
	transcript->job = job;
	transcript->dialect = dialect;
	transcript->reply.limit = REPLY_MOST;
}

static bool is_set(const struct conduit_turn *turn, const char *name, const char *value) {
	const char *own = conduit_setting(turn, name);
	return own != NULL && strcmp(own, value) == 0;
}

/* ---- transcription ---- */

/* Whether it isn't plain text; "json" is what that is taken of. */
static bool is_form(const char *wanted) {
	static const char *const forms[] = {"srt", "vtt", "verbose_json", "diarized_json"};
	for (size_t i = 0; wanted != NULL && i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(wanted, forms[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* What the service calls the form that is wanted: "json", of which the text is taken, unless times
 * or another form are asked for; those are the output as they come. */
static const char *form_of(const struct conduit_turn *turn, bool *ret_straight) {
	const char *wanted = conduit_setting(turn, "format");
	if (is_form(wanted)) {
		*ret_straight = true;
		return wanted;
	}
	bool timed = is_set(turn, "timestamps", "word") || is_set(turn, "timestamps", "segment");
	*ret_straight = timed;
	return timed ? "verbose_json" : "json";
}

static const struct conduit_part *sound_of(const struct conduit_turn *turn) {
	const struct conduit_part *sound = media_part(turn, "audio/", 0);
	return sound != NULL ? sound : media_part(turn, "video/", 0);
}

/* What the output is; text where nothing is said. */
static void say_form(struct transcript *transcript, const char *form) {
	const char *type = strcmp(form, "srt") == 0   ? "application/x-subrip"
			   : strcmp(form, "vtt") == 0 ? "text/vtt"
						      : "application/json";
	if (transcript->straight) {
		conduit_result(transcript->job, type, NULL);
	}
}

/* OpenAI's translations have neither of both. */
static void put_times_and_language(
		struct conduit_multipart *form, const struct conduit_turn *turn, bool openai) {
	if (openai && is_set(turn, "task", "translate")) {
		return;
	}
	conduit_multipart_setting(form, turn, "language", "language");
	if (is_set(turn, "timestamps", "word") || is_set(turn, "timestamps", "segment")) {
		conduit_multipart_setting(form, turn, "timestamps", "timestamp_granularities[]");
	}
}

static void request_form(struct transcript *transcript, const struct conduit_turn *turn,
		const struct conduit_part *sound) {
	struct conduit_multipart *form = conduit_multipart_create();
	const struct conduit_part *hint = media_prompt(turn);
	enum conduit_openai_media media = transcript->dialect->media;
	bool mistral = media == CONDUIT_OPENAI_MEDIA_MISTRAL;
	bool hinted = !mistral && media != CONDUIT_OPENAI_MEDIA_OPENROUTER;
	const char *path = is_set(turn, "task", "translate") ? "translations" : "transcriptions";
	const char *wanted = form_of(turn, &transcript->straight);
	cleanup_buf struct buf url = {0};
	char name[256];
	media_filename(sound, name, sizeof(name));
	conduit_multipart_text(form, "model", turn->model);
	conduit_multipart_setting(form, turn, "temperature", "temperature");
	if (!mistral) {
		conduit_multipart_text(form, "response_format", wanted);
	}
	if (hinted && hint != NULL) {
		conduit_multipart_part(form, "prompt", hint);
	}
	put_times_and_language(form, turn, media == CONDUIT_OPENAI_MEDIA_OPENAI);
	conduit_multipart_extra(form, turn);
	conduit_multipart_file(form, "file", sound, name);
	buf_add_format(&url, "%s/audio/%s", conduit_base_url(transcript->job), path);
	say_form(transcript, wanted);
	conduit_multipart_send(form, transcript->job,
			&(struct conduit_request){.method = "POST",
					.url = buf_string(&url),
					.headers = transcript->dialect->headers,
					.sink = transcript->straight ? CONDUIT_TO_OUTPUT
								     : CONDUIT_TO_PROVIDER});
	conduit_multipart_destroy(form);
}

/* By the model's task: the sound is the body. */
static void request_task(struct transcript *transcript, const struct conduit_turn *turn,
		const struct conduit_part *sound) {
	cleanup_buf struct buf url = {0};
	cleanup_buf struct buf type = {0};
	buf_add_format(&type, "Content-Type: %s", sound->type);
	const char *const headers[] = {buf_string(&type), "Accept: application/json", NULL};
	struct conduit_body *body = conduit_body_create();
	conduit_body_file(body, CONDUIT_FILE, sound->file);
	media_model_url(transcript->job, "/hf-inference/models/", turn->model, "", &url);
	conduit_body_send(body, transcript->job,
			&(struct conduit_request){.method = "POST",
					.url = buf_string(&url),
					.headers = headers});
	conduit_body_destroy(body);
}

/* What the service can't do, by its document; NULL: nothing of it is asked for. */
static const char *refusal(const struct conduit_turn *turn, enum conduit_openai_media media) {
	const char *wanted = conduit_setting(turn, "format");
	bool openai = media == CONDUIT_OPENAI_MEDIA_OPENAI;
	bool verbose = wanted != NULL && strcmp(wanted, "verbose_json") == 0;
	if (media_part(turn, "audio/", 1) != NULL) {
		return "one recording is written down at a time: take the others out of attach/";
	}
	if (!openai && is_form(wanted) && !(verbose && media == CONDUIT_OPENAI_MEDIA_TOGETHER)) {
		return "the service has no such format: empty config/format";
	}
	if (!openai && media != CONDUIT_OPENAI_MEDIA_TOGETHER &&
			is_set(turn, "task", "translate")) {
		return "the service writes down and doesn't translate: empty config/task";
	}
	return NULL;
}

void transcript_begin(struct transcript *transcript, struct conduit_job *job,
		const struct conduit_turn *turn, const struct conduit_openai *dialect) {
	const struct conduit_part *sound = sound_of(turn);
	const char *why = refusal(turn, dialect->media);
	begin(transcript, job, dialect);
	if (sound == NULL) {
		refuse(transcript, "there is no sound to write down: cp speech.mp3 to input, or "
				   "into attach/");
	} else if (why != NULL) {
		refuse(transcript, why);
	} else if (dialect->media == CONDUIT_OPENAI_MEDIA_HUGGINGFACE) {
		request_task(transcript, turn, sound);
	} else {
		request_form(transcript, turn, sound);
	}
}

/* ---- documents ---- */

void document_begin(struct transcript *transcript, struct conduit_job *job,
		const struct conduit_turn *turn, const struct conduit_openai *dialect) {
	const struct conduit_part *image = media_part(turn, "image/", 0);
	const struct conduit_part *document = image != NULL ? image
							    : media_part(turn, "application/", 0);
	begin(transcript, job, dialect);
	transcript->pages = true;
	if (document == NULL) {
		refuse(transcript, "there is nothing to read: cp scan.png or paper.pdf to input, "
				   "or into attach/");
		return;
	}
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	const char *kind = image != NULL ? "image_url" : "document_url";
	if (conduit_object_member(object, "model")) {
		conduit_body_string(body, turn->model, strlen(turn->model));
	}
	if (conduit_object_member(object, "document")) {
		conduit_body_text(body, "{\"type\":\"");
		conduit_body_text(body, kind);
		conduit_body_text(body, "\",\"");
		conduit_body_text(body, kind);
		conduit_body_text(body, "\":");
		media_data_url(body, document);
		conduit_body_text(body, "}");
	}
	openai_post(object, job, dialect, "/ocr");
	conduit_object_destroy(object);
}

/* ---- replies ---- */

void transcript_feed(struct transcript *transcript, const char *bytes, size_t size) {
	if (!transcript->over) {
		buf_add(&transcript->reply, bytes, size);
	}
}

static void malformed(struct transcript *transcript, const char *what) {
	const char *service = transcript->dialect->service;
	conduit_malformed(transcript->job, "%s's answer %s",
			service != NULL ? service : "the service", what);
	transcript->over = true;
}

static void put_pages(struct transcript *transcript, const struct conduit_json *pages) {
	const struct conduit_json *page = conduit_json_first(pages);
	for (; page != NULL; page = conduit_json_next(page)) {
		const char *text = conduit_json_string(page, "markdown");
		if (text != NULL) {
			conduit_output(transcript->job, text, strlen(text));
			conduit_output(transcript->job, "\n\n", conduit_json_next(page) ? 2 : 1);
		}
	}
}

static void take_json(struct transcript *transcript, const struct conduit_json *json) {
	struct conduit_usage usage = CONDUIT_USAGE_UNKNOWN;
	const char *text = conduit_json_string(json, "text");
	const struct conduit_json *pages = conduit_json_get(json, "pages");
	if (conduit_json_type(json, "error") >= CONDUIT_JSON_STRING) {
		conduit_json_failure(transcript->job, 200, json);
		transcript->over = true;
		return;
	}
	if (usage_read(conduit_json_get(json, "usage"), &usage)) {
		conduit_usage(transcript->job, &usage);
	}
	if (transcript->pages && conduit_json_type(pages, NULL) == CONDUIT_JSON_ARRAY) {
		put_pages(transcript, pages);
	} else if (!transcript->pages && text != NULL) {
		text += strspn(text, " "); /* whisper begins with one */
		conduit_output(transcript->job, text, strlen(text));
	} else {
		malformed(transcript, transcript->pages ? "holds no pages" : "holds no text");
	}
}

void transcript_end(struct transcript *transcript) {
	if (transcript->over) {
		return;
	}
	if (!transcript->straight) {
		const struct buf *reply = &transcript->reply;
		struct conduit_json *json = reply->failed ? NULL
							  : conduit_json_parse(buf_string(reply),
									    reply->size);
		if (json != NULL) {
			take_json(transcript, json);
		} else {
			malformed(transcript, reply->failed ? "is larger than 32 MiB"
							    : "isn't JSON, or was cut short");
		}
		conduit_json_free(json);
	}
	if (!transcript->over) {
		conduit_finish(transcript->job, "stop", NULL);
	}
}

void transcript_finish(struct transcript *transcript) {
	buf_finish(&transcript->reply);
}
