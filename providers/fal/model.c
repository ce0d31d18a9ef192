/* A model of fal's catalogue. What goes in and comes out of it is told by its category, what its
 * settings take by its schema. */
#include "fal.h"

#include <conduit/kit/queue.h>
#include <conduit/kit/time.h>
#include <stdlib.h>
#include <string.h>

/* ---- the schema ---- */

/* The member of an object: a path has dots and slashes in its name. */
static const struct conduit_json *member(const struct conduit_json *object, const char *name) {
	const struct conduit_json *at = conduit_json_first(object);
	for (; at != NULL; at = conduit_json_next(at)) {
		const char *own = conduit_json_name(at);
		if (own != NULL && strcmp(own, name) == 0) {
			return at;
		}
	}
	return NULL;
}

const struct conduit_json *fal_schemas(const struct conduit_json *entry) {
	return conduit_json_get(entry, "openapi.components.schemas");
}

static const struct conduit_json *body_of(
		const struct conduit_json *path, const struct conduit_json *schemas) {
	static const char prefix[] = "#/components/schemas/";
	const struct conduit_json *schema = conduit_json_get(
			path, "post.requestBody.content.application/json.schema");
	const char *to = conduit_json_string(schema, "$ref");
	if (to == NULL) {
		return schema;
	}
	return strncmp(to, prefix, strlen(prefix)) == 0 ? member(schemas, to + strlen(prefix))
							: NULL;
}

/* Of the path that takes a POST: the model's own, else the first. */
static const struct conduit_json *posted(const struct conduit_json *entry) {
	const struct conduit_json *schemas = fal_schemas(entry);
	const struct conduit_json *at = conduit_json_first(
			conduit_json_get(entry, "openapi.paths"));
	const char *id = conduit_json_string(entry, "endpoint_id");
	const struct conduit_json *ret = NULL;
	for (; at != NULL; at = conduit_json_next(at)) {
		const char *path = conduit_json_name(at);
		const struct conduit_json *body = body_of(at, schemas);
		bool own = id != NULL && path != NULL && path[0] == '/' &&
			   strcmp(path + 1, id) == 0;
		if (body != NULL && (own || ret == NULL)) {
			ret = body;
		}
		if (own && body != NULL) {
			break;
		}
	}
	return ret;
}

/* By fal's naming. */
static const struct conduit_json *named_input(const struct conduit_json *schemas) {
	const struct conduit_json *at = conduit_json_first(schemas);
	for (; at != NULL; at = conduit_json_next(at)) {
		const char *name = conduit_json_name(at);
		size_t length = name != NULL ? strlen(name) : 0;
		if (length >= 5 && strcmp(name + length - 5, "Input") == 0) {
			return at;
		}
	}
	return NULL;
}

const struct conduit_json *fal_input(const struct conduit_json *entry) {
	const struct conduit_json *schema = posted(entry);
	return conduit_json_get(
			schema != NULL ? schema : named_input(fal_schemas(entry)), "properties");
}

/* ---- the model ---- */

bool fal_offers(const struct conduit_json *entry) {
	const char *status = conduit_json_string(entry, "metadata.status");
	const char *kind = conduit_json_string(entry, "metadata.category");
	bool deprecated = status != NULL && strcmp(status, "deprecated") == 0;
	bool training = kind != NULL && strcmp(kind, "training") == 0;
	return conduit_json_string(entry, "endpoint_id") != NULL && !deprecated && !training;
}

/* "image-to-video" names both; other categories are words of their own. */
static void set_modalities(struct conduit_model *model, const char *category) {
	static const struct {
		const char *category, *input, *output;
	} known[] = {
			{"text-to-image", "text", "image"},
			{"image-to-image", "text,image", "image"},
			{"text-to-video", "text", "video"},
			{"image-to-video", "text,image", "video"},
			{"video-to-video", "text,video", "video"},
			{"audio-to-video", "text,audio,image", "video"},
			{"video-to-audio", "text,video", "audio"},
			{"text-to-audio", "text", "audio"},
			{"text-to-speech", "text", "audio"},
			{"text-to-music", "text", "audio"},
			{"audio-to-audio", "text,audio", "audio"},
			{"speech-to-speech", "audio", "audio"},
			{"speech-to-text", "audio", "transcription"},
			{"audio-to-text", "audio", "transcription"},
			{"vision", "text,image", "text"},
			{"image-to-text", "text,image", "text"},
			{"video-to-text", "text,video", "text"},
			{"llm", "text", "text"},
			{"text-to-text", "text", "text"},
			{"text-to-3d", "text", "3d"},
			{"image-to-3d", "text,image", "3d"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (category != NULL && strcmp(known[i].category, category) == 0) {
			model->input_modalities = known[i].input;
			model->output_modalities = known[i].output;
		}
	}
}

void fal_model(struct conduit_job *job, const struct conduit_json *entry,
		const struct conduit_json *detailed, const char *raw, size_t size) {
	const char *id = conduit_json_string(entry, "endpoint_id");
	const char *date = conduit_json_string(entry, "metadata.date");
	const struct conduit_json *input = fal_input(detailed);
	char *parameters = input != NULL ? conduit_queue_parameters(input) : NULL;
	size_t n_limits = 0;
	struct conduit_limit *limits = conduit_queue_limits(
			input, fal_schemas(detailed), &n_limits);
	struct conduit_model model = {.id = id,
			.id_size = strlen(id),
			.name = conduit_json_string(entry, "metadata.display_name"),
			.description = conduit_json_string(entry, "metadata.description"),
			.parameters = parameters,
			.raw = raw,
			.raw_size = size,
			.limits = limits,
			.n_limits = n_limits};
	if (parameters == NULL) {
		model.parameters = "seed,size,aspect_ratio,resolution,quality,n,steps,guidance,"
				   "negative_prompt,language,duration,fps,voice,speed,strength,"
				   "scale,style,top_k";
	}
	if (date != NULL) {
		conduit_time_rfc3339(date, &model.created);
	}
	set_modalities(&model, conduit_json_string(entry, "metadata.category"));
	conduit_model(job, &model);
	conduit_queue_limits_free(limits, n_limits);
	free(parameters);
}
