/* Embeddings: a prompt, or each line of it, as a vector. Knows nothing of HTTP but what to ask. */
#ifndef CORE_PROVIDER_KIT_OPENAI_EMBED_H
#define CORE_PROVIDER_KIT_OPENAI_EMBED_H

#include "core/provider/kit/prompt_lines.h"
#include "core/provider/kit/vectors.h"

#include <conduit/kit/json_items.h>
#include <conduit/kit/openai.h>

struct embed {
	struct conduit_job *job;
	const struct conduit_openai *dialect;
	const char *input; /* the request's member for the texts */
	const char *names[2]; /* the reply's array; NULL first: the reply is the array */
	bool by_line; /* a vector a line: the lines go out in several requests where they are many
		       */
	struct prompt_lines prompt; /* of a turn by line */
	size_t done; /* lines of the requests that are over */
	size_t asked; /* vectors that the request under way asks for */
	struct vectors vectors;
	struct buf *rows; /* as they will be put out, `asked` of them; empty until one came */
	size_t came;
	struct conduit_json_items *items; /* of the reply under way */
	struct conduit_usage reply_usage; /* of the request under way */
	struct conduit_usage usage; /* of all requests so far */
	char model[256];
	bool over; /* the job finished or failed */
};

/* Makes the request, or asks for the prompt first (then its bytes come to embed_prompt_feed). */
void embed_begin(struct embed *embed, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect);
/* Whether the prompt is still being read. */
bool embed_reads(const struct embed *embed);
void embed_prompt_feed(struct embed *embed, const char *bytes, size_t size);
void embed_prompt_end(struct embed *embed);
/* The body of a good reply; at its end the vectors go out, and the next request is made. */
void embed_feed(struct embed *embed, const char *bytes, size_t size);
void embed_end(struct embed *embed);
void embed_finish(struct embed *embed);

#endif
