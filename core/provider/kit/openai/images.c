/* Pictures of a prompt, and of pictures: see media.h. */
#include "core/base/text.h"
#include "core/provider/kit/openai/media.h"
#include "core/provider/kit/openai/request.h"

#include <conduit/kit/multipart.h>
#include <stdio.h>
#include <string.h>

/* Services take up to so many. */
#define REFERENCES_MOST 16

static void put_prompt(struct conduit_object *object, const char *member,
		const struct conduit_part *prompt) {
	struct conduit_body *body = conduit_object_body(object);
	if (conduit_object_member(object, member)) {
		conduit_body_text(body, "\"");
		if (prompt != NULL) {
			conduit_body_file(body, CONDUIT_FILE_JSON, prompt->file);
		}
		conduit_body_text(body, "\"");
	}
}

static void put_text(struct conduit_object *object, const char *member, const char *text) {
	if (conduit_object_member(object, member)) {
		conduit_body_string(conduit_object_body(object), text, strlen(text));
	}
}

/* "1024x768" as two members, for services that take them so. */
static void put_width_and_height(struct conduit_object *object, const struct conduit_turn *turn) {
	const char *size = conduit_setting(turn, "size");
	unsigned width = 0, height = 0;
	char number[16], after;
	if (size == NULL || size[0] == '\0') {
		return;
	}
	if (sscanf(size, "%5ux%5u%c", &width, &height, &after) != 2) {
		conduit_object_refuse(object,
				"config/size %s isn't a width and a height: write "
				"it as 1024x768",
				size);
		return;
	}
	const unsigned numbers[] = {width, height};
	const char *const names[] = {"width", "height"};
	for (int i = 0; i < 2; i++) {
		if (conduit_object_member(object, names[i])) {
			snprintf(number, sizeof(number), "%u", numbers[i]);
			conduit_body_text(conduit_object_body(object), number);
		}
	}
}

struct setting {
	const char *name, *member;
	enum conduit_form form;
};

static void put_settings(struct conduit_object *object, const struct setting *settings, size_t n) {
	for (size_t i = 0; i < n; i++) {
		conduit_object_setting(
				object, settings[i].name, settings[i].member, settings[i].form);
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct setting openai_settings_of[] = {
		{"size", "size", CONDUIT_FORM_STRING},
		{"n", "n", CONDUIT_FORM_NUMBER},
		{"quality", "quality", CONDUIT_FORM_STRING},
		{"background", "background", CONDUIT_FORM_STRING},
		{"style", "style", CONDUIT_FORM_STRING},
};
static const struct setting openrouter_settings[] = {
		{"size", "size", CONDUIT_FORM_STRING},
		{"n", "n", CONDUIT_FORM_NUMBER},
		{"quality", "quality", CONDUIT_FORM_STRING},
		{"background", "background", CONDUIT_FORM_STRING},
		{"aspect_ratio", "aspect_ratio", CONDUIT_FORM_STRING},
		{"resolution", "resolution", CONDUIT_FORM_STRING},
		{"format", "output_format", CONDUIT_FORM_STRING},
		{"seed", "seed", CONDUIT_FORM_NUMBER},
};
static const struct setting together_settings[] = {
		{"n", "n", CONDUIT_FORM_NUMBER},
		{"steps", "steps", CONDUIT_FORM_NUMBER},
		{"guidance", "guidance_scale", CONDUIT_FORM_NUMBER},
		{"negative_prompt", "negative_prompt", CONDUIT_FORM_STRING},
		{"format", "output_format", CONDUIT_FORM_STRING},
		{"seed", "seed", CONDUIT_FORM_NUMBER},
};
static const struct setting task_settings[] = {
		{"steps", "num_inference_steps", CONDUIT_FORM_NUMBER},
		{"guidance", "guidance_scale", CONDUIT_FORM_NUMBER},
		{"negative_prompt", "negative_prompt", CONDUIT_FORM_STRING},
		{"seed", "seed", CONDUIT_FORM_NUMBER},
};

/* gpt-image gives base64 unasked and knows no such member; of others the URL would be gone in an
 * hour. */
static bool wants_format(const char *model) {
	return strcasestr(model, "gpt-image") == NULL && strcasestr(model, "chatgpt-image") == NULL;
}

/* ---- the forms ---- */

static void request_openai(struct media *media, const struct conduit_turn *turn,
		const struct conduit_part *prompt) {
	struct conduit_object *object = conduit_object_create(turn);
	put_text(object, "model", turn->model);
	put_prompt(object, "prompt", prompt);
	if (wants_format(turn->model)) {
		put_text(object, "response_format", "b64_json");
	}
	put_settings(object, openai_settings_of, COUNT(openai_settings_of));
	openai_post(object, media->job, media->dialect, "/images/generations");
	conduit_object_destroy(object);
}

static void request_edit(struct media *media, const struct conduit_turn *turn,
		const struct conduit_part *prompt) {
	struct conduit_multipart *form = conduit_multipart_create();
	const struct conduit_part *image;
	cleanup_buf struct buf url = {0};
	bool several = media_part(turn, "image/", 1) != NULL;
	conduit_multipart_text(form, "model", turn->model);
	conduit_multipart_part(form, "prompt", prompt);
	for (size_t i = 0; i < REFERENCES_MOST && (image = media_part(turn, "image/", i)) != NULL;
			i++) {
		char name[256];
		media_filename(image, name, sizeof(name));
		conduit_multipart_file(form, several ? "image[]" : "image", image, name);
	}
	if (wants_format(turn->model)) {
		conduit_multipart_text(form, "response_format", "b64_json");
	}
	for (size_t i = 0; i < COUNT(openai_settings_of); i++) {
		const struct setting *setting = &openai_settings_of[i];
		conduit_multipart_setting(form, turn, setting->name, setting->member);
	}
	conduit_multipart_extra(form, turn);
	buf_add_format(&url, "%s/images/edits", conduit_base_url(media->job));
	conduit_multipart_send(form, media->job,
			&(struct conduit_request){.method = "POST",
					.url = buf_string(&url),
					.headers = media->dialect->headers});
	conduit_multipart_destroy(form);
}

/* {"type":"image_url","image_url":{"url":"data:…"}} of each. */
static void put_references(struct conduit_object *object, const struct conduit_turn *turn) {
	struct conduit_body *body = conduit_object_body(object);
	const struct conduit_part *image = media_part(turn, "image/", 0);
	if (image == NULL || !conduit_object_member(object, "input_references")) {
		return;
	}
	conduit_body_text(body, "[");
	for (size_t i = 0; i < REFERENCES_MOST && (image = media_part(turn, "image/", i)) != NULL;
			i++) {
		conduit_body_text(body, i != 0 ? "," : "");
		conduit_body_text(body, "{\"type\":\"image_url\",\"image_url\":{\"url\":");
		media_data_url(body, image);
		conduit_body_text(body, "}}");
	}
	conduit_body_text(body, "]");
}

static void request_openrouter(struct media *media, const struct conduit_turn *turn,
		const struct conduit_part *prompt) {
	struct conduit_object *object = conduit_object_create(turn);
	put_text(object, "model", turn->model);
	put_prompt(object, "prompt", prompt);
	put_references(object, turn);
	put_settings(object, openrouter_settings, COUNT(openrouter_settings));
	openai_post(object, media->job, media->dialect, "/images");
	conduit_object_destroy(object);
}

static void request_together(struct media *media, const struct conduit_turn *turn,
		const struct conduit_part *prompt) {
	struct conduit_object *object = conduit_object_create(turn);
	const struct conduit_part *image = media_part(turn, "image/", 0);
	put_text(object, "model", turn->model);
	put_prompt(object, "prompt", prompt);
	put_text(object, "response_format", "base64");
	if (image != NULL && conduit_object_member(object, "image_url")) {
		media_data_url(conduit_object_body(object), image);
	}
	put_width_and_height(object, turn);
	put_settings(object, together_settings, COUNT(together_settings));
	openai_post(object, media->job, media->dialect, "/images/generations");
	conduit_object_destroy(object);
}

/* By the model's task: the reply is the picture itself. */
static void request_task(struct media *media, const struct conduit_turn *turn,
		const struct conduit_part *prompt) {
	static const char *const headers[] = {
			"Content-Type: application/json", "Accept: image/png, image/*", NULL};
	struct conduit_object *object = conduit_object_create(turn);
	cleanup_buf struct buf url = {0};
	put_prompt(object, "inputs", prompt);
	if (conduit_object_open(object, "parameters")) {
		put_width_and_height(object, turn);
		put_settings(object, task_settings, COUNT(task_settings));
		conduit_object_close(object);
	}
	media_model_url(media->job, "/hf-inference/models/", turn->model, "", &url);
	conduit_result(media->job, NULL, NULL);
	conduit_object_send(object, media->job,
			&(struct conduit_request){.method = "POST",
					.url = buf_string(&url),
					.headers = headers,
					.sink = CONDUIT_TO_OUTPUT});
	conduit_object_destroy(object);
}

static void refuse(struct media *media, const char *words) {
	conduit_fail(media->job,
			&(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID, .words = words});
	media->results.over = true;
}

void images_begin(struct media *media, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	static const char *const names[] = {"b64_json", "url", NULL};
	const struct conduit_part *prompt = media_prompt(turn);
	bool task = dialect->media == CONDUIT_OPENAI_MEDIA_HUGGINGFACE;
	bool given = media_part(turn, "image/", 0) != NULL;
	media_begin(media, job, dialect);
	if (prompt == NULL) {
		refuse(media, given ? "what is to be made of the picture? Put it into attach/ and "
				      "write that as the prompt"
				    : "the prompt is empty: write what is to be seen");
	} else if (given && task) {
		refuse(media, "models of Hugging Face's own inference take no picture here: write "
			      "the prompt alone, and empty attach/");
	} else if (task) {
		request_task(media, turn, prompt);
	} else if (!media_expect(media, names)) {
		return;
	} else if (dialect->media == CONDUIT_OPENAI_MEDIA_OPENROUTER) {
		request_openrouter(media, turn, prompt);
	} else if (dialect->media == CONDUIT_OPENAI_MEDIA_TOGETHER) {
		request_together(media, turn, prompt);
	} else if (given) {
		request_edit(media, turn, prompt);
	} else {
		request_openai(media, turn, prompt);
	}
}
