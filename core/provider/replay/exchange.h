/* Recorded exchanges: the files *.exchange in a provider's tests/, which say in a few lines what
 * is asked of the provider, what the service replied, and what must come of it.
 *
 *     # A plain answer, streamed.                  a comment
 *     base_url https://acme.example/v1             handed to the provider
 *     turn acme/one text-to-text                   model and capability; or: discover;
 *                                                  or: look_up acme/one
 *     system Be brief.                             what comes before the prompt, in order
 *     user Hi                                      …
 *     assistant Hello!                             …
 *     prompt Say hello                             the turn's text; prompt_file NAME: in a file
 *     attach image/jpeg photo.jpg                  what goes along with it: type, file beside
 *     set temperature 0.5                          a setting
 *     reply 200 text/event-stream hello.sse        status, type, file of the body beside; in order.
 *                                                  Of a program: its exit, text/plain, its stdout
 *     request POST https://acme.example/v1/chat    from here on: what must be. Requests in order,
 *     request RUN ffmpeg -i {input 0} {result a}   a program with its arguments; or {scratch b}
 *     header Content-Type: application/json        what the last one's headers and
 *     body "stream":true                           body must hold
 *     output Hello!                                all of it; output_file NAME: as in that file
 *     type image/png                               what the output is said to be, and each further
 *     artifact image/png second.png                result, in order: type (or -), file beside
 *     reasoning "Hm.\n"                            a value that begins with a quote is JSON
 *     finish stop
 *     answered_by acme/one-2026                    the model that really answered
 *     prompt_tokens 5                              also completion_tokens, reasoning_tokens,
 *     cost 3.4e-7                                  cached_tokens
 *     progress 0.42 drawing                        what was said meanwhile: how far it is,
 *     on_cancel PUT https://acme.example/1/cancel  what is sent to cancel it ("-": nothing more),
 *     resumable job-1                              and how it is picked up
 *     fail BUSY                                    a kind of provider.h
 *     words try later                              what the words of the failure must hold
 *     models 2                                     how many were found
 *     model acme/one                               one of them
 *     price acme/one prompt 1.8e-7                 and what a unit of it costs, in USD
 *     limit acme/voice speed 0.25..4 =1            what a setting takes and its default; of
 *                                                  choices: alloy,nova
 *
 * A turn that isn't said to fail must finish. */
#ifndef CORE_PROVIDER_REPLAY_EXCHANGE_H
#define CORE_PROVIDER_REPLAY_EXCHANGE_H

#include "core/base/buf.h"
#include "core/base/fail.h"

#include <conduit/provider.h>

struct exchange;

/* What came of replaying one. Owned; starts as zeros. */
struct exchange_report {
	struct buf faults; /* a line each: file, line, what should be and was */
	struct buf notes; /* a line each: what isn't wrong, but should be known */
	struct buf requests; /* "GET https://…", a line each */
	struct buf view; /* what a user of the tree would see, as a terminal shows it */
	size_t replays; /* how often it was replayed */
};

/* Reads a file and what it names. `base_url` is the provider's where the file says none (NULL:
 * ""). NULL with words. */
struct exchange *exchange_read(const char *path, const char *base_url, struct fail *fail);
void exchange_destroy(struct exchange *exchange);
/* The service's address in it. */
const char *exchange_base_url(const struct exchange *exchange);
/* "text-to-text" …; NULL for a discovery. */
const char *exchange_capability(const struct exchange *exchange);

/* Replays it whole, byte by byte, and in two pieces at each byte of the replies (at evenly spread
 * ones, said in a note, where that would be more than a gigabyte to feed), and answers the turn's
 * first request with each HTTP status of the manual's table. False when there are faults.
 * `long_view`: the view isn't shortened. */
bool exchange_replay(const struct exchange *exchange, const struct conduit_provider *provider,
		bool long_view, struct exchange_report *ret);
void exchange_report_finish(struct exchange_report *report);

/* All of this at once; `fail` has the faults. */
bool exchange_check(const struct conduit_provider *provider, const char *path, struct fail *fail);

#endif
