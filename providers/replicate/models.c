/* Replicate's models: those of its collections, the official ones first. Its list of all models has
 * some hundred thousand, of which nobody looks at the most. What goes in and comes out of one is
 * told by its schema and its example. */
#include "replicate.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/gather.h>
#include <conduit/kit/json.h>
#include <conduit/kit/json_items.h>
#include <conduit/kit/queue.h>
#include <conduit/kit/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLLECTIONS_MOST 64
#define MODELS_MOST 20000
#define ONE_MOST ((size_t)8 << 20) /* bytes of what is said of one model */
#define LIST_MAGIC 0x7265706cu

struct list {
	unsigned magic;
	struct conduit_job *job;
	struct conduit_json_items *items;
	struct conduit_gathered reply; /* an error, or what is said of one model */
	bool first; /* the list of collections is under way */
	char *slugs[COLLECTIONS_MOST];
	size_t n_slugs, next;
	char **seen; /* ids */
	size_t n_seen;
	char *look_up; /* the one model that is looked up */
};

static struct list *list_of(const struct conduit_job *job) {
	struct list *list = conduit_state(job);
	return list != NULL && list->magic == LIST_MAGIC ? list : NULL;
}

bool replicate_lists(const struct conduit_job *job) {
	return list_of(job) != NULL;
}

/* ---- a model ---- */

/* A model stands in several collections. */
static bool is_new(struct list *list, const char *id) {
	for (size_t i = 0; i < list->n_seen; i++) {
		if (strcmp(list->seen[i], id) == 0) {
			return false;
		}
	}
	char **grown = list->n_seen < MODELS_MOST
				       ? reallocarray(list->seen, list->n_seen + 1, sizeof(*grown))
				       : NULL;
	if (grown == NULL) {
		return false;
	}
	list->seen = grown;
	grown[list->n_seen] = strdup(id);
	return grown[list->n_seen] != NULL && ++list->n_seen != 0;
}

/* By the ending of a file's URL. */
static const char *kind_of_file(const char *url) {
	static const struct {
		const char *ending, *kind;
	} known[] = {{".png", "image"}, {".jpg", "image"}, {".jpeg", "image"}, {".webp", "image"},
			{".gif", "image"}, {".svg", "image"}, {".avif", "image"}, {".mp4", "video"},
			{".webm", "video"}, {".mov", "video"}, {".mp3", "audio"}, {".wav", "audio"},
			{".flac", "audio"}, {".ogg", "audio"}, {".m4a", "audio"}, {".glb", "3d"},
			{".obj", "3d"}, {".ply", "3d"}};
	size_t length = strcspn(url, "?#");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t ending = strlen(known[i].ending);
		if (length > ending &&
				strncasecmp(url + length - ending, known[i].ending, ending) == 0) {
			return known[i].kind;
		}
	}
	return NULL;
}

/* What comes out: of the example's first file, if its output is files; else text. NULL: unknown. */
static const char *output_of(const struct conduit_json *entry) {
	const struct conduit_json *schema = conduit_json_get(
			entry, "latest_version.openapi_schema.components.schemas.Output");
	const char *format = conduit_json_string(schema, "format");
	const char *inner = conduit_json_string(schema, "items.format");
	const char *type = conduit_json_string(schema, "type");
	const char *one = conduit_json_string(entry, "default_example.output");
	const char *first = conduit_json_string(entry, "default_example.output.0");
	const char *file = one != NULL ? one : first;
	bool is_file = (format != NULL && strcmp(format, "uri") == 0) ||
		       (inner != NULL && strcmp(inner, "uri") == 0);
	if (file != NULL && strncmp(file, "https://", 8) == 0) {
		return kind_of_file(file);
	}
	return !is_file && type != NULL ? "text" : NULL;
}

static void emit(struct list *list, const char *id, const char *text, size_t size,
		const struct conduit_json *entry) {
	const char *created = conduit_json_string(entry, "latest_version.created_at");
	const struct conduit_json *schemas = conduit_json_get(
			entry, "latest_version.openapi_schema.components.schemas");
	const struct conduit_json *input = conduit_json_get(schemas, "Input.properties");
	char *parameters = input != NULL ? conduit_queue_parameters(input) : NULL;
	size_t n_limits = 0;
	struct conduit_limit *limits = conduit_queue_limits(input, schemas, &n_limits);
	struct conduit_model model = {.id = id,
			.id_size = strlen(id),
			.description = conduit_json_string(entry, "description"),
			.input_modalities = input != NULL ? conduit_queue_modalities(input) : NULL,
			.output_modalities = output_of(entry),
			.parameters = parameters,
			.raw = text,
			.raw_size = size,
			.limits = limits,
			.n_limits = n_limits};
	if (created != NULL) {
		conduit_time_rfc3339(created, &model.created);
	}
	conduit_model(list->job, &model);
	conduit_queue_limits_free(limits, n_limits);
	free(parameters);
}

static void on_model(struct list *list, const char *text, size_t size,
		const struct conduit_json *entry) {
	const char *owner = conduit_json_string(entry, "owner");
	const char *name = conduit_json_string(entry, "name");
	char *id = NULL;
	if (owner == NULL || name == NULL) {
		return;
	}
	if (asprintf(&id, "%s/%s", owner, name) < 0) {
		id = NULL;
	} else if (is_new(list, id)) {
		emit(list, id, text, size, entry);
	}
	free(id);
}

static void on_item(void *data, const char *text, size_t size) {
	struct list *list = data;
	struct conduit_json *entry = conduit_json_parse(text, size);
	const char *slug = conduit_json_string(entry, "slug");
	if (!list->first) {
		on_model(list, text, size, entry);
	} else if (slug != NULL && list->n_slugs < COLLECTIONS_MOST &&
			strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(slug) &&
			strcmp(slug, "official") != 0) {
		list->slugs[list->n_slugs] = strdup(slug);
		list->n_slugs += list->slugs[list->n_slugs] != NULL;
	}
	conduit_json_free(entry);
}

/* ---- requests ---- */

static void request(struct list *list, const char *slug) {
	static const char *const names[] = {"results", "models", NULL};
	struct conduit_json_items_calls calls = {.names = names, .item = on_item, .data = list};
	char *url = NULL;
	conduit_json_items_destroy(list->items);
	list->items = conduit_json_items_create(&calls);
	if (asprintf(&url, "%s/collections%s%s", conduit_base_url(list->job),
			    slug != NULL ? "/" : "", slug != NULL ? slug : "") < 0 ||
			list->items == NULL) {
		conduit_fail_memory(list->job);
	} else {
		conduit_request(list->job, &(struct conduit_request){.method = "GET", .url = url});
	}
	free(url);
}

void replicate_discover(struct conduit_job *job) {
	struct list *list = calloc(1, sizeof(*list));
	if (list == NULL) {
		conduit_fail_memory(job);
		return;
	}
	*list = (struct list){.magic = LIST_MAGIC, .job = job, .first = true};
	list->slugs[0] = strdup("official");
	list->n_slugs = list->slugs[0] != NULL;
	conduit_set_state(job, list);
	request(list, NULL);
}

/* An id is put into an address, so it must be made of what may stand there; a version after a colon
 * isn't part of the model's. */
void replicate_look_up(struct conduit_job *job, const char *id) {
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_./";
	size_t length = strcspn(id, ":");
	const char *slash = memchr(id, '/', length);
	char *url = NULL;
	struct list *list = calloc(1, sizeof(*list));
	if (slash == NULL || memchr(slash + 1, '/', (size_t)(id + length - slash - 1)) != NULL ||
			strspn(id, plain) < length || strstr(id, "..") != NULL) {
		free(list);
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_GONE,
						  .words = "Replicate's models are named "
							   "owner/name"});
		return;
	}
	if (list == NULL || (list->look_up = strdup(id)) == NULL ||
			asprintf(&url, "%s/models/%.*s", conduit_base_url(job), (int)length, id) <
					0) {
		free(list != NULL ? list->look_up : NULL);
		free(list);
		conduit_fail_memory(job);
		return;
	}
	list->magic = LIST_MAGIC;
	list->job = job;
	conduit_set_state(job, list);
	conduit_request(job, &(struct conduit_request){.method = "GET", .url = url});
	free(url);
}

static void end_look_up(struct conduit_job *job, struct list *list) {
	struct conduit_json *entry = conduit_json_parse(list->reply.body, list->reply.size);
	if (conduit_json_string(entry, "name") == NULL) {
		conduit_malformed(job, "what Replicate says of %.200s is cut short, or no model",
				list->look_up);
	} else {
		emit(list, list->look_up, list->reply.body, list->reply.size, entry);
		conduit_finish(job, NULL, NULL);
	}
	conduit_json_free(entry);
}

void replicate_list_reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct list *list = list_of(job);
	conduit_gather_head(&list->reply, reply);
}

void replicate_list_data(struct conduit_job *job, const void *bytes, size_t size) {
	struct list *list = list_of(job);
	if (!conduit_gathered_good(&list->reply)) {
		conduit_gather(&list->reply, bytes, size, CONDUIT_ERROR_LIMIT);
	} else if (list->look_up != NULL) {
		conduit_gather(&list->reply, bytes, size, ONE_MOST);
	} else {
		conduit_json_items_feed(list->items, bytes, size);
	}
}

void replicate_list_end(struct conduit_job *job) {
	struct list *list = list_of(job);
	bool gone = !list->first && list->look_up == NULL && list->reply.status == 404;
	if (!conduit_gathered_good(&list->reply) && !gone) {
		conduit_gathered_failure(job, &list->reply);
		return;
	}
	if (list->look_up != NULL) {
		end_look_up(job, list);
		return;
	}
	if (!gone && (conduit_json_items_state(list->items) != CONDUIT_ITEMS_WHOLE ||
				     !conduit_json_items_found(list->items))) {
		conduit_malformed(job, "Replicate's list of %s is cut short, or no list",
				list->first ? "collections" : "models");
		return;
	}
	list->first = false;
	if (list->next == list->n_slugs) {
		conduit_finish(job, NULL, NULL);
		return;
	}
	request(list, list->slugs[list->next++]);
}

void replicate_list_release(struct conduit_job *job) {
	struct list *list = list_of(job);
	conduit_json_items_destroy(list->items);
	for (size_t i = 0; i < list->n_slugs; i++) {
		free(list->slugs[i]);
	}
	for (size_t i = 0; i < list->n_seen; i++) {
		free(list->seen[i]);
	}
	free(list->seen);
	free(list->look_up);
	conduit_gather_finish(&list->reply);
	free(list);
	conduit_set_state(job, NULL);
}
