/* Rerank: the documents of a prompt, the best for its query first. */
#ifndef CORE_PROVIDER_KIT_OPENAI_RERANK_H
#define CORE_PROVIDER_KIT_OPENAI_RERANK_H

#include "core/provider/kit/prompt_lines.h"

#include <conduit/kit/openai.h>

struct rerank {
	struct conduit_job *job;
	const struct conduit_openai *dialect;
	struct prompt_lines prompt; /* the query, then a document a line */
	size_t *documents; /* lines that were sent, in order */
	size_t n_documents;
	bool asked; /* the request is made */
	struct buf body;
	bool over; /* the job finished or failed */
};

/* Asks for the prompt, whose bytes come to rerank_prompt_feed. */
void rerank_begin(struct rerank *rerank, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect);
/* Whether the prompt is still being read. */
bool rerank_reads(const struct rerank *rerank);
void rerank_prompt_feed(struct rerank *rerank, const char *bytes, size_t size);
void rerank_prompt_end(struct rerank *rerank);
/* The body of a good reply. */
void rerank_feed(struct rerank *rerank, const char *bytes, size_t size);
void rerank_end(struct rerank *rerank);
void rerank_finish(struct rerank *rerank);

#endif
