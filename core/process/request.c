/* Requests that a provider asks for: gathered within bounds, and checked before anyone acts on
 * them. Whether the host may be spoken to is decided where it is sent. */
#include "core/process/internal.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define DELAY_MOST_MS 3600000U

/* ---- the body ---- */

static bool make_room(struct job *job) {
	if (job->body.n_parts < job->body_capacity) {
		return true;
	}
	size_t capacity = job->body_capacity != 0 ? job->body_capacity * 2 : 8;
	struct body_part *parts = reallocarray(job->body.parts, capacity, sizeof(*parts));
	if (parts == NULL) {
		return false;
	}
	job->body.parts = parts;
	job->body_capacity = capacity;
	return true;
}

bool request_add_part(struct job *job, const struct wire_request_part *part, struct fail *fail) {
	static const enum body_kind kinds[] = {
			BODY_LITERAL, BODY_FILE, BODY_FILE_BASE64, BODY_FILE_JSON};
	struct process *process = job->process;
	if (job->body.n_parts == WIRE_BODY_PARTS_MOST ||
			job->body_bytes + part->size > WIRE_BODY_BYTES_MOST) {
		return fail_set(fail, EPROTO,
				"it described a request's body of more than 4096 parts or 1 MiB");
	}
	if (process->gathered + part->size > GATHERED_MOST) {
		return fail_set(fail, EPROTO, "it began too many requests and models at once");
	}
	char *bytes = part->kind == 0 ? malloc(part->size + 1) : NULL;
	if (!make_room(job) || (part->kind == 0 && bytes == NULL)) {
		free(bytes);
		fail_set(&job->doom, ENOMEM, "no memory for a request of provider %s",
				process->options.name);
		process_schedule(process);
		return true;
	}
	if (bytes != NULL) {
		memcpy(bytes, part->bytes, part->size);
		bytes[part->size] = '\0';
	}
	job->body.parts[job->body.n_parts++] = (struct body_part){.kind = kinds[part->kind],
			.file = part->file,
			.bytes = bytes,
			.size = part->size};
	job->body_bytes += part->size;
	process->gathered += part->size;
	return true;
}

/* ---- the rest ---- */

/* RFC 9110, section 5.6.2. */
static size_t token_length(const char *text) {
	size_t length = 0;
	while (isalnum((unsigned char)text[length]) ||
			(text[length] != '\0' && strchr("!#$%&'*+-.^_`|~", text[length]) != NULL)) {
		length++;
	}
	return length;
}

static bool method_is_fit(const char *method) {
	size_t length = token_length(method);
	return length > 0 && length <= 32 && method[length] == '\0';
}

static bool url_is_fit(const char *url) {
	for (const char *at = url; *at != '\0'; at++) {
		if (*at <= ' ' || *at >= 0x7f) {
			return false;
		}
	}
	return strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0;
}

static bool header_is_fit(const char *header) {
	size_t name = token_length(header);
	if (name == 0 || header[name] != ':') {
		return false;
	}
	for (const char *at = header + name; *at != '\0'; at++) {
		if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f) {
			return false;
		}
	}
	return true;
}

static bool check_head(
		const struct job *job, const struct wire_request *request, struct fail *fail) {
	const char *name = job->process->options.name;
	if (!method_is_fit(request->method)) {
		return fail_set(fail, EPROTO,
				"provider %s asked for a request with the method "
				"\"%.32s\", which is none",
				name, request->method);
	}
	if (!url_is_fit(request->url)) {
		return fail_set(fail, EPROTO,
				"provider %s asked for a request to \"%.200s\", which "
				"isn't an http or https URL",
				name, request->url);
	}
	for (uint32_t i = 0; i < request->n_headers; i++) {
		if (!header_is_fit(request->headers[i])) {
			return fail_set(fail, EPROTO,
					"provider %s asked for a request with the "
					"header \"%.*s\", which isn't \"Name: value\"",
					name, (int)token_length(request->headers[i]),
					request->headers[i]);
		}
	}
	return true;
}

static bool check_delay(
		const struct job *job, const struct wire_request *request, struct fail *fail) {
	return request->delay_ms <= DELAY_MOST_MS ||
	       fail_set(fail, EPROTO,
			       "provider %s asked for a request in %u ms; an hour is the most",
			       job->process->options.name, request->delay_ms);
}

/* What is unfit ends the job from the loop, where the provider is told as well. */
static void doom(struct job *job, struct fail *fail) {
	job->doom = *fail;
	*fail = (struct fail){0};
	process_schedule(job->process);
}

void request_on_cancel(struct job *job, const struct wire_on_cancel *on_cancel) {
	const struct wire_request *request = &on_cancel->request;
	const char *headers[WIRE_HEADERS_MOST + 1] = {NULL};
	struct body_part part = {.kind = BODY_LITERAL,
			.bytes = (char *)on_cancel->bytes,
			.size = on_cancel->size};
	struct body body = {.parts = &part, .n_parts = on_cancel->size != 0};
	struct job_request asked = {.method = request->method,
			.url = request->url,
			.headers = headers,
			.body = &body};
	struct fail fail cleanup_fail = {0};
	if (request->method[0] != '\0' && !check_head(job, request, &fail)) {
		doom(job, &fail);
		return;
	}
	memcpy(headers, request->headers, request->n_headers * sizeof(headers[0]));
	if (job->events.on_cancel != NULL) {
		job->events.on_cancel(job->data, request->method[0] != '\0' ? &asked : NULL);
	}
}

void request_begin(struct job *job, const struct wire_request *request) {
	struct fail fail cleanup_fail = {0};
	if (!check_head(job, request, &fail) || !check_delay(job, request, &fail)) {
		doom(job, &fail);
		return;
	}
	struct body body cleanup(body_finish) = job->body;
	job->process->gathered -= job->body_bytes;
	job->body = (struct body){0};
	job->body_bytes = job->body_capacity = 0;
	job->pending = true;
	const char *headers[WIRE_HEADERS_MOST + 1] = {NULL};
	memcpy(headers, request->headers, request->n_headers * sizeof(headers[0]));
	struct job_request asked = {.method = request->method,
			.url = request->url,
			.headers = headers,
			.body = &body,
			.to_output = request->to_output,
			.submits = request->submits,
			.delay_ms = request->delay_ms};
	if (job->events.request != NULL) {
		job->events.request(job->data, &asked);
	}
}
