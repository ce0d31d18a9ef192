/* A prompt spoken: see media.h. */
#include "core/base/text.h"
#include "core/provider/kit/openai/media.h"
#include "core/provider/kit/openai/request.h"

#include <string.h>

/* What config/format may say of sound, and what that is. */
static const struct {
	const char *format, *type;
} formats[] = {
		{"mp3", "audio/mpeg"},
		{"opus", "audio/ogg"},
		{"aac", "audio/aac"},
		{"flac", "audio/flac"},
		{"wav", "audio/wav"},
		{"pcm", "audio/pcm"},
		{"raw", "audio/pcm"},
};

/* MP3 is what every service has. */
static size_t format_of(const struct conduit_turn *turn) {
	const char *wanted = conduit_setting(turn, "format");
	for (size_t i = 0; wanted != NULL && i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(wanted, formats[i].format) == 0) {
			return i;
		}
	}
	return 0;
}

static void put_string(struct conduit_object *object, const char *member, const char *value) {
	if (conduit_object_member(object, member)) {
		conduit_body_string(conduit_object_body(object), value, strlen(value));
	}
}

/* A voice must be named where the service has no own choice. */
static void put_voice(struct conduit_object *object, const struct conduit_openai *dialect) {
	bool mistral = dialect->media == CONDUIT_OPENAI_MEDIA_MISTRAL;
	const char *member = mistral ? "voice_id" : "voice";
	if (conduit_object_has(object, "voice")) {
		conduit_object_setting(object, "voice", member, CONDUIT_FORM_STRING);
	} else if (dialect->voice != NULL) {
		put_string(object, member, dialect->voice);
	}
}

void speech_begin(struct media *media, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	static const char *const names[] = {"audio_data", NULL};
	static const char *const own[] = {"Content-Type: application/json", NULL};
	const struct conduit_part *prompt = media_prompt(turn);
	bool in_json = dialect->media == CONDUIT_OPENAI_MEDIA_MISTRAL;
	size_t format = format_of(turn);
	media_begin(media, job, dialect);
	if (prompt == NULL) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID,
						  .words = "the prompt is empty: write what is to "
							   "be said"});
		media->results.over = true;
		return;
	}
	if (in_json && !media_expect(media, names)) {
		return;
	}
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	cleanup_buf struct buf url = {0};
	put_string(object, "model", turn->model);
	if (conduit_object_member(object, "input")) {
		conduit_body_text(body, "\"");
		conduit_body_file(body, CONDUIT_FILE_JSON, prompt->file);
		conduit_body_text(body, "\"");
	}
	put_voice(object, dialect);
	put_string(object, "response_format", formats[format].format);
	conduit_object_setting(object, "speed", "speed", CONDUIT_FORM_NUMBER);
	conduit_object_setting(object, "instructions", "instructions", CONDUIT_FORM_STRING);
	conduit_object_setting(object, "language", "language", CONDUIT_FORM_STRING);
	buf_add_format(&url, "%s/audio/speech", conduit_base_url(job));
	if (!in_json) {
		conduit_result(job, formats[format].type, NULL);
	}
	conduit_object_send(object, job,
			&(struct conduit_request){.method = "POST",
					.url = buf_string(&url),
					.headers = own,
					.sink = in_json ? CONDUIT_TO_PROVIDER : CONDUIT_TO_OUTPUT});
	conduit_object_destroy(object);
}
