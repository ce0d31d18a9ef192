/* Answers that are given again (config/cache): the same request within that time is answered with
 * the earlier turn's bytes, for nothing. The same are the model, what is sent of the conversation,
 * its attachments and the settings that a provider is told. Private: see run.h. */
#ifndef CORE_ENGINE_RUN_ANSWERS_H
#define CORE_ENGINE_RUN_ANSWERS_H

#include "core/engine/run/run.h"

struct answer_work;

enum answer_outcome {
	ANSWER_NONE, /* the request has to be sent */
	ANSWER_GIVEN, /* the run has ended and is gone */
	ANSWER_LATER, /* a long conversation is read on the pool; then attempt_go_on is called */
};

/* Before a request is sent. Notes in the turn's row what it is known by, for requests to come. A
 * retry is always sent. */
enum answer_outcome answers_look(struct run *run, const struct prepared *prepared);
/* No event follows. NULL is fine. */
void answers_cancel(struct answer_work *work);

#endif
