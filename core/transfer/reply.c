/* Reads a reply's head: see reply.h. */
#include "core/transfer/reply.h"

#include "core/base/text.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* What is handed up in all; lines that no longer fit are left out. */
#define HEAD_MOST ((size_t)16 << 10)
#define HEAD_LINES_MOST 256

void reply_finish(struct reply *reply) {
	for (size_t i = 0; i < reply->n_headers; i++) {
		free(reply->headers[i]);
	}
	free(reply->headers);
	free(reply->content_type);
	free(reply->location);
	free(reply->retry_after);
	free(reply->retry_after_ms);
	*reply = (struct reply){0};
}

/* "HTTP/1.1 200 OK", "HTTP/2 200": 0 for another line. */
static int status_of(const char *line, size_t size) {
	const char *blank = memchr(line, ' ', size);
	if (size < 5 || strncmp(line, "HTTP/", 5) != 0 || blank == NULL ||
			size - (size_t)(blank - line) < 4) {
		return 0;
	}
	int status = 0;
	for (int i = 1; i <= 3; i++) {
		if (!isdigit((unsigned char)blank[i])) {
			return 0;
		}
		status = status * 10 + (blank[i] - '0');
	}
	return status;
}

/* Keeps the first of several, as libcurl does with Location. */
static bool keep(char **field, const char *value) {
	if (*field == NULL) {
		*field = strdup(value);
	}
	return *field != NULL;
}

static bool keep_content_type(struct reply *reply, const char *value) {
	free(reply->content_type);
	reply->content_type = trimmed(value, strcspn(value, ";"));
	for (char *c = reply->content_type; c != NULL && *c != '\0'; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	return reply->content_type != NULL;
}

/* What libcurl can also undo (brotli, zstd, one within the other) expands without a bound that we
 * know, so it is refused: see ENCODINGS in setup.c. */
static void note_encoding(struct reply *reply, const char *value) {
	static const char *const known[] = {"gzip", "x-gzip", "deflate"};
	if (value[0] == '\0' || strcasecmp(value, "identity") == 0) {
		return;
	}
	bool found = false;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		found |= strcasecmp(value, known[i]) == 0;
	}
	reply->foreign_encoding |= reply->encoded || !found;
	reply->encoded = true;
}

static bool note(struct reply *reply, const char *name, const char *value) {
	if (strcmp(name, "content-type") == 0) {
		return keep_content_type(reply, value);
	}
	if (strcmp(name, "location") == 0) {
		return keep(&reply->location, value);
	}
	if (strcmp(name, "retry-after") == 0) {
		return keep(&reply->retry_after, value);
	}
	if (strcmp(name, "retry-after-ms") == 0) {
		return keep(&reply->retry_after_ms, value);
	}
	if (strcmp(name, "content-encoding") == 0) {
		note_encoding(reply, value);
	}
	return true;
}

static bool hand_up(struct reply *reply, const char *name, const char *value) {
	size_t size = strlen(name) + strlen(value) + 3;
	if (size > HEAD_MOST - reply->header_bytes || reply->n_headers == HEAD_LINES_MOST) {
		return true;
	}
	if (reply->headers == NULL) {
		reply->headers = calloc(HEAD_LINES_MOST + 1, sizeof(*reply->headers));
	}
	char *line = NULL;
	if (reply->headers == NULL || asprintf(&line, "%s: %s", name, value) < 0) {
		return false;
	}
	reply->headers[reply->n_headers++] = line;
	reply->header_bytes += size;
	return true;
}

static bool controls(const char *text) {
	for (; *text != '\0'; text++) {
		if ((*text != '\t' && (unsigned char)*text < ' ') || *text == 0x7f) {
			return true;
		}
	}
	return false;
}

/* A line without a colon, continued from the one before, or with control bytes is passed over. */
static bool field(struct reply *reply, const char *line, size_t size) {
	const char *colon = memchr(line, ':', size);
	if (colon == NULL || colon == line || isspace((unsigned char)line[0])) {
		return true;
	}
	size_t length = (size_t)(colon - line);
	cleanup_free char *name = trimmed(line, length);
	cleanup_free char *value = trimmed(colon + 1, size - length - 1);
	if (name == NULL || value == NULL) {
		return false;
	}
	if (controls(name) || controls(value)) {
		return true;
	}
	for (char *c = name; *c != '\0'; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	return note(reply, name, value) && hand_up(reply, name, value);
}

enum reply_progress reply_line(struct reply *reply, const char *line, size_t size) {
	if (reply->complete) {
		return REPLY_MORE;
	}
	int status = status_of(line, size);
	if (status != 0) {
		reply_finish(reply);
		reply->status = status;
		return status >= 200 ? REPLY_BEGAN : REPLY_MORE;
	}
	bool end = size == 0 || line[0] == '\r' || line[0] == '\n';
	if (reply->status < 200) {
		return REPLY_MORE;
	}
	if (end) {
		reply->complete = true;
		return REPLY_HEAD;
	}
	return field(reply, line, size) ? REPLY_MORE : REPLY_FAILED;
}

struct transfer_head reply_head(const struct reply *reply) {
	static const char *const none[] = {NULL};
	return (struct transfer_head){
			.status = reply->status,
			.content_type = reply->content_type != NULL ? reply->content_type : "",
			.headers = reply->headers != NULL ? (const char *const *)reply->headers
							  : none,
	};
}

bool reply_redirects(const struct reply *reply) {
	switch (reply->status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return reply->location != NULL && reply->location[0] != '\0';
	default:
		return false;
	}
}

bool reply_retry_after(const struct reply *reply, double *ret) {
	double value = 0;
	if (reply->status != 429 && reply->status != 503) {
		return false;
	}
	if (reply->retry_after_ms != NULL && parse_double(reply->retry_after_ms, &value) &&
			value >= 0) {
		*ret = value / 1000;
		return true;
	}
	if (reply->retry_after == NULL) {
		return false;
	}
	if (parse_double(reply->retry_after, &value)) {
		*ret = value;
		return value >= 0;
	}
	time_t when = curl_getdate(reply->retry_after, NULL);
	if (when == -1) {
		return false;
	}
	double wait = difftime(when, time(NULL));
	*ret = wait > 0 ? wait : 0;
	return true;
}
