/* A program that a job has run (conduit_run): what it may touch of the turn's, and what it leaves.
 * Private to the exchange. */
#ifndef CORE_ENGINE_RUN_EXCHANGE_PROGRAM_H
#define CORE_ENGINE_RUN_EXCHANGE_PROGRAM_H

#include "core/process/process.h"
#include "core/turn/results.h"

struct exchange;

/* Files that one turn may leave, results and scratch. */
#define PROGRAM_FILES_MOST (RESULTS_MOST + 16)

/* The job's `run` event. */
void exchange_on_run(void *data, const struct job_run *run);
/* There is room again for what it says. */
void exchange_program_resume(struct exchange *exchange);
/* Ends it and takes its directory away, when it is gone. */
void exchange_program_cancel(struct exchange *exchange);

#endif
