/* What a user of the tree would see of a replay: as a terminal shows it. */
#include "core/base/text.h"
#include "core/provider/replay/recorded.h"
#include "core/wire/failure_kind.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Of each file so many lines are shown, and so many names of a listing. */
#define SHORT_LINES 12
/* A line is cut here, in bytes. */
#define LINE_MOST 500

struct view {
	struct buf *out;
	size_t most; /* lines of a file */
};

/* A text's lines, the last with a newline too. */
static void show_text(struct view *view, const char *text, size_t size) {
	size_t n = 0;
	for (size_t at = 0; at < size; n++) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t length = newline != NULL ? (size_t)(newline - text) - at : size - at;
		if (n == view->most) {
			buf_add_format(view->out, "… (%zu bytes in all)\n", size);
			return;
		}
		buf_add(view->out, text + at, length < LINE_MOST ? length : LINE_MOST);
		buf_add_string(view->out, length < LINE_MOST ? "\n" : "…\n");
		at += length + 1;
	}
}

/* ---- a listing ---- */

static void show_fact(struct view *view, const char *name, const char *value) {
	if (value != NULL && value[0] != '\0') {
		buf_add_format(view->out, "%s:%.*s\n", name, LINE_MOST, value);
	}
}

static void show_number(struct view *view, const char *name, int64_t value) {
	if (value != 0) {
		buf_add_format(view->out, "%s:%" PRId64 "\n", name, value);
	}
}

/* As the tree has them: USD a million tokens. */
static void show_price(struct view *view, const struct replay_model *model, const char *price,
		const char *name) {
	double usd = replay_price(model, price);
	if (usd < 0) {
		buf_add_format(view->out, "%s:variable\n", name);
	} else if (!isnan(usd)) {
		buf_add_format(view->out, "%s:%.10g\n", name, usd * 1e6);
	}
}

static void show_model(struct view *view, const struct replay_model *model) {
	buf_add_format(view->out, "$ cd models/%s/info; grep . *\n", model->id);
	show_number(view, "context_length", model->context_length);
	show_number(view, "created", model->created);
	show_fact(view, "description", model->description);
	show_fact(view, "free", replay_is_free(model) ? "yes" : "no");
	show_fact(view, "id", model->id);
	show_fact(view, "input_modalities", model->input_modalities);
	show_number(view, "max_output", model->max_output);
	show_fact(view, "name", model->name);
	show_fact(view, "output_modalities", model->output_modalities);
	show_fact(view, "parameters", model->parameters);
	show_price(view, model, "completion", "price_completion");
	show_price(view, model, "prompt", "price_prompt");
	for (size_t i = 0; i < model->limits.n; i++) {
		cleanup_buf struct buf text = {0};
		replay_limit_text(&model->limits.list[i], &text);
		buf_add_format(view->out, "config/%s:%.*s\n", model->limits.list[i].name, LINE_MOST,
				buf_string(&text));
	}
}

static void show_models(struct view *view, const struct replay *replay) {
	cleanup_buf struct buf ids = {0};
	for (size_t i = 0; i < replay->n_models; i++) {
		buf_add_format(&ids, "%s\n", replay->models[i].id);
	}
	buf_add_format(view->out, "$ ls models           # %zu of them\n", replay->n_models);
	show_text(view, buf_string(&ids), ids.size);
	if (replay->n_models != 0) {
		show_model(view, &replay->models[0]);
	}
}

/* ---- a turn ---- */

static void show_prompt(struct view *view, const struct exchange *exchange, const char *model) {
	size_t n = exchange->turn.n_messages;
	const struct replay_file *prompt = &exchange->files[n - 1];
	for (size_t i = n; i < exchange->script.n_files; i++) {
		buf_add_format(view->out, "$ cp %s models/%s/attach/\n", exchange->parts[i].name,
				model);
	}
	/* A prompt's bytes are followed by a NUL. */
	bool one_line = prompt->size < LINE_MOST && strpbrk(prompt->bytes, "\n\"\\$`!") == NULL;
	if (one_line) {
		buf_add_format(view->out, "$ echo \"%s\"", prompt->bytes);
	} else {
		buf_add_format(view->out, "$ cat question            # %zu bytes\n", prompt->size);
		show_text(view, prompt->bytes, prompt->size);
		buf_add_string(view->out, "$ cat question");
	}
	bool continues = n > 1 && exchange->messages[n - 2].role != CONDUIT_SYSTEM;
	buf_add_format(view->out, " %s models/%s/input\n", continues ? ">>" : ">", model);
}

static void show_count(struct view *view, const char *name, int64_t count) {
	if (count >= 0) {
		buf_add_format(view->out, "%s %" PRId64 "\n", name, count);
	} else {
		buf_add_format(view->out, "%s unknown\n", name);
	}
}

static void show_usage(struct view *view, const struct replay *replay, const char *model) {
	const struct conduit_usage *usage = &replay->usage;
	buf_add_format(view->out, "$ head -5 models/%s/usage\n", model);
	show_count(view, "prompt_tokens", usage->prompt_tokens);
	show_count(view, "completion_tokens", usage->completion_tokens);
	show_count(view, "reasoning_tokens", usage->reasoning_tokens);
	show_count(view, "cached_tokens", usage->cached_tokens);
	if (isnan(usage->cost)) {
		buf_add_string(view->out, "cost unknown\n");
	} else {
		buf_add_format(view->out, "cost %.12g\n", usage->cost);
	}
}

static void show_failure(struct view *view, const struct replay *replay, const char *model) {
	int code = failure_kind_errno(replay->kind);
	const char *words = replay->words != NULL ? replay->words : "";
	if (model != NULL) {
		buf_add_format(view->out, "cat: models/%s/output: %s\n", model, strerror(code));
		buf_add_format(view->out, "$ cat models/%s/error\n", model);
	} else {
		buf_add_string(view->out, "$ cat error\n");
	}
	buf_add_format(view->out, "%s: %.*s\n", errno_name(code), 4 * LINE_MOST, words);
}

/* Text as it is; of what isn't, what it is. */
static void show_results(struct view *view, const struct replay *replay, const char *model) {
	const char *type = replay->n_results != 0 ? replay->results[0].type : NULL;
	if (type == NULL || starts_with(type, "text/")) {
		buf_add_format(view->out, "$ cat models/%s/output\n", model);
		show_text(view, buf_string(&replay->output), replay->output.size);
	} else {
		buf_add_format(view->out, "$ grep type models/%s/status\ntype %s\n", model, type);
	}
	for (size_t i = 1; i < replay->n_results; i++) {
		const struct replay_result *result = &replay->results[i];
		buf_add_format(view->out, "# turns/last/artifacts: %zu, %s, %zu bytes\n", i,
				result->type != NULL ? result->type : "of whatever type",
				result->bytes.size);
	}
}

static void show_turn(
		struct view *view, const struct exchange *exchange, const struct replay *replay) {
	const char *model = exchange->turn.model;
	show_prompt(view, exchange, model);
	if (replay->reasoning.size != 0) {
		buf_add_format(view->out, "$ cat models/%s/turns/last/reasoning\n", model);
		show_text(view, buf_string(&replay->reasoning), replay->reasoning.size);
	}
	show_results(view, replay, model);
	if (replay->failed) {
		show_failure(view, replay, model);
		return;
	}
	buf_add_format(view->out, "$ grep finish models/%s/status\nfinish %s\n", model,
			replay->finish != NULL ? replay->finish : "-");
	show_usage(view, replay, model);
}

void exchange_show(const struct exchange *exchange, const struct replay *replay, bool whole,
		struct buf *out) {
	struct view view = {.out = out, .most = whole ? SIZE_MAX : SHORT_LINES};
	if (exchange->look_up != NULL) {
		buf_add_format(out, "$ mkdir models/%s\n", exchange->look_up);
	}
	if (!exchange->is_discovery) {
		show_turn(&view, exchange, replay);
	} else {
		show_models(&view, replay);
		if (replay->failed) {
			show_failure(&view, replay, NULL);
		}
	}
	if (whole && replay->log.size != 0) {
		buf_add_string(out, "$ cat log\n");
		show_text(&view, buf_string(&replay->log), replay->log.size);
	}
}
