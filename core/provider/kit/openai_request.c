/* A chat request out of a turn: see openai_request.h. */
#include "core/provider/kit/openai_request.h"

#include "core/base/text.h"

#include <conduit/kit/failure.h>
#include <string.h>

static bool is_text(const struct conduit_part *part) {
	return starts_with(part->type, "text/");
}

/* A MIME type that may stand in a data: URL; what isn't one is bytes. */
static const char *media_type(const struct conduit_part *part) {
	size_t plain = strspn(part->type, "abcdefghijklmnopqrstuvwxyz0123456789.+-/");
	return plain != 0 && part->type[plain] == '\0' ? part->type : "application/octet-stream";
}

static void put_data_url(struct conduit_body *body, const struct conduit_part *part) {
	conduit_body_text(body, "\"data:");
	conduit_body_text(body, media_type(part));
	conduit_body_text(body, ";base64,");
	conduit_body_file(body, CONDUIT_FILE_BASE64, part->file);
	conduit_body_text(body, "\"");
}

/* {"type":"input_audio"} takes bare base64 and a format: "mp3", where the type says audio/mpeg. */
static void put_audio(struct conduit_body *body, const struct conduit_part *part) {
	const char *format = media_type(part) + strlen("audio/");
	format = starts_with(format, "x-") ? format + 2 : format;
	format = strcmp(format, "mpeg") == 0 ? "mp3" : strcmp(format, "wave") == 0 ? "wav" : format;
	conduit_body_text(body, "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"");
	conduit_body_file(body, CONDUIT_FILE_BASE64, part->file);
	conduit_body_text(body, "\",\"format\":\"");
	conduit_body_text(body, format);
	conduit_body_text(body, "\"}}");
}

static void put_part(struct conduit_body *body, const struct conduit_part *part) {
	if (is_text(part)) {
		conduit_body_text(body, "{\"type\":\"text\",\"text\":\"");
		conduit_body_file(body, CONDUIT_FILE_JSON, part->file);
		conduit_body_text(body, "\"}");
	} else if (starts_with(media_type(part), "image/")) {
		conduit_body_text(body, "{\"type\":\"image_url\",\"image_url\":{\"url\":");
		put_data_url(body, part);
		conduit_body_text(body, "}}");
	} else if (starts_with(media_type(part), "audio/")) {
		put_audio(body, part);
	} else {
		conduit_body_text(body, "{\"type\":\"file\",\"file\":{\"filename\":");
		conduit_body_string(body, part->name, strlen(part->name));
		conduit_body_text(body, ",\"file_data\":");
		put_data_url(body, part);
		conduit_body_text(body, "}}");
	}
}

/* Text parts first: services read images better when the question came before. */
static void put_parts(struct conduit_body *body, const struct conduit_message *message) {
	const char *comma = "";
	conduit_body_text(body, "[");
	for (int text = 1; text >= 0; text--) {
		for (size_t i = 0; i < message->n_parts; i++) {
			if (is_text(&message->parts[i]) == (text == 1)) {
				conduit_body_text(body, comma);
				put_part(body, &message->parts[i]);
				comma = ",";
			}
		}
	}
	conduit_body_text(body, "]");
}

static void put_message(struct conduit_body *body, const struct conduit_message *message) {
	static const char *const roles[] = {
			[CONDUIT_SYSTEM] = "system",
			[CONDUIT_USER] = "user",
			[CONDUIT_ASSISTANT] = "assistant",
	};
	conduit_body_text(body, "{\"role\":\"");
	conduit_body_text(body, roles[message->role]);
	conduit_body_text(body, "\",\"content\":");
	if (message->n_parts == 0) {
		conduit_body_text(body, "\"\"");
	} else if (message->n_parts == 1 && is_text(&message->parts[0])) {
		conduit_body_text(body, "\"");
		conduit_body_file(body, CONDUIT_FILE_JSON, message->parts[0].file);
		conduit_body_text(body, "\"");
	} else {
		put_parts(body, message);
	}
	conduit_body_text(body, "}");
}

static void put_messages(struct conduit_body *body, const struct conduit_turn *turn) {
	const char *system = conduit_setting(turn, "system");
	bool has_system = system == NULL || system[0] == '\0';
	for (size_t i = 0; i < turn->n_messages; i++) {
		has_system = has_system || turn->messages[i].role == CONDUIT_SYSTEM;
	}
	const char *comma = "";
	conduit_body_text(body, "[");
	if (!has_system) {
		conduit_body_text(body, "{\"role\":\"system\",\"content\":");
		conduit_body_string(body, system, strlen(system));
		conduit_body_text(body, "}");
		comma = ",";
	}
	for (size_t i = 0; i < turn->n_messages; i++) {
		conduit_body_text(body, comma);
		put_message(body, &turn->messages[i]);
		comma = ",";
	}
	conduit_body_text(body, "]");
}

struct conduit_object *openai_request(
		const struct conduit_turn *turn, const struct conduit_openai *dialect) {
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	if (conduit_object_member(object, "model")) {
		conduit_body_string(body, turn->model, strlen(turn->model));
	}
	if (conduit_object_member(object, "messages")) {
		put_messages(body, turn);
	}
	if (conduit_object_member(object, "stream")) {
		conduit_body_text(body, "true");
	}
	if (dialect->include_usage && conduit_object_member(object, "stream_options")) {
		conduit_body_text(body, "{\"include_usage\":true}");
	}
	openai_settings(object, turn, dialect);
	return object;
}

/* ---- what all requests share ---- */

#define HEADERS_LIMIT 32

struct headers {
	const char *lines[HEADERS_LIMIT + 1];
	size_t n;
};

static void add_headers(struct headers *headers, const char *const *lines) {
	for (; lines != NULL && *lines != NULL && headers->n < HEADERS_LIMIT; lines++) {
		headers->lines[headers->n++] = *lines;
	}
}

void openai_post(struct conduit_object *object, struct conduit_job *job,
		const struct conduit_openai *dialect, const char *path) {
	static const char *const own[] = {"Content-Type: application/json",
			"Accept: text/event-stream, application/json", NULL};
	cleanup_buf struct buf url = {0};
	struct headers headers = {0};
	buf_add_format(&url, "%s%s", conduit_base_url(job), path);
	add_headers(&headers, own);
	add_headers(&headers, dialect->headers);
	conduit_object_send(object, job,
			&(struct conduit_request){
					.method = "POST",
					.url = buf_string(&url),
					.headers = headers.lines,
			});
}

void openai_get(struct conduit_job *job, const struct conduit_openai *dialect, const char *url) {
	static const char *const own[] = {"Accept: application/json", NULL};
	struct headers headers = {0};
	add_headers(&headers, own);
	add_headers(&headers, dialect->headers);
	conduit_request(job, &(struct conduit_request){
					     .method = "GET",
					     .url = url,
					     .headers = headers.lines,
			     });
}

bool openai_error_member(struct conduit_job *job, const char *name, const char *json, size_t size) {
	if (strcmp(name, "error") != 0) {
		return false;
	}
	struct conduit_json *value = conduit_json_parse(json, size);
	bool is_error = conduit_json_type(value, NULL) >= CONDUIT_JSON_STRING;
	conduit_json_free(value);
	if (is_error) {
		cleanup_buf struct buf whole = {0};
		buf_add_string(&whole, "{\"error\":");
		buf_add(&whole, json, size);
		buf_add_byte(&whole, '}');
		conduit_http_failure(job, 200, "", buf_string(&whole), whole.size);
	}
	return is_error;
}
