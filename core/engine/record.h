/* What is kept beside a turn for people and for provider authors: the request as it was sent and
 * the reply as it came. Private to the engine's runs: see run.h. Gathered in memory while somebody
 * waits for the answer, and written when nobody does. */
#ifndef CORE_ENGINE_RECORD_H
#define CORE_ENGINE_RECORD_H

#include "core/transfer/body.h"
#include "core/turn/turn.h"

struct record {
	struct turn *turn; /* of the run that holds this */
	struct body request;
	struct buf response;
	uint64_t response_size, reasoning_size; /* of the attempt, written or not */
};

/* A new attempt begins: what the one before it was told isn't part of the answer. */
void record_begin(struct record *record, struct turn *turn);
void record_finish(struct record *record);

/* A request goes out. */
void record_request(struct record *record, const struct body *body);
/* Bytes of a reply's body came. */
void record_response(struct record *record, const void *bytes, size_t size);
/* The model thought aloud. */
void record_reasoning(struct record *record, const void *bytes, size_t size);
/* Writes what was gathered to the turn's files. */
void record_write(struct record *record);

#endif
