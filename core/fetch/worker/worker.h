/* The process that does the work of conduitfs-fetch, shut in: it takes the source's lock, obtains
 * the files, builds, and reports the end. */
#ifndef CORE_FETCH_WORKER_WORKER_H
#define CORE_FETCH_WORKER_WORKER_H

#include "core/fetch/message.h"

/* `channel` leads to the process that watches it. */
void worker_run(const struct task *task, int channel);

#endif
