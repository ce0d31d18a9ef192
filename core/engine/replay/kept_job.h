/* The jobs of `driver: replay`: what a provider's process would say, from kept turns instead. The
 * same events, from the loop; what has to be read is read on the pool. */
#ifndef CORE_ENGINE_REPLAY_KEPT_JOB_H
#define CORE_ENGINE_REPLAY_KEPT_JOB_H

#include "core/engine/replay/kept.h"
#include "core/engine/run/exchange.h"

#include <uv.h>

struct kept_job;

/* A model for each that a turn was kept of. The place must outlive the job. NULL without memory. */
struct kept_job *kept_discover(uv_loop_t *loop, struct kept_place *place,
		const struct job_events *events, void *data);
/* Answers a turn, whose files are the caller's until the end. NULL without memory. */
struct kept_job *kept_transform(uv_loop_t *loop, struct kept_place *place,
		const struct job_turn *turn, const struct exchange_file *files, size_t n_files,
		const struct job_events *events, void *data);
/* No further event; what the pool has in hand is waited for by nobody. NULL is fine. */
void kept_job_cancel(struct kept_job *job);

#endif
