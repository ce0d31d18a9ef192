/* What a transfer needs before each of its hops: a request that may be sent, its target, its body.
 * See engine.h. */
#include "core/transfer/engine.h"

#include <errno.h>
#include <string.h>

/* A body up to this is read before and sent in one piece with the request's head. */
#define SMALL_BODY ((uint64_t)32 << 10)
/* A few milliseconds of measuring a text between two looks at the loop. */
#define MEASURE_SLICE ((size_t)1 << 20)
#define REDIRECTS_MOST 5

static bool read_small(struct transfer *transfer) {
	transfer->small.limit = SMALL_BODY + 1;
	char *to = buf_reserve(&transfer->small, (size_t)transfer->body_length);
	if (to == NULL) {
		return fail_set(&transfer->fail, ENOMEM, "no memory for a request's body");
	}
	ssize_t got = body_reader_read(transfer->reader, to, (size_t)transfer->body_length);
	if (got < 0 || (uint64_t)got != transfer->body_length) {
		return fail_set(&transfer->fail, EIO,
				"a file of the request changed or can't be read");
	}
	transfer->small.size = (size_t)got;
	to[got] = '\0';
	body_reader_destroy(transfer->reader);
	transfer->reader = NULL;
	return true;
}

static enum transfer_prepared prepare_body(struct transfer *transfer) {
	if (transfer->reader == NULL) {
		transfer->reader = body_reader_open(&transfer->request.body, &transfer->fail);
		if (transfer->reader == NULL) {
			return TRANSFER_REFUSED;
		}
	}
	switch (body_reader_measure(transfer->reader, MEASURE_SLICE, &transfer->fail)) {
	case BODY_MEASURE_MORE:
		return TRANSFER_UNREADY;
	case BODY_MEASURE_FAILED:
		return TRANSFER_REFUSED;
	case BODY_MEASURED:
		break;
	}
	transfer->body_length = body_reader_length(transfer->reader);
	if (transfer->body_length <= SMALL_BODY && !read_small(transfer)) {
		return TRANSFER_REFUSED;
	}
	return TRANSFER_READY;
}

static bool prepare_target(struct transfer *transfer, const char *url) {
	struct fail *fail = &transfer->fail;
	if (!request_check(&transfer->request, fail)) {
		return false;
	}
	transfer->url = url_parse(url, fail);
	if (transfer->url == NULL ||
			!url_target(transfer->url, transfer->request.hosts,
					transfer->request.n_hosts, &transfer->target, fail)) {
		return false;
	}
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a transfer");
	}
	return true;
}

enum transfer_prepared transfer_prepare(struct transfer *transfer) {
	if (transfer->easy == NULL && !prepare_target(transfer, transfer->request.url)) {
		return TRANSFER_REFUSED;
	}
	return transfer->request.has_body ? prepare_body(transfer) : TRANSFER_READY;
}

/* Readies the next hop. What the last one did is remembered where it may have had an effect: a
 * 307 or 308 asks for the same again elsewhere, the others answer. */
bool transfer_follow(struct transfer *transfer) {
	struct request *request = &transfer->request;
	int status = transfer->reply.status;
	if (++transfer->redirects > REDIRECTS_MOST) {
		return fail_set(&transfer->fail, EPROTO,
				"%s redirects again after %d redirects: check the address",
				transfer->target.host, REDIRECTS_MOST);
	}
	if (!url_follow(transfer->url, transfer->reply.location, &transfer->fail)) {
		return false;
	}
	target_finish(&transfer->target);
	if (!url_target(transfer->url, request->hosts, request->n_hosts, &transfer->target,
			    &transfer->fail)) {
		return false;
	}
	bool post = strcmp(request->method, "POST") == 0;
	bool get = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
	if (!get && (status == 303 || (post && (status == 301 || status == 302)))) {
		if (!request_become_get(request)) {
			return fail_set(&transfer->fail, ENOMEM, "no memory to follow a redirect");
		}
		transfer->sent_before |= transfer->sent_now;
		body_reader_destroy(transfer->reader);
		transfer->reader = NULL;
		buf_clear(&transfer->small);
		transfer->body_length = 0;
	}
	if (transfer->reader != NULL) {
		body_reader_rewind(transfer->reader);
	}
	transfer->body_sent = 0;
	transfer->discarded = 0;
	transfer->redirecting = false;
	transfer->sent_now = false;
	reply_finish(&transfer->reply);
	return true;
}
