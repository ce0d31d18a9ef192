/* What /api/pull says while a model is downloaded: a line of JSON a step, and of a layer, of which
 * the model's weights are one, how much of it came. */
#include "ollama.h"

#include <conduit/kit/failure.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void take_step(struct pull *pull, const struct conduit_json *line) {
	const char *status = conduit_json_string(line, "status");
	if (status == NULL) {
		return;
	}
	double share = NAN, total, completed = 0;
	pull->done = strcmp(status, "success") == 0;
	if (conduit_json_number(line, "total", &total) && total > 0) {
		conduit_json_number(line, "completed", &completed);
		share = completed <= total ? completed / total : 1;
	}
	conduit_progress(pull->job, share, status);
}

/* What the registry doesn't have is told by a line of this stream, without a number. */
static void fail(struct pull *pull, const struct conduit_json *line) {
	const char *words = conduit_json_string(line, "error");
	bool gone = words != NULL && (strstr(words, "file does not exist") != NULL ||
						     strstr(words, "not found") != NULL);
	pull->over = true;
	if (!gone) {
		conduit_json_failure(pull->job, 200, line);
		return;
	}
	char text[512];
	snprintf(text, sizeof(text), "Ollama's registry has no %.200s (%.200s)", pull->model,
			words);
	conduit_fail(pull->job,
			&(struct conduit_failure){.kind = CONDUIT_FAIL_GONE, .words = text});
}

void pull_line(struct pull *pull, const char *text, size_t size) {
	if (pull->over || pull->done) {
		return;
	}
	struct conduit_json *line = conduit_json_parse(text, size);
	if (line == NULL) {
		conduit_malformed(pull->job,
				"Ollama's pulling of %.200s told a line that isn't JSON, "
				"or was cut short",
				pull->model);
		pull->over = true;
	} else if (conduit_json_type(line, "error") >= CONDUIT_JSON_STRING) {
		fail(pull, line);
	} else {
		take_step(pull, line);
	}
	conduit_json_free(line);
}

bool pull_end(struct pull *pull) {
	if (!pull->over && !pull->done) {
		conduit_malformed(pull->job, "Ollama's pulling of %.200s ended before it succeeded",
				pull->model);
		pull->over = true;
	}
	return pull->done && !pull->over;
}

bool pull_would_help(const char *error) {
	struct conduit_json *json = conduit_json_parse(error, strlen(error));
	const char *words = conduit_json_string(json, "error");
	bool missing = words != NULL && strncmp(words, "model ", 6) == 0 &&
		       strstr(words, "not found") != NULL;
	conduit_json_free(json);
	return missing;
}
