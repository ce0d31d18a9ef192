/* A user and password for a server that asks for them, from git's credential helpers: `git
 * credential fill`, which runs outside of the sandbox and never asks on a terminal. */
#ifndef CORE_FETCH_WORKER_CREDENTIAL_H
#define CORE_FETCH_WORKER_CREDENTIAL_H

#include "core/base/buf.h"
#include "core/fetch/git_url.h"

/* Appends the answer to a MESSAGE_CREDENTIALS as a line; blocks for at most `seconds`. */
void credential_fill(const struct git_url *url, double seconds, struct buf *out);

#endif
