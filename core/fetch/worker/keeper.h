/* The process that watches over the working one: it passes on what that reports, asks git's
 * credential helpers for it, and ends it when it stalls, takes too long, or nobody waits for it any
 * more. It never reads a byte from outside. */
#ifndef CORE_FETCH_WORKER_KEEPER_H
#define CORE_FETCH_WORKER_KEEPER_H

#include "core/fetch/message.h"

/* Starts the work and tells of it on `out`, until the end was told or `in` is closed. The exit
 * status. */
int keeper_run(const struct task *task, int in, int out);

#endif
