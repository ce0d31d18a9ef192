/* Kit: what a service's error means. Services word and number the same error differently, and a
 * gateway relays errors that aren't its own: this is the one place that sorts them.
 *
 * The kind follows the HTTP status (or the code in the body, when an error came with status 200)
 * and is refined by the error's type, code and message:
 *
 *     context_length_exceeded, 413, "maximum context length …"     TOO_LONG
 *     403 with metadata.reasons or flagged_input, content_filter   MODERATED
 *     402; 429 with insufficient_quota or a daily limit            QUOTA, never to be retried
 *     "… is not a valid model ID", model_not_found, 404            GONE
 *     "Provider returned error" with metadata.provider_name        UPSTREAM: not our key, not our
 *                                                                  request (429, 408: as they are)
 *     401 BAD_KEY, 403 FORBIDDEN, 408 504 524 TIMED_OUT, 429 BUSY, 400 415 422 INVALID,
 *     5xx UPSTREAM
 *
 * Its words are the service's message, then what the upstream said where one did, then the
 * status: one line of plain UTF-8. What looks like a key in them is replaced by "[key]".
 *
 * Shapes known (each recorded or documented by a service): {"error":{message,type,code,
 * metadata}}, {"error":"…" | ["…"],"error_type":…}, {"detail":"…" | [{loc,msg}] | {message}},
 * {"message":"…" | {"detail":…}}, {"title":…}, {"errors":[{message}]}, with int and string codes; a
 * page of HTML; plain text. */
#ifndef CONDUIT_KIT_FAILURE_H
#define CONDUIT_KIT_FAILURE_H

#include <conduit/kit/json.h>
#include <conduit/provider.h>
#include <stdarg.h>

/* The most of an error's body that is worth keeping. */
#define CONDUIT_ERROR_LIMIT ((size_t)64 << 10)

/* Fails the job with a reply that wasn't 2xx. `content_type` may be ""; the body may be cut. */
void conduit_http_failure(struct conduit_job *job, int status, const char *content_type,
		const char *body, size_t size);

/* The same for an error that is JSON already: a whole body, or a chunk of a stream that holds an
 * error. `status` is the HTTP status it came with, 200 for a stream that had begun. */
void conduit_json_failure(struct conduit_job *job, int status, const struct conduit_json *body);

/* After a reply that went to the output as speech, a picture or a video: false after it failed the
 * job, for its type says that it was JSON or a page (an error with status 200, a proxy's page,
 * another server). `what`: "speech". */
bool conduit_media_came(struct conduit_job *job, const char *content_type, const char *what);

/* Fails the job because what came isn't what the service promised: EPROTO. */
void conduit_malformed(struct conduit_job *job, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* Fails the job with words of the provider's own. */
void conduit_fail_with(struct conduit_job *job, enum conduit_kind kind, const char *format, ...)
		__attribute__((format(printf, 3, 4)));
void conduit_fail_with_list(struct conduit_job *job, enum conduit_kind kind, const char *format,
		va_list args) __attribute__((format(printf, 3, 0)));
/* Fails the job because memory is short: EIO. */
void conduit_fail_memory(struct conduit_job *job);

#endif
