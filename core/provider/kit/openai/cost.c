/* What a turn cost: see cost.h. The reply is OpenRouter's GET /generation. */
#include "core/provider/kit/openai/cost.h"

#include "core/base/text.h"
#include "core/provider/kit/openai/request.h"

#include <conduit/kit/failure.h>
#include <stdio.h>
#include <string.h>

/* No service says more about one turn. */
#define BODY_MOST ((size_t)256 << 10)
#define ID_MOST 256

/* The id in a reply's head ("name: value" lines, names in lower case); false when there is none, or
 * one that can't stand in an address. */
static bool find_id(const char *head, const char *header, char ret[ID_MOST]) {
	size_t length = strlen(header);
	for (const char *line = head; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, header, length) != 0 || line[length] != ':') {
			continue;
		}
		const char *id = line + length + 1 + strspn(line + length + 1, " \t");
		size_t size = strcspn(id, "\r\n");
		static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "0123456789-._~";
		if (size == 0 || size >= ID_MOST || strspn(id, plain) < size) {
			return false;
		}
		snprintf(ret, ID_MOST, "%.*s", (int)size, id);
		return true;
	}
	return false;
}

void cost_begin(struct cost *cost, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	const char *head = conduit_setting(turn, "reply");
	char id[ID_MOST];
	*cost = (struct cost){.job = job, .body = {.limit = BODY_MOST}};
	cost->service = dialect->service != NULL ? dialect->service : "the service";
	if (head == NULL || !find_id(head, dialect->cost_header, id)) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID,
						  .words = "the reply had no id to ask by"});
		return;
	}
	char *url = NULL;
	if (asprintf(&url, "%s%s%s", conduit_base_url(job), dialect->cost_path, id) < 0) {
		conduit_fail(job, &(struct conduit_failure){.words = "memory is short"});
		return;
	}
	openai_get(job, dialect, url);
	free(url);
}

void cost_feed(struct cost *cost, const char *bytes, size_t size) {
	buf_add(&cost->body, bytes, size);
}

static int64_t tokens(const struct conduit_json *json, const char *path) {
	int64_t count;
	return conduit_json_int64(json, path, &count) && count >= 0 ? count : -1;
}

void cost_end(struct cost *cost) {
	struct conduit_usage usage = CONDUIT_USAGE_UNKNOWN;
	struct conduit_json *json = conduit_json_parse(buf_string(&cost->body), cost->body.size);
	if (!conduit_json_number(json, "data.total_cost", &usage.cost) || usage.cost < 0) {
		conduit_json_free(json);
		conduit_malformed(cost->job, "%s doesn't say what the turn cost", cost->service);
		return;
	}
	usage.prompt_tokens = tokens(json, "data.native_tokens_prompt");
	usage.completion_tokens = tokens(json, "data.native_tokens_completion");
	usage.reasoning_tokens = tokens(json, "data.native_tokens_reasoning");
	usage.cached_tokens = tokens(json, "data.native_tokens_cached");
	conduit_json_free(json);
	conduit_usage(cost->job, &usage);
	conduit_finish(cost->job, NULL, NULL);
}

void cost_finish(struct cost *cost) {
	buf_finish(&cost->body);
}
