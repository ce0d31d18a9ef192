/* Anthropic: Claude by the messages API, with its own list of models and its own events. Which
 * request a job makes, and where the bytes of its reply go. */
#include "anthropic.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/gather.h>
#include <conduit/kit/json_items.h>
#include <conduit/kit/sse.h>
#include <conduit/kit/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "anthropic-version: 2023-06-01"
#define PAGES_MOST 100
#define WHOLE_MOST ((size_t)16 << 20) /* bytes of a message that isn't streamed */

struct state {
	bool is_turn;
	struct conduit_gathered reply; /* an error, or a message that isn't streamed */
	struct conduit_sse *sse; /* of a turn that is streamed */
	struct answer answer;
	struct conduit_json_items *items; /* of a discovery's page */
	bool more; /* has_more of the page, and … */
	char last[256]; /* … its last_id */
	int pages;
};

static struct state *begin(struct conduit_job *job) {
	struct state *state = calloc(1, sizeof(*state));
	if (state == NULL) {
		conduit_fail_memory(job);
		return NULL;
	}
	answer_begin(&state->answer, job);
	conduit_set_state(job, state);
	return state;
}

/* ---- the list of models ---- */

static bool can(const struct conduit_json *entry, const char *what) {
	bool able = false;
	conduit_json_bool(entry, what, &able);
	return able;
}

static int64_t count(const struct conduit_json *entry, const char *name) {
	int64_t value = 0;
	return conduit_json_int64(entry, name, &value) && value > 0 ? value : 0;
}

/* As the reference of the Messages API has it. */
static const struct conduit_limit limits[] = {
		{.name = "temperature", .least = 0, .most = 1, .standard = "1"}};

static void take_model(void *data, const char *json, size_t size) {
	struct conduit_job *job = data;
	struct conduit_json *entry = conduit_json_parse(json, size);
	const char *id = conduit_json_string(entry, "id");
	if (id == NULL || id[0] == '\0') {
		conduit_log(job, "an entry of the list is left out: it has no id");
		conduit_json_free(entry);
		return;
	}
	int64_t created = 0;
	conduit_time_rfc3339(conduit_json_string(entry, "created_at"), &created);
	bool image = can(entry, "capabilities.image_input.supported");
	bool pdf = can(entry, "capabilities.pdf_input.supported");
	conduit_model(job, &(struct conduit_model){
					   .id = id,
					   .id_size = strlen(id),
					   .name = conduit_json_string(entry, "display_name"),
					   .created = created > 0 ? created : 0,
					   .context_length = count(entry, "max_input_tokens"),
					   .max_output = count(entry, "max_tokens"),
					   .input_modalities = image && pdf ? "text,image,file"
							       : image	    ? "text,image"
									    : "text",
					   .output_modalities = "text",
					   .parameters = "top_k,reasoning_effort,tools,tool_choice",
					   .limits = limits,
					   .n_limits = 1,
					   .raw = json,
					   .raw_size = size,
			   });
	conduit_json_free(entry);
}

static void take_member(void *data, const char *name, const char *json, size_t size) {
	struct state *state = conduit_state(data);
	struct conduit_json *value = conduit_json_parse(json, size);
	const char *text = conduit_json_string(value, NULL);
	if (strcmp(name, "has_more") == 0) {
		conduit_json_bool(value, NULL, &state->more);
	} else if (strcmp(name, "last_id") == 0 && text != NULL) {
		snprintf(state->last, sizeof(state->last), "%s", text);
	}
	conduit_json_free(value);
}

static void request_page(struct conduit_job *job, struct state *state, const char *after) {
	static const char *const names[] = {"data", NULL};
	static const char *const headers[] = {VERSION, "Accept: application/json", NULL};
	struct conduit_json_items_calls calls = {
			.names = names, .item = take_model, .member = take_member, .data = job};
	char url[2048];
	int length = snprintf(url, sizeof(url), "%s/v1/models?limit=1000%s%s",
			conduit_base_url(job), after[0] != '\0' ? "&after_id=" : "", after);
	conduit_json_items_destroy(state->items);
	state->items = conduit_json_items_create(&calls);
	state->more = false;
	state->pages++;
	if (state->items == NULL || length < 0 || (size_t)length >= sizeof(url)) {
		conduit_fail_with(job, CONDUIT_FAIL_OTHER,
				"memory is short, or the base URL too long");
		return;
	}
	conduit_request(job,
			&(struct conduit_request){.method = "GET", .url = url, .headers = headers});
}

static void discover(struct conduit_job *job) {
	struct state *state = begin(job);
	if (state != NULL) {
		request_page(job, state, "");
	}
}

/* An id is put into the next page's address, so it must be made of what may stand there. */
static bool is_plain(const char *id) {
	return id[0] != '\0' && id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789-._")] == '\0';
}

static void end_page(struct conduit_job *job, struct state *state) {
	size_t skipped = conduit_json_items_skipped(state->items);
	if (skipped != 0) {
		conduit_log(job, "%zu entries of the list are left out: larger than 8 MiB",
				skipped);
	}
	if (conduit_json_items_state(state->items) != CONDUIT_ITEMS_WHOLE ||
			!conduit_json_items_found(state->items)) {
		conduit_malformed(job, "Anthropic's list of models is cut short, or is none");
	} else if (!state->more) {
		conduit_finish(job, NULL, NULL);
	} else if (!is_plain(state->last) || state->pages == PAGES_MOST) {
		conduit_malformed(job,
				"Anthropic's list of models doesn't end: page %d says there is "
				"more after \"%.100s\"",
				state->pages, state->last);
	} else {
		char after[sizeof(state->last)];
		strcpy(after, state->last);
		state->last[0] = '\0';
		request_page(job, state, after);
	}
}

/* ---- a turn ---- */

/* Claude answers with text, and the API has nothing else. */
static bool is_served(const struct conduit_turn *turn) {
	const char *to = turn->capability != NULL ? strrchr(turn->capability, '-') : NULL;
	return to == NULL || strcmp(to, "-text") == 0;
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	static const char *const headers[] = {VERSION, "Content-Type: application/json",
			"Accept: text/event-stream, application/json", NULL};
	char url[2048];
	if (!is_served(turn)) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"Anthropic's models answer with text: for anything else use "
				"another provider's");
		return;
	}
	struct state *state = begin(job);
	if (state == NULL) {
		return;
	}
	state->is_turn = true;
	int length = snprintf(url, sizeof(url), "%s/v1/messages", conduit_base_url(job));
	if (length < 0 || (size_t)length >= sizeof(url)) {
		conduit_fail_with(job, CONDUIT_FAIL_OTHER, "the base URL is too long");
		return;
	}
	struct conduit_object *body = request_build(job, turn);
	conduit_object_send(body, job,
			&(struct conduit_request){
					.method = "POST", .url = url, .headers = headers});
	conduit_object_destroy(body);
}

static void take_event(void *data, const char *name, const char *text, size_t size) {
	struct state *state = conduit_state(data);
	struct conduit_json *event = conduit_json_parse(text, size);
	(void)name;
	if (event != NULL) {
		answer_event(&state->answer, event);
	} else if (state->sse != NULL && !state->answer.over) {
		conduit_malformed(data, "Anthropic's answer holds an event that isn't JSON");
		state->answer.over = true;
	}
	conduit_json_free(event);
}

/* ---- replies ---- */

static void reply(struct conduit_job *job, const struct conduit_reply *head) {
	struct state *state = conduit_state(job);
	if (state == NULL) {
		return;
	}
	conduit_gather_head(&state->reply, head);
	if (state->is_turn && conduit_gathered_good(&state->reply) &&
			strstr(state->reply.type, "event-stream") != NULL) {
		state->sse = conduit_sse_create(take_event, job);
	}
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct state *state = conduit_state(job);
	if (state == NULL || state->answer.over) {
		return;
	}
	if (!conduit_gathered_good(&state->reply)) {
		conduit_gather(&state->reply, bytes, size, CONDUIT_ERROR_LIMIT);
	} else if (!state->is_turn) {
		conduit_json_items_feed(state->items, bytes, size);
	} else if (state->sse == NULL) {
		conduit_gather(&state->reply, bytes, size, WHOLE_MOST);
	} else if (!conduit_sse_feed(state->sse, bytes, size)) {
		conduit_malformed(job, "Anthropic's answer holds an event that exceeds 64 MiB");
		state->answer.over = true;
	}
}

static void end_whole(struct conduit_job *job, struct state *state) {
	struct conduit_json *message = conduit_json_parse(state->reply.body, state->reply.size);
	if (message == NULL) {
		conduit_malformed(job,
				"Anthropic's answer is neither an event stream nor a message "
				"(HTTP %d, %s)",
				state->reply.status,
				state->reply.type[0] != '\0' ? state->reply.type : "no type");
	} else {
		answer_message(&state->answer, message);
	}
	conduit_json_free(message);
}

static void end(struct conduit_job *job) {
	struct state *state = conduit_state(job);
	if (state == NULL || state->answer.over) {
		return;
	}
	if (!conduit_gathered_good(&state->reply)) {
		conduit_gathered_failure(job, &state->reply);
	} else if (!state->is_turn) {
		end_page(job, state);
	} else if (state->sse == NULL) {
		end_whole(job, state);
	} else {
		/* What stands without its blank line may be cut; whole, it is an event. */
		struct conduit_sse *sse = state->sse;
		state->sse = NULL;
		conduit_sse_end(sse);
		conduit_sse_destroy(sse);
		answer_end(&state->answer);
	}
}

static void release(struct conduit_job *job) {
	struct state *state = conduit_state(job);
	if (state != NULL) {
		conduit_sse_destroy(state->sse);
		conduit_json_items_destroy(state->items);
		answer_finish(&state->answer);
		conduit_gather_finish(&state->reply);
		free(state);
		conduit_set_state(job, NULL);
	}
}

CONDUIT_PROVIDER(.name = "anthropic", .version = "1.0.0", .discover = discover,
		.transform = transform, .reply = reply, .data = data, .end = end,
		.release = release)
