/* A request as the engine keeps it: its own copy, checked so that no header a provider wrote can
 * pass for another, or for one that only the daemon may set. */
#ifndef CORE_TRANSFER_REQUEST_H
#define CORE_TRANSFER_REQUEST_H

#include "core/transfer/transfer.h"

#include <curl/curl.h>

struct request {
	char *method;
	char *url;
	char **headers; /* n_headers of them */
	size_t n_headers;
	bool has_body;
	struct body body;
	char *key_header; /* wiped before it is freed */
	struct transfer_host *hosts;
	size_t n_hosts;
	struct transfer_timeouts timeouts;
	uint64_t body_most;
};

/* False without memory; then nothing is owned. */
bool request_copy(struct request *ret, const struct transfer_request *from);
void request_finish(struct request *request);

/* False with EINVAL and words for a method or a header that isn't sent. */
bool request_check(const struct request *request, struct fail *fail);
/* From here on a redirected request is a plain GET: no body, nothing that describes one.
 * False without memory. */
bool request_become_get(struct request *request);

/* The list for CURLOPT_HTTPHEADER; the key only when `keyed`. NULL without memory. */
struct curl_slist *request_headers(const struct request *request, bool keyed);
/* Wipes and frees it; NULL is fine. */
void request_headers_free(struct curl_slist *list);

#endif
