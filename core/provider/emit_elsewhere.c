/* What a provider says of a job that goes on elsewhere: how far it is, how to cancel it, and how to
 * pick it up again. See provider.h. */
#include "core/base/text.h"
#include "core/provider/emit.h"
#include "core/provider/runner.h"

#include <string.h>

void conduit_progress(struct conduit_job *job, double share, const char *words) {
	if (job->over) {
		return;
	}
	char *doing cleanup_free = emit_shortened(words, WIRE_DOING_MOST);
	struct wire_message message = {
			.type = WIRE_PROGRESS, .progress = {.share = share, .words = doing}};
	emit_put(job, &message, "progress");
}

/* The literal parts of a body in one piece; false when it is no such body. */
static bool gather_literals(const struct conduit_request *request, struct buf *ret) {
	ret->limit = WIRE_CANCEL_BODY_MOST;
	for (size_t i = 0; i < request->n_body; i++) {
		const struct conduit_body_part *part = &request->body[i];
		if (part->kind != CONDUIT_LITERAL || !buf_add(ret, part->bytes, part->size)) {
			return false;
		}
	}
	return true;
}

void conduit_on_cancel(struct conduit_job *job, const struct conduit_request *request) {
	cleanup_buf struct buf body = {0};
	struct wire_message message = {.type = WIRE_ON_CANCEL};
	if (job->over) {
		return;
	}
	if (request != NULL) {
		const char *trouble = emit_head_trouble(request);
		if (trouble == NULL && !gather_literals(request, &body)) {
			trouble = "the provider named a request for cancelling whose body isn't "
				  "literal, or above 16 KiB";
		}
		if (trouble != NULL) {
			emit_refuse(job, trouble);
			return;
		}
		message.on_cancel.request.method = request->method;
		message.on_cancel.request.url = request->url;
		emit_headers(&message.on_cancel.request, request);
		message.on_cancel.bytes = body.data;
		message.on_cancel.size = (uint32_t)body.size;
	}
	emit_put(job, &message, "the request that cancels");
}

void conduit_resumable(struct conduit_job *job, const char *token) {
	if (job->over) {
		return;
	}
	if (token != NULL && strlen(token) > WIRE_WORDS_MOST) {
		emit_refuse(job, "the provider gave a token of more than 4 KiB for picking the "
				 "job up");
		return;
	}
	struct wire_message message = {.type = WIRE_RESUMABLE, .words = {token}};
	emit_put(job, &message, "the token");
}
