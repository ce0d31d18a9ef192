/* A job as the replay runs it: shared by its two halves, what the provider calls and what calls
 * the provider. */
#ifndef CORE_PROVIDER_REPLAY_JOB_H
#define CORE_PROVIDER_REPLAY_JOB_H

#include "core/provider/replay/replay.h"

enum pending {
	PENDING_NOTHING,
	PENDING_REPLY,
	PENDING_RUN,
	PENDING_FILE,
};

struct conduit_job {
	struct replay *replay;
	const struct replay_script *script;
	bool is_discovery;
	bool may_ask; /* within discover, transform or end: where a request may be made */
	enum pending pending;
	uint32_t file; /* which, when one is pending */
	enum conduit_sink sink;
	size_t model_size; /* of the provider's struct conduit_model */
	void *state;
};

/* The job is over: emitting is ignored from here. */
bool job_over(const struct conduit_job *job);
/* Notes the first broken rule. */
void job_broke(struct conduit_job *job, const char *rule);

#endif
