/* From a source to checked files in the cache. */
#ifndef CORE_FETCH_WORKER_OBTAIN_H
#define CORE_FETCH_WORKER_OBTAIN_H

#include "core/fetch/worker/report.h"

/* Fills in `commit`, `tree` and `files`. The caller holds the source's lock. */
bool obtain(struct report *report, const struct task *task, struct fetch_result *ret,
		struct fail *fail);

#endif
