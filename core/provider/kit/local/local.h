/* What the kits of this machine share: the state of a job that goes step by step. */
#ifndef CORE_PROVIDER_KIT_LOCAL_LOCAL_H
#define CORE_PROVIDER_KIT_LOCAL_LOCAL_H

#include "core/base/buf.h"

#include <conduit/kit/gather.h>
#include <conduit/kit/local.h>

struct local {
	conduit_answered *then; /* whom the answer under way is for; NULL: nobody */
	struct conduit_gathered reply;
	const char *program; /* that runs; NULL: a server is asked */
	bool puts_out; /* what it says is output */
	int results;
	struct buf words; /* of the program */
	struct buf url; /* that was made last */
	void *own; /* the provider's */
	void (*finish)(void *own); /* NULL: it points to nothing */
};

/* The job's, made where there is none yet; NULL, and the job has failed, without memory. */
struct local *local_of(struct conduit_job *job);

#endif
