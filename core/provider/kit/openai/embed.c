/* Embeddings: see embed.h. */
#include "core/provider/kit/openai/embed.h"

#include "core/base/text.h"
#include "core/provider/kit/openai/request.h"
#include "core/provider/kit/openai/usage.h"

#include <conduit/kit/failure.h>
#include <string.h>

/* The most of a prompt that is taken by line. */
#define PROMPT_MOST ((size_t)8 << 20)
/* What one request asks for, so that it stays below what any service takes: Mistral counts 16384
 * tokens, others 2048 lines, and the vectors of one reply are held until it ends. */
#define LINES_MOST 64
#define BYTES_MOST ((size_t)32 << 10)

static const char *service(const struct embed *embed) {
	return embed->dialect->service != NULL ? embed->dialect->service : "the service";
}

static void stop(struct embed *embed, enum conduit_kind kind, const char *words) {
	conduit_fail(embed->job, &(struct conduit_failure){.kind = kind, .words = words});
	embed->over = true;
}

/* ---- requests ---- */

static void drop_rows(struct embed *embed) {
	for (size_t i = 0; embed->rows != NULL && i < embed->asked; i++) {
		buf_finish(&embed->rows[i]);
	}
	free(take(embed->rows));
}

static void take_item(void *data, const char *json, size_t size);
static void take_member(void *data, const char *name, const char *json, size_t size);

/* Makes room for the reply to a request for so many vectors. */
static bool expect(struct embed *embed, size_t vectors) {
	drop_rows(embed);
	conduit_json_items_destroy(embed->items);
	embed->items = conduit_json_items_create(
			&(struct conduit_json_items_calls){.names = embed->names,
					.item = take_item,
					.member = take_member,
					.data = embed});
	embed->rows = calloc(vectors, sizeof(*embed->rows));
	embed->asked = vectors;
	embed->came = 0;
	embed->reply_usage = CONDUIT_USAGE_UNKNOWN;
	if (embed->items == NULL || embed->rows == NULL) {
		stop(embed, CONDUIT_FAIL_OTHER, "memory is short");
		return false;
	}
	return true;
}

/* What may stand in a path as it is, and what separates its parts. */
static void add_path(struct buf *out, const char *text) {
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-._~/";
	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL) {
			buf_add_byte(out, *text);
		} else {
			buf_add_format(out, "%%%02X", (unsigned char)*text);
		}
	}
}

static void put_url(const struct embed *embed, const char *model, struct buf *out) {
	const char *base = conduit_base_url(embed->job);
	const char *host = strstr(base, "://");
	size_t origin = host != NULL ? (size_t)(host - base) + 3 + strcspn(host + 3, "/?#") : 0;
	if (embed->dialect->embeddings == NULL) {
		buf_add_format(out, "%s/embeddings", base);
		return;
	}
	buf_add_format(out, "%.*s%s", (int)origin, base, embed->dialect->embeddings->before);
	if (embed->dialect->embeddings->after != NULL) {
		add_path(out, model);
		buf_add_string(out, embed->dialect->embeddings->after);
	}
}

static void send(struct embed *embed, struct conduit_object *object, const char *model) {
	cleanup_buf struct buf url = {0};
	put_url(embed, model, &url);
	openai_post(object, embed->job, embed->dialect, buf_string(&url));
	conduit_object_destroy(object);
}

static bool is_in_url(const struct embed *embed) {
	return embed->dialect->embeddings != NULL && embed->dialect->embeddings->after != NULL;
}

/* A model that stands in the URL isn't among the members. */
static struct conduit_object *begin_request(
		const struct embed *embed, const struct conduit_turn *turn) {
	struct conduit_object *object = conduit_object_create(turn);
	if (!is_in_url(embed) && conduit_object_member(object, "model")) {
		conduit_body_string(conduit_object_body(object), turn->model, strlen(turn->model));
	}
	return object;
}

static void request_whole(struct embed *embed, const struct conduit_turn *turn,
		const struct conduit_part *part) {
	if (!expect(embed, 1)) {
		return;
	}
	struct conduit_object *object = begin_request(embed, turn);
	struct conduit_body *body = conduit_object_body(object);
	if (conduit_object_member(object, embed->input)) {
		/* Where the reply is a bare array, one text would give one of another shape. */
		conduit_body_text(body, embed->names[0] != NULL ? "\"" : "[\"");
		conduit_body_file(body, CONDUIT_FILE_JSON, part->file);
		conduit_body_text(body, embed->names[0] != NULL ? "\"" : "\"]");
	}
	send(embed, object, turn->model);
}

/* How many of the lines that are left go into one request. */
static size_t batch(const struct embed *embed) {
	const struct prompt_lines *prompt = &embed->prompt;
	size_t n = 1;
	size_t bytes = prompt->lines[embed->done].size;
	while (embed->done + n < prompt->n && n < LINES_MOST) {
		bytes += prompt->lines[embed->done + n].size;
		if (bytes > BYTES_MOST) {
			break;
		}
		n++;
	}
	return n;
}

static void request_lines(struct embed *embed) {
	struct prompt_lines *prompt = &embed->prompt;
	if (!expect(embed, batch(embed))) {
		return;
	}
	struct conduit_object *object = begin_request(embed, &prompt->turn);
	struct conduit_body *body = conduit_object_body(object);
	if (conduit_object_member(object, embed->input)) {
		for (size_t i = 0; i < embed->asked; i++) {
			conduit_body_text(body, i == 0 ? "[" : ",");
			conduit_body_string(body, prompt_line_text(prompt, embed->done + i),
					prompt->lines[embed->done + i].size);
		}
		conduit_body_text(body, "]");
	}
	send(embed, object, prompt->turn.model);
}

/* The form, as the dialect states it or as OpenAI's is. */
static void take_form(struct embed *embed) {
	const struct conduit_openai_embeddings *form = embed->dialect->embeddings;
	embed->input = form != NULL ? form->input : "input";
	embed->names[0] = form != NULL ? form->list : "data";
	embed->vectors.member = form != NULL ? form->vector : "embedding";
}

void embed_begin(struct embed *embed, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	const char *by_line = conduit_setting(turn, "lines");
	embed->job = job;
	embed->dialect = dialect;
	take_form(embed);
	embed->by_line = by_line != NULL && strcmp(by_line, "yes") == 0;
	if (!vectors_begin(&embed->vectors, job, turn)) {
		embed->over = true;
	} else if (embed->by_line) {
		embed->over = !prompt_lines_begin(
				&embed->prompt, job, turn, "embeddings", PROMPT_MOST);
	} else {
		const struct conduit_part *part = prompt_part(job, turn, "embeddings");
		embed->over = part == NULL;
		if (part != NULL) {
			request_whole(embed, turn, part);
		}
	}
}

bool embed_reads(const struct embed *embed) {
	return embed->by_line && embed->rows == NULL;
}

void embed_prompt_feed(struct embed *embed, const char *bytes, size_t size) {
	prompt_lines_feed(&embed->prompt, bytes, size);
}

/* An empty line has no vector, and to leave it out would put every other in another's place. */
static bool check_lines(struct embed *embed) {
	for (size_t i = 0; i < embed->prompt.n; i++) {
		if (embed->prompt.lines[i].size == 0) {
			cleanup_buf struct buf words = {0};
			buf_add_format(&words,
					"line %zu of the prompt is empty, and nothing has no "
					"vector: take "
					"it out (sed /^$/d), or set config/lines to no",
					i + 1);
			stop(embed, CONDUIT_FAIL_INVALID, buf_string(&words));
			return false;
		}
	}
	return true;
}

void embed_prompt_end(struct embed *embed) {
	if (!prompt_lines_end(&embed->prompt, embed->job)) {
		embed->over = true;
	} else if (embed->prompt.n == 0) {
		stop(embed, CONDUIT_FAIL_INVALID, "the prompt is empty: write what to embed");
	} else if (check_lines(embed)) {
		request_lines(embed);
	}
}

/* ---- replies ---- */

static void malformed(struct embed *embed, const char *what) {
	conduit_malformed(embed->job, "%s's answer %s", service(embed), what);
	embed->over = true;
}

static void take_item(void *data, const char *json, size_t size) {
	struct embed *embed = data;
	if (embed->over) {
		return;
	}
	cleanup_buf struct buf row = {0};
	int64_t index = (int64_t)embed->came;
	if (!vectors_row(&embed->vectors, json, size, &row, &index)) {
		malformed(embed, "holds an embedding that isn't an array of as many numbers as the "
				 "others have");
	} else if (row.failed) {
		stop(embed, CONDUIT_FAIL_OTHER, "memory is short");
	} else if (index < 0 || (size_t)index >= embed->asked || embed->rows[index].size != 0) {
		malformed(embed, "holds a vector that nobody asked for");
	} else {
		embed->rows[index] = row;
		row = (struct buf){0};
	}
	embed->came++;
}

static void take_member(void *data, const char *name, const char *json, size_t size) {
	struct embed *embed = data;
	if (!embed->over && openai_error_member(embed->job, name, json, size)) {
		embed->over = true;
	}
	if (embed->over) {
		return;
	}
	struct conduit_json *value = conduit_json_parse(json, size);
	const char *model = conduit_json_string(value, NULL);
	if (strcmp(name, "usage") == 0) {
		usage_read_prompt(value, &embed->reply_usage);
	} else if (strcmp(name, "prompt_eval_count") == 0) {
		/* Ollama's word, which stands alone. */
		conduit_json_int64(value, NULL, &embed->reply_usage.prompt_tokens);
		embed->reply_usage.completion_tokens = 0;
	} else if (strcmp(name, "model") == 0 && model != NULL &&
			strlen(model) < sizeof(embed->model)) {
		strcpy(embed->model, model);
	}
	conduit_json_free(value);
}

void embed_feed(struct embed *embed, const char *bytes, size_t size) {
	if (!embed->over) {
		conduit_json_items_feed(embed->items, bytes, size);
	}
}

/* A reply that isn't what was asked for. */
static bool is_whole(struct embed *embed) {
	enum conduit_json_items_state state = conduit_json_items_state(embed->items);
	if (state == CONDUIT_ITEMS_MEMORY) {
		stop(embed, CONDUIT_FAIL_OTHER, "memory is short");
	} else if (state != CONDUIT_ITEMS_WHOLE) {
		malformed(embed, state == CONDUIT_ITEMS_CUT ? "was cut short" : "isn't JSON");
	} else if (!conduit_json_items_found(embed->items)) {
		conduit_malformed(embed->job,
				"%s's answer isn't one of embeddings: it holds no \"%s\" array",
				service(embed), embed->names[0] != NULL ? embed->names[0] : "top");
		embed->over = true;
	} else if (embed->came != embed->asked) {
		conduit_malformed(embed->job, "%s's answer holds %zu of %zu vectors",
				service(embed), embed->came, embed->asked);
		embed->over = true;
	}
	return !embed->over;
}

/* Of several requests the sums; what one of them doesn't state is unknown. */
static void add_usage(struct embed *embed) {
	const struct conduit_usage *more = &embed->reply_usage;
	struct conduit_usage *sum = &embed->usage;
	if (embed->done == 0) {
		*sum = *more;
	} else {
		bool counted = sum->prompt_tokens >= 0 && more->prompt_tokens >= 0;
		sum->prompt_tokens = counted ? sum->prompt_tokens + more->prompt_tokens : -1;
		sum->completion_tokens = counted ? 0 : -1;
		sum->cost += more->cost; /* NAN stays NAN */
	}
	conduit_usage(embed->job, sum);
}

static void put_out(struct embed *embed) {
	if (embed->done == 0) {
		cleanup_buf struct buf head = {0};
		vectors_head(&embed->vectors, embed->by_line ? embed->prompt.n : 1, &head);
		conduit_output(embed->job, buf_string(&head), head.size);
	}
	for (size_t i = 0; i < embed->asked; i++) {
		conduit_output(embed->job, embed->rows[i].data, embed->rows[i].size);
	}
}

void embed_end(struct embed *embed) {
	if (embed->over || !is_whole(embed)) {
		return;
	}
	add_usage(embed);
	put_out(embed);
	embed->done += embed->asked;
	if (embed->by_line && embed->done < embed->prompt.n) {
		request_lines(embed);
		return;
	}
	conduit_finish(embed->job, "stop", embed->model[0] != '\0' ? embed->model : NULL);
	embed->over = true;
}

void embed_finish(struct embed *embed) {
	drop_rows(embed);
	conduit_json_items_destroy(embed->items);
	prompt_lines_finish(&embed->prompt);
}
