/* From checked files to a built object in the cache. */
#ifndef CORE_FETCH_WORKER_COMPILE_H
#define CORE_FETCH_WORKER_COMPILE_H

#include "core/fetch/worker/report.h"

/* Fills in `object` and `messages` of a result whose `commit` and `files` are known; an object that
 * the cache has for the same commit, compiler and flags is taken. The messages are there after a
 * failure too. */
bool compile(struct report *report, const struct task *task, struct fetch_result *ret,
		struct fail *fail);

#endif
