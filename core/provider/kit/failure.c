/* What a service's error means: see conduit/kit/failure.h. Reading the error is here, sorting it
 * in kind.c. */
#include <conduit/kit/failure.h>

#include "core/provider/kit/kind.h"
#include "core/provider/kit/words.h"

#include <stdarg.h>
#include <string.h>

/* Of each message that is quoted; conduit_fail cuts the whole at 4 KiB. */
#define QUOTED_LIMIT 1500
/* Of the name of what it is about. */
#define MEMBER_LIMIT 200

static const char *first_string(const struct conduit_json *json, const char *const *paths) {
	for (; *paths != NULL; paths++) {
		const char *string = conduit_json_string(json, *paths);
		if (string != NULL && string[0] != '\0') {
			return string;
		}
	}
	return NULL;
}

static const char *message_of(const struct conduit_json *body) {
	static const char *const paths[] = {"error.message", "error.detail", "error.error", "error",
			"error.0", "message", "message.detail", "message.detail.0.msg", "detail",
			"detail.message", "detail.error", "detail.0.msg", "errors.0.message",
			"title", "error_description", NULL};
	return first_string(body, paths);
}

/* Where the message is the first of a list of what is wrong with the request: what that is about.
 */
static const struct conduit_json *loc_of(const struct conduit_json *body) {
	const struct conduit_json *loc = conduit_json_get(body, "detail.0.loc");
	return loc != NULL ? loc : conduit_json_get(body, "message.detail.0.loc");
}

/* An HTTP status that the body states, for errors that came with status 200. */
static int status_in(const struct conduit_json *body) {
	static const char *const paths[] = {"error.code", "error.status_code", "error.http_status",
			"error.status", "code", "status_code", "status", NULL};
	for (const char *const *path = paths; *path != NULL; path++) {
		const char *string = conduit_json_string(body, *path);
		int64_t code = string != NULL ? strtol(string, NULL, 10) : 0;
		if (string == NULL) {
			conduit_json_int64(body, *path, &code);
		}
		if (code >= 400 && code <= 599) {
			return (int)code;
		}
	}
	return 0;
}

static void add_names(struct error_facts *facts, const struct conduit_json *body) {
	static const char *const paths[] = {"error.type", "error.code", "error.error_type",
			"error.metadata.error_type", "error.metadata.provider_code",
			"error.metadata.limit_source", "error.innererror.code", "error_type",
			"detail.0.type", "type", "code"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *name = conduit_json_string(body, paths[i]);
		if (name != NULL && facts->n_names < ERROR_NAMES) {
			facts->names[facts->n_names++] = name;
		}
	}
}

/* What the upstream said: `raw` is its error as JSON in a string, or plain text. */
static struct conduit_json *read_raw(struct error_facts *facts, const struct conduit_json *body) {
	const char *raw = conduit_json_string(body, "error.metadata.raw");
	if (raw == NULL || raw[0] == '\0') {
		return NULL;
	}
	struct conduit_json *inner = conduit_json_parse(raw, strlen(raw));
	facts->raw_message = message_of(inner);
	if (facts->raw_message == NULL) {
		facts->raw_message = raw;
	}
	add_names(facts, inner);
	return inner;
}

/* FastAPI's `loc` says which member of what was sent is wrong: "language: ", "loras.0.path: ". */
static void put_member(struct buf *words, const struct conduit_json *loc) {
	static const char *const parts[] = {"body", "query", "path", "header"};
	size_t before = words->size;
	const struct conduit_json *each = conduit_json_first(loc);
	const char *first = conduit_json_string(each, NULL);
	for (size_t i = 0; first != NULL && i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(first, parts[i]) == 0) {
			each = conduit_json_next(each);
			break;
		}
	}
	for (; each != NULL && words->size - before < MEMBER_LIMIT;
			each = conduit_json_next(each)) {
		const char *name = conduit_json_string(each, NULL);
		int64_t number = 0;
		buf_add_string(words, words->size != before ? "." : "");
		if (name != NULL) {
			words_add(words, name, strlen(name), MEMBER_LIMIT);
		} else if (conduit_json_int64(each, NULL, &number)) {
			buf_add_format(words, "%lld", (long long)number);
		}
	}
	buf_add_string(words, words->size != before ? ": " : "");
}

static void put_words(
		struct buf *words, const struct error_facts *facts, int status, const char *hint) {
	bool generic = facts->raw_message != NULL &&
		       (facts->message == NULL ||
				       strcmp(facts->message, "Provider returned error") == 0);
	put_member(words, facts->loc);
	if (facts->message != NULL && !generic) {
		words_add(words, facts->message, strlen(facts->message), QUOTED_LIMIT);
	}
	if (facts->raw_message != NULL &&
			(facts->message == NULL ||
					strstr(facts->message, facts->raw_message) == NULL)) {
		if (facts->provider != NULL) {
			buf_add_string(words, words->size != 0 ? "; " : "");
			words_add(words, facts->provider, strlen(facts->provider), 100);
			buf_add_string(words, " says: ");
		} else if (words->size != 0) {
			buf_add_string(words, ": ");
		}
		words_add(words, facts->raw_message, strlen(facts->raw_message), QUOTED_LIMIT);
	}
	if (words->size == 0) {
		buf_add_string(words, "the service gave an error without words");
	}
	if (hint != NULL) {
		buf_add_string(words, " (");
		words_add(words, hint, strlen(hint), 200);
		buf_add_string(words, ")");
	}
	if (status >= 300) {
		buf_add_format(words, " (HTTP %d)", status);
	} else if (facts->status != 0) {
		buf_add_format(words, " (code %d, after the reply had begun)", facts->status);
	}
	words_mask_keys(words);
}

static void fail(struct conduit_job *job, int status, const struct error_facts *facts,
		const char *hint) {
	cleanup_buf struct buf words = {0};
	put_words(&words, facts, status, hint);
	struct conduit_failure failure = {
			.status = status >= 300 ? status : 0,
			.words = buf_string(&words),
	};
	error_kind(facts, &failure);
	conduit_fail(job, &failure);
}

void conduit_json_failure(struct conduit_job *job, int status, const struct conduit_json *body) {
	struct error_facts facts = {
			.status = status >= 300 ? status : status_in(body),
			.message = message_of(body),
			.provider = conduit_json_string(body, "error.metadata.provider_name"),
			.loc = loc_of(body),
	};
	add_names(&facts, body);
	struct conduit_json *raw = read_raw(&facts, body);
	facts.relayed = facts.provider != NULL &&
			(facts.raw_message != NULL || facts.message == NULL ||
					strcmp(facts.message, "Provider returned error") == 0);
	facts.flagged = conduit_json_get(body, "error.metadata.reasons") != NULL ||
			conduit_json_get(body, "error.metadata.flagged_input") != NULL ||
			conduit_json_get(body, "error.metadata.patterns") != NULL;
	fail(job, status, &facts, conduit_json_string(body, "error.metadata.remedy_hint"));
	conduit_json_free(raw);
}

static bool is_page(const char *content_type, const char *body, size_t size) {
	size_t blanks = 0;
	while (blanks < size && strchr(" \t\r\n", body[blanks]) != NULL) {
		blanks++;
	}
	return strstr(content_type, "html") != NULL || (blanks < size && body[blanks] == '<');
}

void conduit_http_failure(struct conduit_job *job, int status, const char *content_type,
		const char *body, size_t size) {
	struct conduit_json *json = conduit_json_parse(body, size);
	/* Google's compatible endpoint puts the object into an array of one. */
	bool in_array = conduit_json_type(json, NULL) == CONDUIT_JSON_ARRAY;
	const struct conduit_json *object = in_array ? conduit_json_first(json) : json;
	if (conduit_json_type(object, NULL) == CONDUIT_JSON_OBJECT) {
		conduit_json_failure(job, status, object);
		conduit_json_free(json);
		return;
	}
	const char *string = conduit_json_string(json, NULL);
	cleanup_buf struct buf text = {0};
	if (string != NULL) {
		words_add(&text, string, strlen(string), QUOTED_LIMIT);
	} else if (is_page(content_type, body, size)) {
		words_add_page(&text, body, size, 300);
	} else {
		words_add(&text, body, size, 300);
	}
	struct error_facts facts = {
			.status = status,
			.message = text.size != 0 ? text.data : NULL,
	};
	fail(job, status, &facts, NULL);
	conduit_json_free(json);
}

void conduit_malformed(struct conduit_job *job, const char *format, ...) {
	cleanup_buf struct buf words = {0};
	va_list args;
	va_start(args, format);
	buf_add_vformat(&words, format, args);
	va_end(args);
	words_mask_keys(&words);
	conduit_fail(job, &(struct conduit_failure){
					  .kind = CONDUIT_FAIL_MALFORMED,
					  .words = buf_string(&words),
			  });
}

void conduit_fail_with_list(
		struct conduit_job *job, enum conduit_kind kind, const char *format, va_list args) {
	cleanup_buf struct buf words = {0};
	buf_add_vformat(&words, format, args);
	conduit_fail(job, &(struct conduit_failure){.kind = kind, .words = buf_string(&words)});
}

void conduit_fail_with(struct conduit_job *job, enum conduit_kind kind, const char *format, ...) {
	va_list args;
	va_start(args, format);
	conduit_fail_with_list(job, kind, format, args);
	va_end(args);
}

void conduit_fail_memory(struct conduit_job *job) {
	conduit_fail(job, &(struct conduit_failure){
					  .kind = CONDUIT_FAIL_OTHER, .words = "memory is short"});
}

bool conduit_media_came(struct conduit_job *job, const char *content_type, const char *what) {
	bool page = strstr(content_type, "html") != NULL;
	if (!page && strstr(content_type, "json") == NULL) {
		return true;
	}
	conduit_malformed(job, "%s came where %s was asked for (%.100s): it stands in the output",
			page ? "a page of HTML" : "JSON", what, content_type);
	return false;
}
