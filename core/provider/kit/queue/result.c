/* The result of a job in a service's queue: text, and files by their URLs. See conduit/kit/queue.h.
 */
#include "core/provider/kit/queue/state.h"

#include "core/base/text.h"

#include <conduit/kit/failure.h>
#include <string.h>

/* A result nested deeper than this has no files in its depth. */
#define DEPTH_MOST 16

/* ---- files ---- */

/* A scheme may be written in capitals. */
static bool has_scheme(const char *text, const char *scheme) {
	return strncasecmp(text, scheme, strlen(scheme)) == 0;
}

static bool is_url(const char *text) {
	return has_scheme(text, "https://") || has_scheme(text, "http://") ||
	       has_scheme(text, "data:");
}

/* An address that isn't followed: of a file, of another protocol, or relative to none. */
static bool leads_elsewhere(const char *text) {
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789+-.");
	bool one_word = text[strcspn(text, " \t\r\n")] == '\0';
	bool address = starts_with(text, "//") || has_scheme(text, "file:") ||
		       (scheme != 0 && starts_with(text + scheme, "://"));
	return one_word && address && !is_url(text);
}

static char *copy(const char *text) {
	return text != NULL && text[0] != '\0' ? strdup(text) : NULL;
}

void conduit_queue_file(
		struct conduit_job *job, const char *url, const char *type, const char *name) {
	struct queue *queue = queue_of(job);
	if (queue == NULL) {
		return;
	}
	if (queue->n_files == CONDUIT_QUEUE_FILES_MOST) {
		queue->files_left_out++;
		return;
	}
	struct queue_file *files = reallocarray(
			queue->files, queue->n_files + 1, sizeof(*queue->files));
	char *kept = strdup(url);
	if (files == NULL || kept == NULL) {
		queue->files = files != NULL ? files : queue->files;
		free(kept);
		queue_fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	queue->files = files;
	files[queue->n_files++] = (struct queue_file){kept, copy(type), copy(name)};
}

void queue_files_free(struct queue *queue) {
	for (size_t i = 0; i < queue->n_files; i++) {
		free(queue->files[i].url);
		free(queue->files[i].type);
		free(queue->files[i].name);
	}
	free(queue->files);
}

static int digit_of(char c) {
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+'	      ? 62
	       : c == '/'	      ? 63
				      : -1;
}

/* Base64 up to its padding or end; false at anything else. */
static bool put_base64(struct conduit_job *job, const char *text) {
	unsigned char piece[4096];
	size_t n = 0;
	unsigned bits = 0, held = 0;
	for (; *text != '\0' && *text != '='; text++) {
		int digit = digit_of(*text);
		if (digit < 0) {
			return false;
		}
		bits = (bits << 6 | (unsigned)digit) & 0xffffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			piece[n++] = (unsigned char)(bits >> held);
		}
		if (n == sizeof(piece)) {
			conduit_output(job, piece, n);
			n = 0;
		}
	}
	conduit_output(job, piece, n);
	return true;
}

/* A file that came within the result. */
static bool put_data_url(struct queue *queue, const struct queue_file *file) {
	const char *comma = strchr(file->url, ',');
	const char *type = file->url + strlen("data:");
	size_t length = strcspn(type, ";,");
	char *own cleanup_free = strndup(type, length);
	if (comma == NULL || own == NULL || comma - file->url < (ptrdiff_t)strlen("data:;base64") ||
			strncmp(comma - 7, ";base64", 7) != 0) {
		conduit_malformed(queue->job, "%s gave a file as a data: URL that isn't base64",
				queue->how.service);
		return false;
	}
	conduit_result(queue->job,
			file->type != NULL ? file->type
			: length != 0	   ? own
					   : NULL,
			file->name);
	if (!put_base64(queue->job, comma + 1)) {
		conduit_malformed(queue->job, "%s gave a file whose base64 is broken",
				queue->how.service);
		return false;
	}
	return true;
}

/* A type that says nothing is left to the content. */
static const char *type_of(const struct queue_file *file) {
	return file->type != NULL && strcmp(file->type, "application/octet-stream") != 0
			       ? file->type
			       : NULL;
}

void queue_next_file(struct queue *queue) {
	struct conduit_job *job = queue->job;
	while (queue->next_file < queue->n_files) {
		const struct queue_file *file = &queue->files[queue->next_file++];
		if (!has_scheme(file->url, "data:")) {
			queue->phase = QUEUE_FILE;
			buf_clear(&queue->reply);
			conduit_result(job, type_of(file), file->name);
			conduit_request(job, &(struct conduit_request){.method = "GET",
							     .url = file->url,
							     .sink = CONDUIT_TO_OUTPUT});
			return;
		}
		if (!put_data_url(queue, file)) {
			return;
		}
	}
	if (queue->files_left_out != 0) {
		conduit_log(job, "%zu files of the result are left out: %d are the most",
				queue->files_left_out, CONDUIT_QUEUE_FILES_MOST);
	}
	conduit_finish(job, "stop", NULL);
}

/* ---- text ---- */

void conduit_queue_text(struct conduit_job *job, const char *text, size_t size) {
	struct queue *queue = queue_of(job);
	if (queue == NULL) {
		return;
	}
	size_t known = size < queue->streamed_bytes ? size : queue->streamed_bytes;
	queue->streamed_bytes -= known;
	conduit_output(job, text + known, size - known);
}

/* ---- whatever there is ---- */

/* Text that came in pieces may have one that looks like a URL. */
static bool is_text_in_pieces(const struct conduit_json *json) {
	bool pieces = false;
	if (conduit_json_type(json, NULL) != CONDUIT_JSON_ARRAY) {
		return false;
	}
	for (const struct conduit_json *at = conduit_json_first(json); at != NULL;
			at = conduit_json_next(at)) {
		const char *text = conduit_json_string(at, NULL);
		pieces = pieces || (text != NULL && !is_url(text));
	}
	return pieces;
}

/* True when there was one. */
static bool find_files(struct conduit_job *job, const struct conduit_json *json, int depth) {
	const char *text = conduit_json_string(json, NULL);
	if (text != NULL && is_url(text)) {
		conduit_queue_file(job, text, NULL, NULL);
		return true;
	}
	const char *url = conduit_json_string(json, "url");
	if (url != NULL && is_url(url)) {
		conduit_queue_file(job, url, conduit_json_string(json, "content_type"),
				conduit_json_string(json, "file_name"));
		return true;
	}
	bool found = false;
	if (is_text_in_pieces(json)) {
		return false;
	}
	for (const struct conduit_json *at = conduit_json_first(json);
			at != NULL && depth < DEPTH_MOST; at = conduit_json_next(at)) {
		const char *name = conduit_json_name(at);
		if (name == NULL || strcmp(name, "prompt") != 0) {
			found = find_files(job, at, depth + 1) || found;
		}
	}
	return found;
}

/* The first such address where a file's stands: as the result, in an array, or as `url`. */
static const char *find_elsewhere(const struct conduit_json *json, int depth) {
	const char *text = conduit_json_string(json, NULL);
	const char *address = text != NULL ? text : conduit_json_string(json, "url");
	const char *found = address != NULL && leads_elsewhere(address) ? address : NULL;
	for (const struct conduit_json *at = conduit_json_first(json);
			at != NULL && found == NULL && depth < DEPTH_MOST;
			at = conduit_json_next(at)) {
		bool word = conduit_json_name(at) != NULL && conduit_json_string(at, NULL) != NULL;
		found = word ? NULL : find_elsewhere(at, depth + 1);
	}
	return found;
}

/* A string, or an array of nothing but strings: its pieces. */
static bool find_text(struct conduit_job *job, const struct conduit_json *json) {
	const char *text = conduit_json_string(json, NULL);
	if (text != NULL) {
		conduit_queue_text(job, text, strlen(text));
		return true;
	}
	if (conduit_json_type(json, NULL) != CONDUIT_JSON_ARRAY) {
		return false;
	}
	for (const struct conduit_json *at = conduit_json_first(json); at != NULL;
			at = conduit_json_next(at)) {
		if (conduit_json_string(at, NULL) == NULL) {
			return false;
		}
	}
	for (const struct conduit_json *at = conduit_json_first(json); at != NULL;
			at = conduit_json_next(at)) {
		const char *piece = conduit_json_string(at, NULL);
		conduit_queue_text(job, piece, strlen(piece));
	}
	return true;
}

void conduit_queue_found(struct conduit_job *job, const struct conduit_json *result) {
	const struct queue *queue = queue_of(job);
	const char *elsewhere = queue != NULL && queue->makes_files ? find_elsewhere(result, 0)
								    : NULL;
	if (elsewhere != NULL) {
		queue_fail(job, CONDUIT_FAIL_MALFORMED,
				"%s gave a file at %.200s: only https:, http: and data: addresses "
				"are followed",
				queue->how.service, elsewhere);
		return;
	}
	if (find_files(job, result, 0) || find_text(job, result) ||
			find_text(job, conduit_json_get(result, "text")) ||
			find_text(job, conduit_json_get(result, "output"))) {
		return;
	}
	char *printed cleanup_free = conduit_json_print(result);
	if (queue != NULL && queue->makes_files) {
		queue_fail(job, CONDUIT_FAIL_MALFORMED, "%s's result holds no file: %.500s",
				queue->how.service, printed != NULL ? printed : "");
	} else if (printed != NULL) {
		conduit_queue_text(job, printed, strlen(printed));
	}
}
