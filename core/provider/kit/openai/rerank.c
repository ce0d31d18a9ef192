/* Rerank: see rerank.h. */
#include "core/provider/kit/openai/rerank.h"

#include "core/base/text.h"
#include "core/provider/kit/openai/request.h"
#include "core/provider/kit/openai/usage.h"

#include <conduit/kit/failure.h>
#include <string.h>

/* All of it goes into one request, whose text a provider holds. */
#define PROMPT_MOST ((size_t)512 << 10)

struct result {
	int64_t document;
	double score;
	const struct conduit_json *words; /* the score as it was written */
};

static const char *service(const struct rerank *rerank) {
	return rerank->dialect->service != NULL ? rerank->dialect->service : "the service";
}

static void stop(struct rerank *rerank, enum conduit_kind kind, const char *words) {
	conduit_fail(rerank->job, &(struct conduit_failure){.kind = kind, .words = words});
	rerank->over = true;
}

static void malformed(struct rerank *rerank, const char *what) {
	conduit_malformed(rerank->job, "%s's answer %s", service(rerank), what);
	rerank->over = true;
}

/* ---- the request ---- */

void rerank_begin(struct rerank *rerank, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	rerank->job = job;
	rerank->dialect = dialect;
	rerank->over = !prompt_lines_begin(&rerank->prompt, job, turn, "rankings", PROMPT_MOST);
}

bool rerank_reads(const struct rerank *rerank) {
	return !rerank->asked;
}

void rerank_prompt_feed(struct rerank *rerank, const char *bytes, size_t size) {
	prompt_lines_feed(&rerank->prompt, bytes, size);
}

/* Services refuse an empty document: empty lines aren't sent. */
static bool find_documents(struct rerank *rerank) {
	const struct prompt_lines *prompt = &rerank->prompt;
	rerank->documents = calloc(prompt->n + 1, sizeof(*rerank->documents));
	if (rerank->documents == NULL) {
		stop(rerank, CONDUIT_FAIL_OTHER, "memory is short");
		return false;
	}
	for (size_t i = 1; i < prompt->n; i++) {
		if (prompt->lines[i].size != 0) {
			rerank->documents[rerank->n_documents++] = i;
		}
	}
	if (rerank->n_documents == 0 || prompt->lines[0].size == 0) {
		stop(rerank, CONDUIT_FAIL_INVALID,
				"a ranking needs a query and documents: write the query as the "
				"prompt's first line and a document on each line after it");
		return false;
	}
	return true;
}

static void put_line(struct conduit_body *body, const struct prompt_lines *prompt, size_t line) {
	conduit_body_string(body, prompt_line_text(prompt, line), prompt->lines[line].size);
}

void rerank_prompt_end(struct rerank *rerank) {
	const struct prompt_lines *prompt = &rerank->prompt;
	if (!prompt_lines_end(&rerank->prompt, rerank->job)) {
		rerank->over = true;
		return;
	}
	if (!find_documents(rerank)) {
		return;
	}
	struct conduit_object *object = conduit_object_create(&prompt->turn);
	struct conduit_body *body = conduit_object_body(object);
	if (conduit_object_member(object, "model")) {
		conduit_body_string(body, prompt->turn.model, strlen(prompt->turn.model));
	}
	if (conduit_object_member(object, "query")) {
		put_line(body, prompt, 0);
	}
	if (conduit_object_member(object, "documents")) {
		for (size_t i = 0; i < rerank->n_documents; i++) {
			conduit_body_text(body, i == 0 ? "[" : ",");
			put_line(body, prompt, rerank->documents[i]);
		}
		conduit_body_text(body, "]");
	}
	rerank->asked = true;
	openai_post(object, rerank->job, rerank->dialect, "/rerank");
	conduit_object_destroy(object);
}

/* ---- the reply ---- */

void rerank_feed(struct rerank *rerank, const char *bytes, size_t size) {
	if (!rerank->over && !buf_add(&rerank->body, bytes, size)) {
		malformed(rerank, "exceeds 64 MiB");
	}
}

/* The best first; equals as they were given. */
static int by_score(const void *one, const void *other) {
	const struct result *a = one;
	const struct result *b = other;
	return a->score != b->score	    ? (a->score < b->score ? 1 : -1)
	       : a->document != b->document ? (a->document < b->document ? -1 : 1)
					    : 0;
}

static bool read_result(
		const struct rerank *rerank, const struct conduit_json *json, struct result *ret) {
	ret->words = conduit_json_get(json, "relevance_score");
	if (ret->words == NULL) {
		ret->words = conduit_json_get(json, "score");
	}
	return conduit_json_int64(json, "index", &ret->document) && ret->document >= 0 &&
	       (size_t)ret->document < rerank->n_documents &&
	       conduit_json_number(ret->words, NULL, &ret->score);
}

static bool put_result(const struct rerank *rerank, const struct result *result, struct buf *out) {
	size_t line = rerank->documents[result->document];
	cleanup_free char *score = conduit_json_print(result->words);
	if (score == NULL) {
		return false;
	}
	/* The query isn't counted: the line after it is document 0. */
	buf_add_format(out, "{\"index\":%zu,\"relevance_score\":%s,\"document\":\"", line - 1,
			score);
	json_escape(out, prompt_line_text(&rerank->prompt, line), rerank->prompt.lines[line].size);
	return buf_add_string(out, "\"}\n");
}

/* Takes the results of the array; false when one of them is none. */
static bool put_results(struct rerank *rerank, const struct conduit_json *array, struct buf *out) {
	size_t n = 0;
	size_t most = rerank->n_documents;
	cleanup_free struct result *results = calloc(most, sizeof(*results));
	const struct conduit_json *json = conduit_json_first(array);
	for (; results != NULL && json != NULL; json = conduit_json_next(json)) {
		if (n == most || !read_result(rerank, json, &results[n])) {
			return false;
		}
		n++;
	}
	if (results == NULL || n == 0) {
		return false;
	}
	qsort(results, n, sizeof(*results), by_score);
	for (size_t i = 0; i < n; i++) {
		if (!put_result(rerank, &results[i], out)) {
			return false;
		}
	}
	return true;
}

static void take_answer(struct rerank *rerank, const struct conduit_json *answer) {
	cleanup_buf struct buf out = {0};
	struct conduit_usage usage;
	const struct conduit_json *results = conduit_json_get(answer, "results");
	if (results == NULL) {
		results = conduit_json_get(answer, "data");
	}
	if (conduit_json_type(answer, "error") > CONDUIT_JSON_NULL) {
		conduit_json_failure(rerank->job, 200, answer);
	} else if (conduit_json_type(results, NULL) != CONDUIT_JSON_ARRAY) {
		malformed(rerank, "isn't a ranking: it holds no \"results\" array");
	} else if (!put_results(rerank, results, &out)) {
		malformed(rerank, "holds a result without a score, or for a document that nobody "
				  "sent");
	} else {
		if (usage_read_prompt(conduit_json_get(answer, "usage"), &usage)) {
			conduit_usage(rerank->job, &usage);
		}
		conduit_output(rerank->job, out.data, out.size);
		conduit_finish(rerank->job, "stop", conduit_json_string(answer, "model"));
	}
}

void rerank_end(struct rerank *rerank) {
	if (rerank->over) {
		return;
	}
	struct conduit_json *answer = conduit_json_parse(
			buf_string(&rerank->body), rerank->body.size);
	if (answer == NULL) {
		malformed(rerank, "isn't whole JSON: it was cut short or damaged");
	} else {
		take_answer(rerank, answer);
	}
	rerank->over = true;
	conduit_json_free(answer);
}

void rerank_finish(struct rerank *rerank) {
	free(rerank->documents);
	prompt_lines_finish(&rerank->prompt);
	buf_finish(&rerank->body);
}
