/* Anthropic's messages API (https://docs.anthropic.com/en/api): what the parts of this provider
 * share. */
#ifndef ANTHROPIC_H
#define ANTHROPIC_H

#include <conduit/kit/json.h>
#include <conduit/kit/object.h>
#include <conduit/kit/tool_calls.h>
#include <conduit/provider.h>

/* An answer under way. */
struct answer {
	struct conduit_job *job;
	struct conduit_tool_calls *calls;
	struct conduit_usage usage;
	int64_t uncached; /* input tokens that came out of no cache; -1 unknown */
	int64_t cached; /* read from a cache */
	int64_t stored; /* written to it */
	char model[256];
	char stop[64]; /* the stop reason; "" while there is none */
	bool understood; /* an event of this API was among what came */
	bool over; /* finished or failed: the rest is ignored */
};

/* answer.c: what comes back. */
void answer_begin(struct answer *answer, struct conduit_job *job);
/* One event of the stream; an unknown one is ignored, as the API's versioning asks for. */
void answer_event(struct answer *answer, const struct conduit_json *event);
/* A whole message, or an error: what `"stream": false` in extra gives. */
void answer_message(struct answer *answer, const struct conduit_json *message);
/* Nothing more will come: ends the job unless that happened. */
void answer_end(struct answer *answer);
void answer_finish(struct answer *answer);

/* request.c: the turn as a request's body; NULL without memory. */
struct conduit_object *request_build(struct conduit_job *job, const struct conduit_turn *turn);

#endif
