/* What a turn cost that was cut off: a question by the id that its reply's head gave. */
#ifndef CORE_PROVIDER_KIT_OPENAI_COST_H
#define CORE_PROVIDER_KIT_OPENAI_COST_H

#include "core/base/buf.h"

#include <conduit/kit/openai.h>

struct cost {
	struct conduit_job *job;
	const char *service; /* for words */
	struct buf body;
};

/* Makes the request, or fails the job. */
void cost_begin(struct cost *cost, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect);
/* The body of a good reply; at its end usage is emitted and the job finishes. */
void cost_feed(struct cost *cost, const char *bytes, size_t size);
void cost_end(struct cost *cost);
void cost_finish(struct cost *cost);

#endif
