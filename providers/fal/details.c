/* The schemas of the models that a page listed: see list.h. */
#include "fal.h"
#include "list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERY_MOST 4096 /* bytes; servers refuse long addresses */
/* Of a service that is slow or refuses, the rest of the models are listed without. */
#define SECONDS_MOST 120
#define FAILURES_MOST 5

static void held_finish(struct held *held) {
	free(held->id);
	free(held->text);
	*held = (struct held){0};
}

void details_drop(struct list *list) {
	for (size_t i = 0; i < list->n_held; i++) {
		held_finish(&list->held[i]);
	}
	list->n_held = list->held_bytes = 0;
}

static void emit(struct list *list, struct held *held, const struct conduit_json *detailed,
		const char *raw, size_t size) {
	struct conduit_json *entry = conduit_json_parse(held->text, held->size);
	if (conduit_json_string(entry, "endpoint_id") != NULL) {
		fal_model(list->job, entry, detailed, raw, size);
	}
	conduit_json_free(entry);
	held_finish(held);
}

void details_hold(struct list *list, const char *id, const char *text, size_t size) {
	struct held held = {.id = strdup(id), .text = strndup(text, size), .size = size};
	bool room = list->n_held < FAL_PAGE && size <= FAL_HELD_BYTES - list->held_bytes;
	if (room && held.id != NULL && held.text != NULL) {
		list->held[list->n_held++] = held;
		list->held_bytes += size;
	} else if (held.text != NULL) {
		emit(list, &held, NULL, text, size);
	} else {
		free(held.id);
	}
}

/* Takes away those that were emitted. */
static void close_gaps(struct list *list) {
	size_t n = 0;
	list->held_bytes = 0;
	for (size_t i = 0; i < list->n_held; i++) {
		if (list->held[i].text != NULL) {
			list->held_bytes += list->held[i].size;
			list->held[n++] = list->held[i];
		}
	}
	list->n_held = n;
}

/* Emits what is held as it is: all, or what was asked for. */
static void emit_plain(struct list *list, bool all) {
	for (size_t i = 0; i < list->n_held; i++) {
		struct held *held = &list->held[i];
		if (held->text != NULL && (all || held->asked)) {
			emit(list, held, NULL, held->text, held->size);
		}
	}
	close_gaps(list);
}

/* ---- asking ---- */

static void on_detail(void *data, const char *text, size_t size) {
	struct list *list = data;
	struct conduit_json *detailed = conduit_json_parse(text, size);
	const char *id = conduit_json_string(detailed, "endpoint_id");
	for (size_t i = 0; id != NULL && i < list->n_held; i++) {
		struct held *held = &list->held[i];
		if (held->asked && held->id != NULL && strcmp(held->id, id) == 0) {
			emit(list, held, detailed, text, size);
			list->n_came++;
			break;
		}
	}
	conduit_json_free(detailed);
}

static bool too_late(const struct list *list) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return list->failures >= FAILURES_MOST || now.tv_sec - list->begun.tv_sec >= SECONDS_MOST;
}

/* The query for the first of what is held, which it marks; the first of all however long it is.
 * False without memory. */
static bool choose(struct list *list, char **ret) {
	char *query = NULL;
	if (asprintf(&query, "expand=openapi-3.0&limit=%d", FAL_DETAILS) < 0) {
		return false;
	}
	for (size_t i = 0; i < list->n_held; i++) {
		char *id = fal_encoded(list->held[i].id), *longer = NULL;
		bool takes = i == 0 || (i < list->batch && list->held[i - 1].asked && id != NULL &&
						       strlen(query) + strlen(id) < QUERY_MOST);
		list->held[i].asked = takes;
		if (takes && (id == NULL || asprintf(&longer, "%s&endpoint_id=%s", query, id) <
							     0)) {
			free(id);
			free(query);
			return false;
		}
		free(id);
		if (takes) {
			free(query);
			query = longer;
		}
	}
	*ret = query;
	return true;
}

bool details_ask(struct list *list, unsigned delay_ms) {
	char *query = NULL, *url = NULL;
	bool can = list->n_held != 0 && !too_late(list) && choose(list, &query) &&
		   (url = fal_catalogue(list->job, query)) != NULL && list_expect(list, on_detail);
	if (can) {
		list->detailing = true;
		list->n_came = 0;
		conduit_request(list->job,
				&(struct conduit_request){
						.method = "GET", .url = url, .delay_ms = delay_ms});
	} else {
		list->detailing = false;
		emit_plain(list, true);
	}
	free(query);
	free(url);
	return can;
}

/* Whether one that was asked for didn't come. */
static bool lacks(const struct list *list) {
	return list->n_held != 0 && list->held[0].asked;
}

bool details_end(struct list *list) {
	const char *fault = list_fault(list);
	bool again = fault != NULL && (list->reply.status == 429 || list->reply.status >= 500);
	close_gaps(list);
	if (fault != NULL) {
		list->failures++;
		conduit_log(list->job, "fal's reply with models' schemas (HTTP %d) is %s",
				list->reply.status, fault);
	}
	if (fault == NULL && list->more && lacks(list) && list->n_came != 0) {
		/* It gives fewer at once. */
		list->batch = list->n_came;
	} else if (!again) {
		emit_plain(list, false);
	}
	return details_ask(list, again ? 1000U << list->failures : 0);
}
