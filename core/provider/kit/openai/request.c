/* A chat request out of a turn: see request.h. */
#include "core/provider/kit/openai/request.h"

#include "core/base/buf.h"
#include "core/provider/kit/openai/parts.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/turn.h>
#include <string.h>

static void put_message(struct conduit_object *object, const struct conduit_message *message,
		const struct conduit_openai *dialect) {
	static const char *const roles[] = {
			[CONDUIT_SYSTEM] = "system",
			[CONDUIT_USER] = "user",
			[CONDUIT_ASSISTANT] = "assistant",
	};
	struct conduit_body *body = conduit_object_body(object);
	conduit_body_text(body, "{\"role\":\"");
	conduit_body_text(body, roles[message->role]);
	conduit_body_text(body, "\",\"content\":");
	openai_content(object, message, dialect);
	conduit_body_text(body, "}");
}

static void put_messages(struct conduit_object *object, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	struct conduit_body *body = conduit_object_body(object);
	const char *system = conduit_turn_system(turn);
	const char *comma = "";
	conduit_body_text(body, "[");
	if (system != NULL) {
		conduit_body_text(body, "{\"role\":\"system\",\"content\":");
		conduit_body_string(body, system, strlen(system));
		conduit_body_text(body, "}");
		comma = ",";
	}
	for (size_t i = 0; i < turn->n_messages; i++) {
		conduit_body_text(body, comma);
		put_message(object, &turn->messages[i], dialect);
		comma = ",";
	}
	conduit_body_text(body, "]");
}

struct conduit_object *openai_request(const struct conduit_turn *turn,
		const struct conduit_openai *dialect, const struct openai_wish *wish) {
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	if (conduit_object_member(object, "model")) {
		conduit_body_string(body, turn->model, strlen(turn->model));
	}
	if (conduit_object_member(object, "messages")) {
		put_messages(object, turn, dialect);
	}
	if (conduit_object_member(object, "stream")) {
		conduit_body_text(body, wish->whole ? "false" : "true");
	}
	if (dialect->include_usage && !wish->whole &&
			conduit_object_member(object, "stream_options")) {
		conduit_body_text(body, "{\"include_usage\":true}");
	}
	openai_wish_put(object, wish, dialect);
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
		const struct conduit_openai *dialect, const char *where) {
	static const char *const own[] = {"Content-Type: application/json",
			"Accept: text/event-stream, application/json", NULL};
	cleanup_buf struct buf url = {0};
	struct headers headers = {0};
	buf_add_format(&url, "%s%s", where[0] == '/' ? conduit_base_url(job) : "", where);
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
