/* Forms with files: see conduit/kit/multipart.h. */
#include <conduit/kit/multipart.h>

#include "core/base/buf.h"

#include <conduit/kit/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define HEADERS_MOST 31

struct conduit_multipart {
	struct conduit_body *body;
	char boundary[48];
};

struct conduit_multipart *conduit_multipart_create(void) {
	uint64_t random[2] = {0};
	struct conduit_multipart *form = calloc(1, sizeof(*form));
	if (form == NULL) {
		return NULL;
	}
	form->body = conduit_body_create();
	/* No file can hold what nobody knew before. */
	if (form->body == NULL || getrandom(random, sizeof(random), 0) != sizeof(random)) {
		conduit_multipart_destroy(form);
		return NULL;
	}
	snprintf(form->boundary, sizeof(form->boundary), "conduit%016" PRIx64 "%016" PRIx64,
			random[0], random[1]);
	return form;
}

void conduit_multipart_destroy(struct conduit_multipart *form) {
	if (form != NULL) {
		conduit_body_destroy(form->body);
		free(form);
	}
}

static void begin(struct conduit_multipart *form, const char *name) {
	conduit_body_text(form->body, "--");
	conduit_body_text(form->body, form->boundary);
	conduit_body_text(form->body, "\r\nContent-Disposition: form-data; name=\"");
	conduit_body_text(form->body, name);
	conduit_body_text(form->body, "\"");
}

void conduit_multipart_text(struct conduit_multipart *form, const char *name, const char *text) {
	if (form == NULL) {
		return;
	}
	begin(form, name);
	conduit_body_text(form->body, "\r\n\r\n");
	conduit_body_text(form->body, text);
	conduit_body_text(form->body, "\r\n");
}

void conduit_multipart_setting(struct conduit_multipart *form, const struct conduit_turn *turn,
		const char *setting, const char *name) {
	const char *value = conduit_setting(turn, setting);
	if (value != NULL && value[strspn(value, " \t\r\n")] != '\0') {
		conduit_multipart_text(form, name, value);
	}
}

void conduit_multipart_part(
		struct conduit_multipart *form, const char *name, const struct conduit_part *part) {
	if (form == NULL) {
		return;
	}
	begin(form, name);
	conduit_body_text(form->body, "\r\n\r\n");
	conduit_body_file(form->body, CONDUIT_FILE, part->file);
	conduit_body_text(form->body, "\r\n");
}

void conduit_multipart_file(struct conduit_multipart *form, const char *name,
		const struct conduit_part *part, const char *filename) {
	if (form == NULL) {
		return;
	}
	begin(form, name);
	conduit_body_text(form->body, "; filename=\"");
	for (const char *c = filename; *c != '\0'; c++) {
		bool plain = (unsigned char)*c >= 0x20 && *c != '"' && *c != '\\';
		conduit_body_bytes(form->body, plain ? c : "_", 1);
	}
	conduit_body_text(form->body, "\"\r\nContent-Type: ");
	conduit_body_text(form->body, part->type);
	conduit_body_text(form->body, "\r\n\r\n");
	conduit_body_file(form->body, CONDUIT_FILE, part->file);
	conduit_body_text(form->body, "\r\n");
}

void conduit_multipart_extra(struct conduit_multipart *form, const struct conduit_turn *turn) {
	const char *extra = conduit_setting(turn, "extra");
	struct conduit_json *json = extra != NULL ? conduit_json_parse(extra, strlen(extra)) : NULL;
	const struct conduit_json *member = conduit_json_first(json);
	for (; form != NULL && member != NULL; member = conduit_json_next(member)) {
		const char *name = conduit_json_name(member);
		const char *text = conduit_json_string(member, NULL);
		cleanup_free char *printed = text == NULL ? conduit_json_print(member) : NULL;
		bool fit = name != NULL && strpbrk(name, "\"\\\r\n") == NULL;
		if (fit && (text != NULL || printed != NULL)) {
			conduit_multipart_text(form, name, text != NULL ? text : printed);
		}
	}
	conduit_json_free(json);
}

void conduit_multipart_send(struct conduit_multipart *form, struct conduit_job *job,
		const struct conduit_request *request) {
	const char *headers[HEADERS_MOST + 1];
	char type[128];
	size_t n = 0;
	if (form == NULL) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_OTHER,
						  .words = "memory is short"});
		return;
	}
	conduit_body_text(form->body, "--");
	conduit_body_text(form->body, form->boundary);
	conduit_body_text(form->body, "--\r\n");
	snprintf(type, sizeof(type), "Content-Type: multipart/form-data; boundary=%s",
			form->boundary);
	headers[n++] = type;
	for (const char *const *line = request->headers;
			line != NULL && *line != NULL && n < HEADERS_MOST; line++) {
		headers[n++] = *line;
	}
	headers[n] = NULL;
	struct conduit_request made = *request;
	made.headers = headers;
	conduit_body_send(form->body, job, &made);
}
