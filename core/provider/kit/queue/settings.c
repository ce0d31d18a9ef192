/* Settings by the names that models give them: see settings.h. */
#include "core/provider/kit/queue/settings.h"

#include "core/base/text.h"

#include <string.h>

const struct queue_setting queue_settings[] = {
		{"seed", {"seed"}, CONDUIT_FORM_NUMBER},
		{"temperature", {"temperature"}, CONDUIT_FORM_NUMBER},
		{"top_p", {"top_p"}, CONDUIT_FORM_NUMBER},
		{"top_k", {"top_k"}, CONDUIT_FORM_NUMBER},
		{"system", {"system_prompt", "system"}, CONDUIT_FORM_STRING},
		{"size", {"size", "image_size"}, CONDUIT_FORM_STRING},
		{"aspect_ratio", {"aspect_ratio"}, CONDUIT_FORM_STRING},
		{"resolution", {"resolution"}, CONDUIT_FORM_STRING},
		{"quality", {"quality"}, CONDUIT_FORM_STRING},
		{"background", {"background"}, CONDUIT_FORM_STRING},
		{"n", {"num_images", "num_outputs", "n"}, CONDUIT_FORM_NUMBER},
		{"steps", {"num_inference_steps", "steps"}, CONDUIT_FORM_NUMBER},
		{"guidance", {"guidance_scale", "guidance", "cfg_scale"}, CONDUIT_FORM_NUMBER},
		{"negative_prompt", {"negative_prompt"}, CONDUIT_FORM_STRING},
		{"language", {"language"}, CONDUIT_FORM_STRING},
		{"task", {"task"}, CONDUIT_FORM_STRING},
		{"duration", {"duration", "seconds", "num_seconds"}, CONDUIT_FORM_NUMBER},
		{"fps", {"fps", "frames_per_second"}, CONDUIT_FORM_NUMBER},
		{"voice", {"voice", "voice_id", "speaker"}, CONDUIT_FORM_STRING},
		{"speed", {"speed"}, CONDUIT_FORM_NUMBER},
		{"strength", {"strength", "prompt_strength"}, CONDUIT_FORM_NUMBER},
		{"scale", {"scale", "upscale_factor"}, CONDUIT_FORM_NUMBER},
		{"style", {"style"}, CONDUIT_FORM_STRING},
		{"format", {"output_format", "format"}, CONDUIT_FORM_STRING},
		/* Always in force for text, so only where a schema asks for it. */
		{"max_tokens", {"max_tokens", "max_new_tokens"}, CONDUIT_FORM_NUMBER},
};

const size_t n_queue_settings = sizeof(queue_settings) / sizeof(queue_settings[0]);

const struct conduit_json *queue_property(const struct conduit_json *schema, const char *name) {
	for (const struct conduit_json *at = conduit_json_first(schema); at != NULL;
			at = conduit_json_next(at)) {
		const char *own = conduit_json_name(at);
		if (own != NULL && strcmp(own, name) == 0) {
			return at;
		}
	}
	return NULL;
}

const struct conduit_json *queue_setting_property(
		const struct queue_setting *setting, const struct conduit_json *schema) {
	const struct conduit_json *found = NULL;
	for (size_t i = 0; found == NULL && i < QUEUE_NAMES_MOST && setting->names[i] != NULL;
			i++) {
		found = queue_property(schema, setting->names[i]);
	}
	return found;
}

bool queue_takes_object(const struct conduit_json *property) {
	const struct conduit_json *at = conduit_json_first(conduit_json_get(property, "anyOf"));
	for (; at != NULL; at = conduit_json_next(at)) {
		const char *to = conduit_json_string(at, "$ref");
		bool own = conduit_json_get(at, "properties.width") != NULL &&
			   conduit_json_get(at, "properties.height") != NULL;
		if (own || (to != NULL && ends_with(to, "/ImageSize"))) {
			return true;
		}
	}
	return false;
}
