/* Results that stand as strings in a service's JSON: base64, a "data:" URL with base64 in it, which
 * are decoded as they stream and put out, or the URL of a file, which is downloaded when the reply
 * is over. */
#ifndef CORE_PROVIDER_KIT_OPENAI_INLINED_H
#define CORE_PROVIDER_KIT_OPENAI_INLINED_H

#include "core/base/buf.h"

#include <conduit/kit/base64.h>
#include <conduit/provider.h>

/* Of one turn. */
#define INLINED_URLS_MOST 64

/* Starts as zeros, but for what is said to be given. */
struct inlined {
	struct conduit_job *job; /* given */
	const char *service; /* given: for words */
	/* Given, or NULL for conduit_result: bytes of another result are about to be put out. */
	void (*begin)(void *data);
	void *data; /* for it */
	bool over; /* the job finished or failed: nothing is taken any more */
	struct conduit_base64 decoder;
	enum { INLINED_NONE, INLINED_BASE64, INLINED_URL } form; /* of the one under way */
	struct buf text; /* of a URL */
	bool begun; /* bytes of it went out */
	size_t n; /* that were begun */
	char *urls[INLINED_URLS_MOST];
	size_t n_urls, downloaded;
};

/* A string begins, which may be a URL or is base64; a piece of its text; it is whole. What is wrong
 * with it fails the job. */
void inlined_begin(struct inlined *inlined, bool is_url);
void inlined_piece(struct inlined *inlined, const char *text, size_t size);
void inlined_end(struct inlined *inlined);
/* Asks for the next file to be downloaded; false when there is none left. */
bool inlined_download(struct inlined *inlined);
void inlined_finish(struct inlined *inlined);

#endif
