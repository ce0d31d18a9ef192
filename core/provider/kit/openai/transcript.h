/* What is heard or read in a file, as text: transcription and, of documents, OCR. */
#ifndef CORE_PROVIDER_KIT_OPENAI_TRANSCRIPT_H
#define CORE_PROVIDER_KIT_OPENAI_TRANSCRIPT_H

#include "core/base/buf.h"

#include <conduit/kit/openai.h>

struct transcript {
	struct conduit_job *job;
	const struct conduit_openai *dialect;
	struct buf reply; /* JSON */
	bool straight; /* the reply goes to the output as it is */
	bool pages; /* it is of a document */
	bool over;
};

/* Makes the request, or fails the job. */
void transcript_begin(struct transcript *transcript, struct conduit_job *job,
		const struct conduit_turn *turn, const struct conduit_openai *dialect);
void document_begin(struct transcript *transcript, struct conduit_job *job,
		const struct conduit_turn *turn, const struct conduit_openai *dialect);
/* The body of a good reply, and its end. */
void transcript_feed(struct transcript *transcript, const char *bytes, size_t size);
void transcript_end(struct transcript *transcript);
void transcript_finish(struct transcript *transcript);

#endif
