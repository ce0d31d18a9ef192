/* fal's catalogue, a page at a time: see list.h. */
#include "fal.h"
#include "list.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MOST 200
#define LIST_MAGIC 0x66616c6cu

char *fal_catalogue(const struct conduit_job *job, const char *query) {
	const char *base = conduit_base_url(job);
	bool own = strcmp(base, "https://queue.fal.run") == 0;
	char *url = NULL;
	return asprintf(&url, "%s/v1/models?%s", own ? "https://api.fal.ai" : base, query) < 0
			       ? NULL
			       : url;
}

/* A byte that stands for itself in a query. */
static bool is_plain(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~/", c) != NULL);
}

char *fal_encoded(const char *text) {
	char *ret = malloc(strlen(text) * 3 + 1);
	char *to = ret;
	for (; ret != NULL && *text != '\0'; text++) {
		to += sprintf(to, is_plain(*text) ? "%c" : "%%%02X", (unsigned char)*text);
	}
	if (ret != NULL) {
		*to = '\0';
	}
	return ret;
}

static struct list *list_of(const struct conduit_job *job) {
	struct list *list = conduit_state(job);
	return list != NULL && list->magic == LIST_MAGIC ? list : NULL;
}

bool fal_lists(const struct conduit_job *job) {
	return list_of(job) != NULL;
}

/* ---- a reply ---- */

static void on_member(void *data, const char *name, const char *text, size_t size) {
	struct list *list = data;
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

bool list_expect(struct list *list, void (*item)(void *data, const char *text, size_t size)) {
	static const char *const names[] = {"models", NULL};
	struct conduit_json_items_calls calls = {
			.names = names, .item = item, .member = on_member, .data = list};
	conduit_json_items_destroy(list->items);
	list->items = conduit_json_items_create(&calls);
	free(list->cursor);
	list->cursor = NULL;
	list->more = false;
	return list->items != NULL;
}

const char *list_fault(const struct list *list) {
	if (!conduit_gathered_good(&list->reply)) {
		return "refused";
	}
	return conduit_json_items_state(list->items) != CONDUIT_ITEMS_WHOLE ||
					       !conduit_json_items_found(list->items)
			       ? "cut short, or no list"
			       : NULL;
}

void fal_list_reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct list *list = list_of(job);
	conduit_gather_head(&list->reply, reply);
}

void fal_list_data(struct conduit_job *job, const void *bytes, size_t size) {
	struct list *list = list_of(job);
	if (conduit_gathered_good(&list->reply)) {
		conduit_json_items_feed(list->items, bytes, size);
	} else {
		conduit_gather(&list->reply, bytes, size, CONDUIT_ERROR_LIMIT);
	}
}

/* ---- pages ---- */

static void on_model(void *data, const char *text, size_t size) {
	struct list *list = data;
	struct conduit_json *entry = conduit_json_parse(text, size);
	if (fal_offers(entry)) {
		details_hold(list, conduit_json_string(entry, "endpoint_id"), text, size);
	}
	conduit_json_free(entry);
}

/* The first, or that of the cursor. */
static void request_page(struct list *list) {
	char *query = NULL, *url = NULL;
	char *cursor = list->next != NULL ? fal_encoded(list->next) : NULL;
	bool has_cursor = list->next == NULL || cursor != NULL;
	if (has_cursor && asprintf(&query, "status=active&limit=%d%s%s", FAL_PAGE,
					  cursor != NULL ? "&cursor=" : "",
					  cursor != NULL ? cursor : "") < 0) {
		query = NULL;
	}
	url = query != NULL ? fal_catalogue(list->job, query) : NULL;
	list->pages++;
	if (url != NULL && list_expect(list, on_model)) {
		conduit_request(list->job, &(struct conduit_request){.method = "GET", .url = url});
	} else {
		conduit_fail_memory(list->job);
	}
	free(url);
	free(query);
	free(cursor);
}

static void go_on(struct list *list) {
	if (list->next == NULL) {
		conduit_finish(list->job, NULL, NULL);
	} else if (list->pages == PAGES_MOST) {
		conduit_malformed(list->job, "fal's list of models doesn't end: %d pages were read",
				PAGES_MOST);
	} else {
		request_page(list);
	}
}

static void end_page(struct list *list) {
	if (!conduit_gathered_good(&list->reply)) {
		conduit_gathered_failure(list->job, &list->reply);
		return;
	}
	if (list_fault(list) != NULL) {
		conduit_malformed(list->job, "fal's list of models is %s", list_fault(list));
		return;
	}
	free(list->next);
	list->next = list->more ? list->cursor : NULL;
	if (list->next != NULL) {
		list->cursor = NULL;
	}
	if (!details_ask(list, 0)) {
		go_on(list);
	}
}

void fal_list_end(struct conduit_job *job) {
	struct list *list = list_of(job);
	if (!list->detailing) {
		end_page(list);
	} else if (!details_end(list)) {
		go_on(list);
	}
}

void fal_discover(struct conduit_job *job) {
	struct list *list = calloc(1, sizeof(*list));
	if (list == NULL) {
		conduit_fail_memory(job);
		return;
	}
	list->magic = LIST_MAGIC;
	list->job = job;
	list->batch = FAL_DETAILS;
	clock_gettime(CLOCK_MONOTONIC, &list->begun);
	conduit_set_state(job, list);
	request_page(list);
}

void fal_list_release(struct conduit_job *job) {
	struct list *list = list_of(job);
	conduit_json_items_destroy(list->items);
	details_drop(list);
	conduit_gather_finish(&list->reply);
	free(list->cursor);
	free(list->next);
	free(list);
	conduit_set_state(job, NULL);
}
