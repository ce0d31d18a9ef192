/* What must come of a recorded exchange, compared with what came. */
#include "core/base/text.h"
#include "core/provider/replay/exchange_line.h"
#include "core/provider/replay/recorded.h"
#include "core/wire/failure_kind.h"

#include <math.h>
#include <string.h>

/* A value in a fault's words is cut here. */
#define QUOTED_MOST 300

struct check {
	const struct exchange *exchange;
	const struct exchange_line *line;
	const struct replay *replay;
	size_t requests; /* that were looked at: the last one is meant by header and body */
	size_t artifacts; /* the same */
	struct buf *faults;
};

/* On one line: as it stands, or as a JSON string. */
static void add_quoted(struct buf *out, const char *text, size_t size) {
	size_t shown = size > QUOTED_MOST ? QUOTED_MOST : size;
	while (shown < size && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80) {
		shown--;
	}
	cleanup_buf struct buf line = {0};
	exchange_line_write(&line, "", text, shown);
	/* Without the blank after the empty word and the newline. */
	if (line.size > 2) {
		buf_add(out, line.data + 1, line.size - 2);
	}
	buf_add_string(out, shown < size ? "…" : "");
}

static void wrong(const struct check *check, const char *was, size_t size) {
	const struct exchange_line *line = check->line;
	buf_add_format(check->faults, "%s:%d: %s ", check->exchange->path, line->number, line->key);
	add_quoted(check->faults, line->value, strlen(line->value));
	buf_add_string(check->faults, ": ");
	add_quoted(check->faults, was, size);
	buf_add_byte(check->faults, '\n');
}

static void wrong_words(const struct check *check, const char *words) {
	wrong(check, words, strlen(words));
}

static void is_bytes(const struct check *check, const char *was, size_t size, const char *expected,
		size_t expected_size) {
	if (size == expected_size && (size == 0 || memcmp(was, expected, size) == 0)) {
		return;
	}
	if (size == 0) {
		wrong_words(check, "there is none");
	} else {
		wrong(check, was, size);
	}
}

static void is_text(const struct check *check, const char *was) {
	const char *expected = check->line->value;
	is_bytes(check, was, was != NULL ? strlen(was) : 0, expected, strlen(expected));
}

static void holds(const struct check *check, const char *was) {
	if (was == NULL || strstr(was, check->line->value) == NULL) {
		wrong_words(check, was != NULL ? was : "there is none");
	}
}

static bool same_number(double was, double expected) {
	return fabs(was - expected) <= 1e-9 * fabs(expected);
}

static void is_number(const struct check *check, double was) {
	char text[64];
	double expected;
	snprintf(text, sizeof(text), "it is %.10g", was);
	if (!parse_double(check->line->value, &expected) || !same_number(was, expected)) {
		wrong_words(check, text);
	}
}

static void check_request(struct check *check) {
	if (check->requests == check->replay->n_requests) {
		wrong_words(check, "no such request was made");
		return;
	}
	const struct replay_request *request = &check->replay->requests[check->requests++];
	cleanup_buf struct buf line = {0};
	buf_add_format(&line, "%s %s", request->method, request->url);
	is_text(check, buf_string(&line));
}

static const struct replay_model *find_model(const struct check *check, const char *id) {
	for (size_t i = 0; i < check->replay->n_models; i++) {
		if (strcmp(check->replay->models[i].id, id) == 0) {
			return &check->replay->models[i];
		}
	}
	wrong_words(check, "it isn't among the models");
	return NULL;
}

static void check_model(struct check *check) {
	find_model(check, check->line->value);
}

static void check_price(struct check *check) {
	char id[512];
	char name[64];
	char usd[64];
	double expected;
	if (sscanf(check->line->value, "%511s %63s %63s", id, name, usd) != 3 ||
			!parse_double(usd, &expected)) {
		wrong_words(check, "takes a model, a price's name and USD");
		return;
	}
	const struct replay_model *model = find_model(check, id);
	double was = model != NULL ? replay_price(model, name) : expected;
	if (!same_number(was, expected)) {
		char text[64];
		snprintf(text, sizeof(text), "it is %.10g", was);
		wrong_words(check, text);
	}
}

/* "acme/voice speed 0.25..4 =1" */
static void check_limit(struct check *check) {
	char id[512];
	char name[64];
	int before = 0;
	if (sscanf(check->line->value, "%511s %63s %n", id, name, &before) != 2) {
		wrong_words(check, "takes a model, a setting and its limit: 0..2, or a,b,c");
		return;
	}
	const struct replay_model *model = find_model(check, id);
	if (model == NULL) {
		return;
	}
	cleanup_buf struct buf was = {0};
	const char *expected = check->line->value + before;
	replay_limit_text(limits_find(&model->limits, name), &was);
	is_bytes(check, buf_string(&was), was.size, expected, strlen(expected));
}

static void check_output(struct check *check) {
	const struct buf *was = &check->replay->output;
	const char *expected = check->line->value;
	is_bytes(check, was->data, was->size, expected, strlen(expected));
}

static void check_output_file(struct check *check) {
	const struct buf *was = &check->replay->output;
	is_bytes(check, was->data, was->size, check->line->file.data, check->line->file.size);
}

static const char *said_type(const struct replay *replay, size_t i) {
	return i < replay->n_results ? replay->results[i].type : NULL;
}

static void check_type(struct check *check) {
	is_text(check, said_type(check->replay, 0));
}

static void check_artifact(struct check *check) {
	const struct replay *replay = check->replay;
	size_t i = ++check->artifacts;
	if (i >= replay->n_results) {
		wrong_words(check, "there is no such result");
		return;
	}
	const struct replay_result *result = &replay->results[i];
	const char *type = result->type != NULL ? result->type : "-";
	size_t length = strcspn(check->line->value, " ");
	if (strlen(type) != length || memcmp(check->line->value, type, length) != 0) {
		wrong_words(check, type);
		return;
	}
	is_bytes(check, result->bytes.data, result->bytes.size, check->line->file.data,
			check->line->file.size);
}

static void check_fail(struct check *check) {
	const struct replay *replay = check->replay;
	is_text(check, replay->failed ? failure_kind_name(replay->kind) : NULL);
}

static void check_words(struct check *check) {
	holds(check, check->replay->words);
}

static const struct replay_request *last_request(const struct check *check) {
	return check->requests != 0 ? &check->replay->requests[check->requests - 1] : NULL;
}

static void check_header(struct check *check) {
	const struct replay_request *request = last_request(check);
	holds(check, request != NULL ? request->headers : NULL);
}

static void check_body(struct check *check) {
	const struct replay_request *request = last_request(check);
	holds(check, request != NULL ? request->body : NULL);
}

static void check_reasoning(struct check *check) {
	is_text(check, buf_string(&check->replay->reasoning));
}

static void check_finish(struct check *check) {
	is_text(check, check->replay->finish);
}

static void check_answered_by(struct check *check) {
	is_text(check, check->replay->model);
}

/* One of the lines. */
static void is_among(const struct check *check, const struct buf *lines) {
	size_t size = strlen(check->line->value);
	const char *at = buf_string(lines);
	while (at[0] != '\0') {
		size_t length = strcspn(at, "\n");
		if (length == size && memcmp(at, check->line->value, size) == 0) {
			return;
		}
		at += length + 1;
	}
	wrong_words(check, lines->size != 0 ? buf_string(lines) : "there is none");
}

static void check_progress(struct check *check) {
	is_among(check, &check->replay->progress);
}

static void check_on_cancel(struct check *check) {
	is_among(check, &check->replay->on_cancel);
}

static void check_resumable(struct check *check) {
	is_among(check, &check->replay->resumable);
}

static void check_prompt_tokens(struct check *check) {
	is_number(check, (double)check->replay->usage.prompt_tokens);
}

static void check_completion_tokens(struct check *check) {
	is_number(check, (double)check->replay->usage.completion_tokens);
}

static void check_reasoning_tokens(struct check *check) {
	is_number(check, (double)check->replay->usage.reasoning_tokens);
}

static void check_cached_tokens(struct check *check) {
	is_number(check, (double)check->replay->usage.cached_tokens);
}

static void check_cost(struct check *check) {
	is_number(check, check->replay->usage.cost);
}

static void check_models(struct check *check) {
	is_number(check, (double)check->replay->n_models);
}

/* Said before the replay; nothing to compare. */
static void asked(struct check *check) {
	(void)check;
}

static const struct expectation {
	const char *key;
	void (*check)(struct check *check);
} expectations[] = {
		{"base_url", asked},
		{"turn", asked},
		{"discover", asked},
		{"look_up", asked},
		{"system", asked},
		{"user", asked},
		{"assistant", asked},
		{"prompt", asked},
		{"prompt_file", asked},
		{"attach", asked},
		{"set", asked},
		{"reply", asked},
		{"request", check_request},
		{"header", check_header},
		{"body", check_body},
		{"output", check_output},
		{"output_file", check_output_file},
		{"type", check_type},
		{"artifact", check_artifact},
		{"reasoning", check_reasoning},
		{"finish", check_finish},
		{"answered_by", check_answered_by},
		{"prompt_tokens", check_prompt_tokens},
		{"completion_tokens", check_completion_tokens},
		{"reasoning_tokens", check_reasoning_tokens},
		{"cached_tokens", check_cached_tokens},
		{"cost", check_cost},
		{"progress", check_progress},
		{"on_cancel", check_on_cancel},
		{"resumable", check_resumable},
		{"fail", check_fail},
		{"words", check_words},
		{"models", check_models},
		{"model", check_model},
		{"price", check_price},
		{"limit", check_limit},
};

#define N_EXPECTATIONS (sizeof(expectations) / sizeof(expectations[0]))

static void unknown_line(const struct check *check) {
	const char *names[N_EXPECTATIONS];
	for (size_t i = 0; i < N_EXPECTATIONS; i++) {
		names[i] = expectations[i].key;
	}
	const char *nearest = nearest_name(check->line->key, names, N_EXPECTATIONS);
	cleanup_buf struct buf words = {0};
	buf_add_string(&words, "there is no such line");
	if (nearest != NULL) {
		buf_add_format(&words, "; did you mean %s?", nearest);
	}
	wrong_words(check, buf_string(&words));
}

static void check_line(struct check *check) {
	for (size_t i = 0; i < N_EXPECTATIONS; i++) {
		if (strcmp(check->line->key, expectations[i].key) == 0) {
			expectations[i].check(check);
			return;
		}
	}
	unknown_line(check);
}

void exchange_expect(
		const struct exchange *exchange, const struct replay *replay, struct buf *faults) {
	if (replay->broken != NULL) {
		/* All else follows from it. */
		buf_add_format(faults, "%s: %s\n", exchange->path, replay->broken);
		return;
	}
	struct check check = {.exchange = exchange, .replay = replay, .faults = faults};
	bool fails = false;
	for (size_t i = 0; i < exchange->lines.n; i++) {
		check.line = &exchange->lines.lines[i];
		fails = fails || strcmp(check.line->key, "fail") == 0;
		check_line(&check);
	}
	if (replay->failed && !fails) {
		buf_add_format(faults, "%s: it failed: ", exchange->path);
		const char *words = replay->words != NULL ? replay->words : "";
		add_quoted(faults, words, strlen(words));
		buf_add_format(faults, " (%s)\n", failure_kind_name(replay->kind));
	}
}
