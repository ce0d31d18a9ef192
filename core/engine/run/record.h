/* What is kept beside a turn for people and for provider authors: the request as it was sent, the
 * reply as it came, and what else `conduitfs provider exchange` makes a recorded exchange of.
 * Private to the engine's runs: see run.h. Gathered in memory while somebody waits for the answer,
 * and written when nobody does. */
#ifndef CORE_ENGINE_RUN_RECORD_H
#define CORE_ENGINE_RUN_RECORD_H

#include "core/engine/run/results.h"
#include "core/process/process.h"
#include "core/transfer/body.h"
#include "core/turn/turn.h"

struct record {
	struct turn *turn; /* of the run that holds this */
	struct body request;
	struct buf response;
	uint64_t response_size, reasoning_size; /* of the attempt, written or not */
	/* The file `exchange`, in the form of core/provider/replay/exchange.h, except that a
	 * reply's last word is how many bytes of `response` are its body, "output", or "result" and
	 * the number of a further one. "body" is behind a request that had one; the last such is
	 * the one that request.json is of. Files that went along stand by their name in
	 * attachments/, further results by theirs in artifacts/ ("output" for one that became
	 * that); "asked" is the prompt's type where that isn't text, "files_before" says that
	 * earlier prompts had some. A last line "newline" says that the output's last byte was
	 * added to it, "broke" that it ended otherwise than the provider said. */
	struct buf exchange;
	char *type; /* as the provider said it of the output; NULL for nothing */
	char **types; /* and of each further result, in order; "-" for nothing */
	bool replying; /* its last line is a reply whose end hasn't come */
	bool to_output;
	size_t result; /* that it goes to; 0 the output */
	uint64_t reply_size;
};

/* A new attempt begins: what the one before it was told isn't part of the answer. */
void record_begin(struct record *record, struct turn *turn);
void record_finish(struct record *record);

/* What the provider is handed. */
void record_turn(struct record *record, const char *base_url, const char *system,
		const struct job_turn *turn);
/* A request goes out. */
void record_request(struct record *record, const char *method, const char *url,
		const struct body *body);
/* A reply began; `to_output`: its body goes to the output, or to this further result. */
void record_head(struct record *record, int status, const char *content_type, bool to_output,
		size_t result);
/* The provider began a result, the output or a further one; "" where it doesn't say what. */
void record_result(struct record *record, const char *type, bool further);
/* Bytes of a reply's body came. */
void record_response(struct record *record, const void *bytes, size_t size);
/* The model thought aloud. */
void record_reasoning(struct record *record, const void *bytes, size_t size);
/* Writes what was gathered to the turn's files. */
void record_write(struct record *record);
/* The turn is over: writes all there is. `newline`: one was added to the output; `by_provider`: it
 * ended as the provider said. */
void record_end(struct record *record, const struct results *results, bool newline,
		bool by_provider);

#endif
