/* Kit: a reply kept whole until it ends, as what is parsed at once or is an error.
 *
 *     conduit_gather_head(&state->reply, reply);               … from `reply`
 *     conduit_gather(&state->reply, bytes, size, most);        … from `data`
 *     conduit_gather_finish(&state->reply);                    … from `release` */
#ifndef CONDUIT_KIT_GATHER_H
#define CONDUIT_KIT_GATHER_H

#include <conduit/provider.h>

/* Begins as zeros. */
struct conduit_gathered {
	int status; /* of the reply; 0 until its head came */
	char type[128]; /* of its content, without parameters; "" unknown */
	char *body; /* NULL while empty; else followed by a NUL */
	size_t size;
};

/* The reply's head; forgets what was kept of one before. */
void conduit_gather_head(struct conduit_gathered *gathered, const struct conduit_reply *reply);
/* Keeps a piece of the body. What is beyond `most` bytes in all is dropped, as is what memory has
 * no room for: of an error that much is enough, and a document is found to be cut. */
void conduit_gather(struct conduit_gathered *gathered, const void *bytes, size_t size, size_t most);
/* Forgets all of it and frees the body; may be used again. */
void conduit_gather_finish(struct conduit_gathered *gathered);

static inline bool conduit_gathered_good(const struct conduit_gathered *gathered) {
	return gathered->status >= 200 && gathered->status <= 299;
}

/* Fails the job with it: conduit_http_failure (failure.h). */
void conduit_gathered_failure(struct conduit_job *job, const struct conduit_gathered *gathered);

#endif
