/* Recorded exchanges: the files *.exchange in a provider's tests/, which say in a few lines what
 * is asked of the provider, what the service replied, and what must come of it.
 *
 *     # A plain answer, streamed.                  a comment
 *     base_url https://acme.example/v1             handed to the provider
 *     turn acme/one text-to-text                   model and capability; or: discover
 *     prompt Say hello                             the turn's text
 *     set temperature 0.5                          a setting
 *     reply 200 text/event-stream hello.sse        status, type, file of the body beside; in order
 *     request POST https://acme.example/v1/chat    from here on: what must be. Requests in order,
 *     header Content-Type: application/json        what the last one's headers and
 *     body "stream":true                           body must hold
 *     output Hello!                                all of it
 *     reasoning "Hm.\n"                            a value that begins with a quote is JSON
 *     finish stop
 *     answered_by acme/one-2026                    the model that really answered
 *     prompt_tokens 5                              also completion_tokens, reasoning_tokens,
 *     cost 3.4e-7                                  cached_tokens
 *     fail BUSY                                    a kind of provider.h
 *     words try later                              what the words of the failure must hold
 *     models 2                                     how many were found
 *     model acme/one                               one of them
 *     price acme/one prompt 1.8e-7                 and what a unit of it costs, in USD
 *
 * A turn that isn't said to fail must finish. */
#ifndef CORE_PROVIDER_REPLAY_EXCHANGE_H
#define CORE_PROVIDER_REPLAY_EXCHANGE_H

#include "core/base/fail.h"

#include <conduit/provider.h>

/* Replays the file whole, byte by byte, and in two pieces at each byte of the first reply. False
 * with words (file, line, what was and what should be) when anything isn't as it says. */
bool exchange_check(const struct conduit_provider *provider, const char *path, struct fail *fail);

#endif
