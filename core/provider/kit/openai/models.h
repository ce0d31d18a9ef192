/* Models out of a list in OpenAI's shape, taken apart while it arrives. */
#ifndef CORE_PROVIDER_KIT_OPENAI_MODELS_H
#define CORE_PROVIDER_KIT_OPENAI_MODELS_H

#include "core/base/buf.h"

#include <conduit/kit/json_items.h>
#include <conduit/kit/openai.h>

struct models {
	struct conduit_job *job;
	const struct conduit_openai *dialect;
	struct conduit_json_items *items; /* of the page under way */
	size_t emitted; /* of all pages */
	size_t left_out; /* logged so far; there is a most, as a list may be hostile */
	bool failed; /* the job: the page was an error */
	char *next; /* where the next page lies, as the service wrote it; owned */
};

/* Begins a page; false without memory. */
bool models_begin_page(struct models *models);
void models_feed(struct models *models, const void *bytes, size_t size);
/* The page ended. True: it was whole, and `next` says whether there is another. False: the job has
 * been failed. */
bool models_end_page(struct models *models);
void models_finish(struct models *models);

#endif
