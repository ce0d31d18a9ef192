/* fal's catalogue, a page at a time. What goes in and comes out of a model is told by its category.
 */
#include "fal.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/json.h>
#include <conduit/kit/json_items.h>
#include <conduit/kit/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MOST 200
#define LIST_MAGIC 0x66616c6cu

struct list {
	unsigned magic;
	struct conduit_json_items *items;
	int status;
	char content_type[128];
	char error[4096];
	size_t error_size;
	char *cursor;
	bool more;
	int pages;
};

char *fal_catalogue(const struct conduit_job *job, const char *query) {
	const char *base = conduit_base_url(job);
	bool own = strcmp(base, "https://queue.fal.run") == 0;
	char *url = NULL;
	return asprintf(&url, "%s/v1/models?%s", own ? "https://api.fal.ai" : base, query) < 0
			       ? NULL
			       : url;
}

static struct list *list_of(const struct conduit_job *job) {
	struct list *list = conduit_state(job);
	return list != NULL && list->magic == LIST_MAGIC ? list : NULL;
}

bool fal_lists(const struct conduit_job *job) {
	return list_of(job) != NULL;
}

static void no_memory(struct conduit_job *job) {
	conduit_fail(job, &(struct conduit_failure){
					  .kind = CONDUIT_FAIL_OTHER, .words = "memory is short"});
}

/* ---- a model ---- */

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

static void on_model(void *data, const char *text, size_t size) {
	struct conduit_job *job = data;
	struct conduit_json *entry = conduit_json_parse(text, size);
	const char *id = conduit_json_string(entry, "endpoint_id");
	const char *status = conduit_json_string(entry, "metadata.status");
	const char *kind = conduit_json_string(entry, "metadata.category");
	const char *date = conduit_json_string(entry, "metadata.date");
	bool deprecated = status != NULL && strcmp(status, "deprecated") == 0;
	bool training = kind != NULL && strcmp(kind, "training") == 0;
	if (id != NULL && !deprecated && !training) {
		struct conduit_model model = {.id = id,
				.id_size = strlen(id),
				.name = conduit_json_string(entry, "metadata.display_name"),
				.description = conduit_json_string(entry, "metadata.description"),
				.parameters = "seed,size,aspect_ratio,resolution,quality,n,steps,"
					      "guidance,negative_prompt,language,duration,fps,"
					      "voice,speed,strength,scale,style,top_k",
				.raw = text,
				.raw_size = size};
		if (date != NULL) {
			conduit_time_rfc3339(date, &model.created);
		}
		set_modalities(&model, kind);
		conduit_model(job, &model);
	}
	conduit_json_free(entry);
}

/* ---- a page ---- */

static void on_member(void *data, const char *name, const char *text, size_t size) {
	struct list *list = list_of(data);
	struct conduit_json *value = conduit_json_parse(text, size);
	const char *cursor = conduit_json_string(value, NULL);
	if (strcmp(name, "next_cursor") == 0) {
		free(list->cursor);
		list->cursor = cursor != NULL ? strdup(cursor) : NULL;
	} else if (strcmp(name, "has_more") == 0) {
		conduit_json_bool(value, NULL, &list->more);
	}
	conduit_json_free(value);
}

/* Whatever it holds, percent-encoded. */
static char *encoded(const char *text) {
	char *ret = malloc(strlen(text) * 3 + 1);
	char *to = ret;
	for (; ret != NULL && *text != '\0'; text++) {
		to += sprintf(to, "%%%02X", (unsigned char)*text);
	}
	if (ret != NULL) {
		*to = '\0';
	}
	return ret;
}

static void request_page(struct conduit_job *job, struct list *list) {
	static const char *const names[] = {"models", NULL};
	struct conduit_json_items_calls calls = {
			.names = names, .item = on_model, .member = on_member, .data = job};
	char *query = NULL;
	char *cursor = list->cursor != NULL ? encoded(list->cursor) : NULL;
	if (asprintf(&query, "status=active&limit=100%s%s", cursor != NULL ? "&cursor=" : "",
			    cursor != NULL ? cursor : "") < 0) {
		query = NULL;
	}
	char *url = query != NULL ? fal_catalogue(job, query) : NULL;
	conduit_json_items_destroy(list->items);
	list->items = conduit_json_items_create(&calls);
	list->more = false;
	list->pages++;
	if (url != NULL && list->items != NULL) {
		conduit_request(job, &(struct conduit_request){.method = "GET", .url = url});
	} else {
		no_memory(job);
	}
	free(url);
	free(query);
	free(cursor);
}

void fal_discover(struct conduit_job *job) {
	struct list *list = calloc(1, sizeof(*list));
	if (list == NULL) {
		no_memory(job);
		return;
	}
	list->magic = LIST_MAGIC;
	conduit_set_state(job, list);
	request_page(job, list);
}

void fal_list_reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct list *list = list_of(job);
	list->status = reply->status;
	snprintf(list->content_type, sizeof(list->content_type), "%s", reply->content_type);
}

void fal_list_data(struct conduit_job *job, const void *bytes, size_t size) {
	struct list *list = list_of(job);
	if (list->status >= 200 && list->status <= 299) {
		conduit_json_items_feed(list->items, bytes, size);
		return;
	}
	size_t room = sizeof(list->error) - list->error_size;
	size_t taken = size < room ? size : room;
	memcpy(list->error + list->error_size, bytes, taken);
	list->error_size += taken;
}

void fal_list_end(struct conduit_job *job) {
	struct list *list = list_of(job);
	if (list->status < 200 || list->status > 299) {
		conduit_http_failure(job, list->status, list->content_type, list->error,
				list->error_size);
	} else if (conduit_json_items_state(list->items) != CONDUIT_ITEMS_WHOLE ||
			!conduit_json_items_found(list->items)) {
		conduit_malformed(job, "fal's list of models is cut short, or no list");
	} else if (!list->more || list->cursor == NULL) {
		conduit_finish(job, NULL, NULL);
	} else if (list->pages == PAGES_MOST) {
		conduit_malformed(job, "fal's list of models doesn't end: %d pages were read",
				PAGES_MOST);
	} else {
		request_page(job, list);
	}
}

void fal_list_release(struct conduit_job *job) {
	struct list *list = list_of(job);
	conduit_json_items_destroy(list->items);
	free(list->cursor);
	free(list);
	conduit_set_state(job, NULL);
}
