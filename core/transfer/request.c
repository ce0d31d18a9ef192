/* Copies and checks a request: see request.h. */
#include "core/transfer/request.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* Services refuse more than this anyway (nginx: 4 buffers of 8 KiB). */
#define HEADERS_MOST 64
#define HEADER_BYTES_MOST ((size_t)16 << 10)

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};

/* Set by the daemon or by libcurl; in a provider's hands they would redirect a request, carry
 * another key, or split one request into two. */
static const char *const reserved_headers[] = {
		"Host",
		"Authorization",
		"Proxy-Authorization",
		"Cookie",
		"Content-Length",
		"Transfer-Encoding",
		"TE",
		"Trailer",
		"Connection",
		"Keep-Alive",
		"Upgrade",
		"Expect",
};

static void wipe_and_free(char *secret) {
	if (secret != NULL) {
		explicit_bzero(secret, strlen(secret));
		free(secret);
	}
}

void request_finish(struct request *request) {
	free(request->method);
	free(request->url);
	for (size_t i = 0; request->headers != NULL && i < request->n_headers; i++) {
		free(request->headers[i]);
	}
	free(request->headers);
	body_finish(&request->body);
	wipe_and_free(request->key_header);
	for (size_t i = 0; request->hosts != NULL && i < request->n_hosts; i++) {
		free(request->hosts[i].scheme);
		free(request->hosts[i].host);
	}
	free(request->hosts);
	*request = (struct request){0};
}

static bool copy_headers(struct request *request, const char *const *headers) {
	size_t n = 0;
	while (headers != NULL && headers[n] != NULL) {
		n++;
	}
	request->headers = calloc(n + 1, sizeof(*request->headers));
	if (request->headers == NULL) {
		return false;
	}
	for (; request->n_headers < n; request->n_headers++) {
		request->headers[request->n_headers] = strdup(headers[request->n_headers]);
		if (request->headers[request->n_headers] == NULL) {
			return false;
		}
	}
	return true;
}

static bool copy_hosts(struct request *request, const struct transfer_host *hosts, size_t n) {
	request->hosts = calloc(n + 1, sizeof(*request->hosts));
	if (request->hosts == NULL) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		struct transfer_host *copy = &request->hosts[request->n_hosts++];
		*copy = hosts[i];
		copy->scheme = strdup(hosts[i].scheme);
		copy->host = strdup(hosts[i].host);
		if (copy->scheme == NULL || copy->host == NULL) {
			return false;
		}
	}
	return true;
}

bool request_copy(struct request *ret, const struct transfer_request *from) {
	struct request copy = {
			.method = strdup(from->method),
			.url = strdup(from->url),
			.has_body = from->body != NULL,
			.timeouts = from->timeouts,
			.body_most = from->body_most,
	};
	bool copied = copy.method != NULL && copy.url != NULL &&
		      copy_headers(&copy, from->headers) &&
		      copy_hosts(&copy, from->hosts, from->n_hosts);
	if (copied && from->body != NULL) {
		copied = body_copy(&copy.body, from->body);
	}
	if (copied && from->key_header != NULL) {
		copy.key_header = strdup(from->key_header);
		copied = copy.key_header != NULL;
	}
	if (!copied) {
		request_finish(&copy);
		return false;
	}
	*ret = copy;
	return true;
}

/* RFC 9110, token. */
static size_t token_length(const char *text) {
	size_t n = 0;
	while (isalnum((unsigned char)text[n]) ||
			(text[n] != '\0' && strchr("!#$%&'*+-.^_`|~", text[n]) != NULL)) {
		n++;
	}
	return n;
}

/* "Name: value" and nothing that could end the line early. */
static bool header_well_formed(const char *line) {
	size_t name = token_length(line);
	if (name == 0 || line[name] != ':') {
		return false;
	}
	for (const char *c = line; *c != '\0'; c++) {
		if ((*c != '\t' && (unsigned char)*c < ' ') || *c == 0x7f) {
			return false;
		}
	}
	return true;
}

static bool same_name(const char *line, const char *name, size_t length) {
	return strncasecmp(line, name, length) == 0 && line[length] == ':';
}

static bool header_check(const char *line, const char *key_header, struct fail *fail) {
	int shown = (int)token_length(line);
	if (!header_well_formed(line)) {
		return fail_set(fail, EINVAL,
				"the request's header '%.*s' is malformed: it must read 'Name: "
				"value' and "
				"hold no line break or other control byte",
				shown < 64 ? shown : 64, line);
	}
	for (size_t i = 0; i < sizeof(reserved_headers) / sizeof(*reserved_headers); i++) {
		if (same_name(line, reserved_headers[i], strlen(reserved_headers[i]))) {
			return fail_set(fail, EINVAL,
					"the request's header '%s' is the daemon's to set: leave "
					"it out",
					reserved_headers[i]);
		}
	}
	if (key_header != NULL && same_name(line, key_header, token_length(key_header))) {
		return fail_set(fail, EINVAL,
				"the request's header '%.*s' carries the key, which the daemon "
				"adds: leave it out",
				(int)token_length(key_header), key_header);
	}
	return true;
}

bool request_check(const struct request *request, struct fail *fail) {
	bool known = false;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		known |= strcmp(request->method, methods[i]) == 0;
	}
	if (!known) {
		return fail_set(fail, EINVAL,
				"the request's method is not one of GET, POST, PUT, PATCH, DELETE, "
				"HEAD");
	}
	/* The key's words never show a byte of it. */
	if (request->key_header != NULL && !header_well_formed(request->key_header)) {
		return fail_set(fail, EINVAL,
				"the key holds a line break or another control byte: set it again");
	}
	size_t bytes = 0;
	for (size_t i = 0; i < request->n_headers; i++) {
		bytes += strlen(request->headers[i]);
		if (!header_check(request->headers[i], request->key_header, fail)) {
			return false;
		}
	}
	if (request->n_headers > HEADERS_MOST || bytes > HEADER_BYTES_MOST) {
		return fail_set(fail, EINVAL,
				"the request has %zu headers of %zu bytes: at most %d of %zu are "
				"sent",
				request->n_headers, bytes, HEADERS_MOST, HEADER_BYTES_MOST);
	}
	return true;
}

bool request_become_get(struct request *request) {
	char *method = strdup("GET");
	if (method == NULL) {
		return false;
	}
	free(request->method);
	request->method = method;
	request->has_body = false;
	body_finish(&request->body);
	size_t kept = 0;
	for (size_t i = 0; i < request->n_headers; i++) {
		char *line = request->headers[i];
		if (strncasecmp(line, "Content-", strlen("Content-")) == 0) {
			free(line);
		} else {
			request->headers[kept++] = line;
		}
	}
	request->n_headers = kept;
	return true;
}

static bool append(struct curl_slist **list, const char *line) {
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (longer == NULL) {
		return false;
	}
	*list = longer;
	return true;
}

/* libcurl reads "Name:" as "leave it out" and wants "Name;" for an empty value. */
static bool append_line(struct curl_slist **list, const char *line) {
	size_t name = token_length(line);
	if (line[name + 1 + strspn(line + name + 1, " \t")] != '\0') {
		return append(list, line);
	}
	cleanup_free char *empty = strndup(line, name + 1);
	if (empty == NULL) {
		return false;
	}
	empty[name] = ';';
	return append(list, empty);
}

struct curl_slist *request_headers(const struct request *request, bool keyed) {
	struct curl_slist *list = NULL;
	/* libcurl would wait up to a second for a 100 that few services send. */
	bool added = append(&list, "Expect:");
	bool typed = false;
	for (size_t i = 0; added && i < request->n_headers; i++) {
		typed |= same_name(request->headers[i], "Content-Type", strlen("Content-Type"));
		added = append_line(&list, request->headers[i]);
	}
	if (added && !typed) {
		added = append(&list, "Content-Type:"); /* nobody said it was a form */
	}
	if (added && keyed && request->key_header != NULL) {
		added = append(&list, request->key_header);
	}
	if (!added) {
		request_headers_free(list);
		return NULL;
	}
	return list;
}

void request_headers_free(struct curl_slist *list) {
	for (struct curl_slist *node = list; node != NULL; node = node->next) {
		explicit_bzero(node->data, strlen(node->data));
	}
	curl_slist_free_all(list);
}
