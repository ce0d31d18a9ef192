/* A message's content: see parts.h. */
#include "core/provider/kit/openai/parts.h"

#include "core/base/text.h"

#include <string.h>

static bool is_text(const struct conduit_part *part) {
	return starts_with(part->type, "text/");
}

/* A MIME type that may stand in a data: URL; what isn't one is bytes. */
static const char *media_type(const struct conduit_part *part) {
	size_t plain = strspn(part->type, "abcdefghijklmnopqrstuvwxyz0123456789.+-/");
	return plain != 0 && part->type[plain] == '\0' ? part->type : "application/octet-stream";
}

static void put_base64(struct conduit_body *body, const struct conduit_part *part) {
	conduit_body_text(body, "\"");
	conduit_body_file(body, CONDUIT_FILE_BASE64, part->file);
	conduit_body_text(body, "\"");
}

static void put_data_url(struct conduit_body *body, const struct conduit_part *part) {
	conduit_body_text(body, "\"data:");
	conduit_body_text(body, media_type(part));
	conduit_body_text(body, ";base64,");
	conduit_body_file(body, CONDUIT_FILE_BASE64, part->file);
	conduit_body_text(body, "\"");
}

static void put_text(struct conduit_body *body, const struct conduit_part *part) {
	conduit_body_text(body, "{\"type\":\"text\",\"text\":\"");
	conduit_body_file(body, CONDUIT_FILE_JSON, part->file);
	conduit_body_text(body, "\"}");
}

/* {"type":"image_url","image_url":{"url":…}}; the same with video and audio. */
static void put_url(struct conduit_body *body, const char *kind, const struct conduit_part *part) {
	conduit_body_text(body, "{\"type\":\"");
	conduit_body_text(body, kind);
	conduit_body_text(body, "\",\"");
	conduit_body_text(body, kind);
	conduit_body_text(body, "\":{\"url\":");
	put_data_url(body, part);
	conduit_body_text(body, "}}");
}

/* The format as the services name it: "mp3" where the type says audio/mpeg. */
static const char *audio_format(const struct conduit_part *part) {
	const char *format = media_type(part) + strlen("audio/");
	format = starts_with(format, "x-") ? format + 2 : format;
	return strcmp(format, "mpeg") == 0 ? "mp3" : strcmp(format, "wave") == 0 ? "wav" : format;
}

static void put_audio(struct conduit_body *body, const struct conduit_part *part,
		const struct conduit_openai *dialect) {
	const char *format = audio_format(part);
	if (dialect->parts == CONDUIT_OPENAI_PARTS_TOGETHER && strcmp(format, "wav") != 0) {
		put_url(body, "audio_url", part);
		return;
	}
	conduit_body_text(body, "{\"type\":\"input_audio\",\"input_audio\":");
	if (dialect->parts == CONDUIT_OPENAI_PARTS_MISTRAL) {
		put_base64(body, part);
		conduit_body_text(body, "}");
		return;
	}
	conduit_body_text(body, "{\"data\":");
	put_base64(body, part);
	conduit_body_text(body, ",\"format\":");
	conduit_body_string(body, format, strlen(format));
	conduit_body_text(body, "}}");
}

static void put_document(struct conduit_object *object, const struct conduit_part *part,
		const struct conduit_openai *dialect) {
	struct conduit_body *body = conduit_object_body(object);
	bool mistral = dialect->parts == CONDUIT_OPENAI_PARTS_MISTRAL;
	if (dialect->parts == CONDUIT_OPENAI_PARTS_TOGETHER) {
		conduit_object_refuse(object,
				"the attachment \"%.200s\" is %.100s, which %s doesn't take: "
				"attach text, images, sound or video",
				part->name, part->type,
				dialect->service != NULL ? dialect->service : "the service");
		return;
	}
	conduit_body_text(body, mistral ? "{\"type\":\"document_url\",\"document_name\":"
					: "{\"type\":\"file\",\"file\":{\"filename\":");
	conduit_body_string(body, part->name, strlen(part->name));
	conduit_body_text(body, mistral ? ",\"document_url\":" : ",\"file_data\":");
	put_data_url(body, part);
	conduit_body_text(body, mistral ? "}" : "}}");
}

static void put_part(struct conduit_object *object, const struct conduit_part *part,
		const struct conduit_openai *dialect) {
	struct conduit_body *body = conduit_object_body(object);
	bool video = dialect->parts == CONDUIT_OPENAI_PARTS_OPENROUTER ||
		     dialect->parts == CONDUIT_OPENAI_PARTS_TOGETHER;
	if (is_text(part)) {
		put_text(body, part);
	} else if (starts_with(media_type(part), "image/")) {
		put_url(body, "image_url", part);
	} else if (starts_with(media_type(part), "audio/")) {
		put_audio(body, part, dialect);
	} else if (video && starts_with(media_type(part), "video/")) {
		put_url(body, "video_url", part);
	} else {
		put_document(object, part, dialect);
	}
}

/* Text parts first: services read images better when the question came before. */
static void put_parts(struct conduit_object *object, const struct conduit_message *message,
		const struct conduit_openai *dialect) {
	struct conduit_body *body = conduit_object_body(object);
	const char *comma = "";
	conduit_body_text(body, "[");
	for (int text = 1; text >= 0; text--) {
		for (size_t i = 0; i < message->n_parts; i++) {
			if (is_text(&message->parts[i]) == (text == 1)) {
				conduit_body_text(body, comma);
				put_part(object, &message->parts[i], dialect);
				comma = ",";
			}
		}
	}
	conduit_body_text(body, "]");
}

void openai_content(struct conduit_object *object, const struct conduit_message *message,
		const struct conduit_openai *dialect) {
	struct conduit_body *body = conduit_object_body(object);
	if (message->n_parts == 0) {
		conduit_body_text(body, "\"\"");
	} else if (message->n_parts == 1 && is_text(&message->parts[0])) {
		conduit_body_text(body, "\"");
		conduit_body_file(body, CONDUIT_FILE_JSON, message->parts[0].file);
		conduit_body_text(body, "\"");
	} else {
		put_parts(object, message, dialect);
	}
}
