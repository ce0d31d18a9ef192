/* Video jobs of OpenAI and OpenRouter: see conduit/kit/videos.h. */
#include <conduit/kit/videos.h>

#include "core/base/text.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/queue.h>
#include <stdio.h>
#include <string.h>

#define URL_MOST 2048

/* The URL of a job, or of what is below it; NULL when its id can't stand in one. */
static const char *url_of(const struct conduit_job *job, const char *id, const char *below,
		char ret[URL_MOST]) {
	bool plain = id != NULL && id[0] != '\0' && strlen(id) <= 256 &&
		     strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
				"_") == strlen(id);
	int length = plain ? snprintf(ret, URL_MOST, "%s/videos/%s%s", conduit_base_url(job), id,
					     below)
			   : -1;
	return length > 0 && length < URL_MOST ? ret : NULL;
}

/* The job is over and there is no video. */
static void fail(struct conduit_job *job, const struct conduit_json *reply, const char *status) {
	bool expired = strcmp(status, "expired") == 0;
	if (conduit_json_type(reply, "error") >= CONDUIT_JSON_STRING) {
		conduit_json_failure(job, 200, reply);
		return;
	}
	conduit_fail(job,
			&(struct conduit_failure){
					.kind = expired ? CONDUIT_FAIL_GONE : CONDUIT_FAIL_UPSTREAM,
					.retry = CONDUIT_RETRY_NEVER,
					.words = expired ? "the video has expired at the service: "
							   "it keeps one for a while only"
						 : strcmp(status, "cancelled") == 0
								 ? "the video was cancelled at the "
								   "service"
								 : "the video wasn't made, and the "
								   "service "
								   "doesn't say why"});
}

static bool told(struct conduit_job *job, const struct conduit_json *reply,
		struct conduit_queue_told *ret) {
	static char url[URL_MOST];
	const char *status = conduit_json_string(reply, "status");
	double percent = 0;
	if (status == NULL) {
		conduit_malformed(job, "the reply names no status of the video");
		return false;
	}
	if (strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0 ||
			strcmp(status, "expired") == 0) {
		fail(job, reply, status);
		return false;
	}
	ret->done = strcmp(status, "completed") == 0;
	ret->poll = url_of(job, conduit_json_string(reply, "id"), "", url);
	ret->doing = strcmp(status, "in_progress") == 0 ? "in progress" : "in the service's queue";
	if (conduit_json_number(reply, "progress", &percent)) {
		ret->share = percent / 100;
	}
	return true;
}

static bool result(struct conduit_job *job, const struct conduit_json *result) {
	char url[URL_MOST];
	struct conduit_usage usage = CONDUIT_USAGE_UNKNOWN;
	if (url_of(job, conduit_json_string(result, "id"), "/content", url) == NULL) {
		conduit_malformed(job, "the reply names no id of the video");
		return false;
	}
	if (conduit_json_number(result, "usage.cost", &usage.cost)) {
		conduit_usage(job, &usage);
	}
	conduit_queue_file(job, url, "video/mp4", NULL);
	return true;
}

/* ---- the request ---- */

static void put_prompt(struct conduit_object *object, const struct conduit_message *message) {
	struct conduit_body *body = conduit_object_body(object);
	if (!conduit_object_member(object, "prompt")) {
		return;
	}
	conduit_body_text(body, "\"");
	for (size_t i = 0; i < message->n_parts; i++) {
		if (starts_with(message->parts[i].type, "text/")) {
			conduit_body_file(body, CONDUIT_FILE_JSON, message->parts[i].file);
		}
	}
	conduit_body_text(body, "\"");
}

static void put_picture(struct conduit_object *object, const struct conduit_part *part,
		enum conduit_videos service) {
	bool openai = service == CONDUIT_VIDEOS_OPENAI;
	struct conduit_body *body = conduit_object_body(object);
	if (!conduit_object_member(object, openai ? "input_reference" : "frame_images")) {
		return;
	}
	conduit_body_text(body, openai ? "{\"image_url\":\"data:"
				       : "[{\"type\":\"image_url\",\"frame_type\":\"first_frame\","
					 "\"image_url\":{\"url\":\"data:");
	conduit_body_text(body, part->type);
	conduit_body_text(body, ";base64,");
	conduit_body_file(body, CONDUIT_FILE_BASE64, part->file);
	conduit_body_text(body, openai ? "\"}" : "\"}}]");
}

static void put_attached(struct conduit_object *object, const struct conduit_message *message,
		enum conduit_videos service) {
	size_t pictures = 0;
	for (size_t i = 0; i < message->n_parts; i++) {
		const struct conduit_part *part = &message->parts[i];
		bool picture = strcmp(part->type, "image/png") == 0 ||
			       strcmp(part->type, "image/jpeg") == 0 ||
			       strcmp(part->type, "image/webp") == 0;
		if (picture && pictures++ == 0) {
			put_picture(object, part, service);
		} else if (!starts_with(part->type, "text/")) {
			conduit_object_refuse(object,
					"a video begins with one picture (png, jpeg, webp): %s %s "
					"can't go along",
					part->type, part->name);
		}
	}
}

static struct conduit_object *body_of(
		const struct conduit_turn *turn, enum conduit_videos service) {
	bool openai = service == CONDUIT_VIDEOS_OPENAI;
	struct conduit_object *object = conduit_object_create(turn);
	const struct conduit_message *prompt =
			turn->n_messages != 0 ? &turn->messages[turn->n_messages - 1] : NULL;
	if (conduit_object_member(object, "model")) {
		conduit_body_string(conduit_object_body(object), turn->model, strlen(turn->model));
	}
	if (prompt != NULL) {
		put_prompt(object, prompt);
		put_attached(object, prompt, service);
	}
	conduit_object_setting(object, "size", "size", CONDUIT_FORM_STRING);
	conduit_object_setting(object, "duration", openai ? "seconds" : "duration",
			openai ? CONDUIT_FORM_STRING : CONDUIT_FORM_NUMBER);
	if (!openai) {
		conduit_object_setting(object, "aspect_ratio", "aspect_ratio", CONDUIT_FORM_STRING);
		conduit_object_setting(object, "resolution", "resolution", CONDUIT_FORM_STRING);
		conduit_object_setting(object, "seed", "seed", CONDUIT_FORM_NUMBER);
	}
	return object;
}

bool conduit_videos_transform(struct conduit_job *job, const struct conduit_turn *turn,
		enum conduit_videos service) {
	static const struct conduit_queue openai = {
			.service = "OpenAI", .told = told, .result = result};
	static const struct conduit_queue openrouter = {
			.service = "OpenRouter", .told = told, .result = result};
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	const struct conduit_queue *queue = service == CONDUIT_VIDEOS_OPENAI ? &openai
									     : &openrouter;
	char url[URL_MOST];
	if (!ends_with(turn->capability, "-to-video")) {
		return false;
	}
	if (conduit_queue_resumed(job, turn, queue)) {
		return true;
	}
	snprintf(url, sizeof(url), "%s/videos", conduit_base_url(job));
	struct conduit_object *object = body_of(turn, service);
	conduit_queue_submit(job, queue, object,
			&(struct conduit_request){
					.method = "POST", .url = url, .headers = headers});
	conduit_object_destroy(object);
	return true;
}

/* ---- each kit passes over the other's jobs ---- */

void conduit_videos_reply(struct conduit_job *job, const struct conduit_reply *reply) {
	conduit_queue_reply(job, reply);
	conduit_openai_reply(job, reply);
}

void conduit_videos_data(struct conduit_job *job, const void *bytes, size_t size) {
	conduit_queue_data(job, bytes, size);
	conduit_openai_data(job, bytes, size);
}

void conduit_videos_end(struct conduit_job *job) {
	conduit_queue_end(job);
	conduit_openai_end(job);
}

void conduit_videos_release(struct conduit_job *job) {
	conduit_queue_release(job);
	conduit_openai_release(job);
}
