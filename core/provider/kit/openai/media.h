/* Pictures and speech: a request out of a turn, and results out of its reply, which come as bytes,
 * as base64 in JSON (decoded as it streams), or as URLs that are downloaded one after the other. */
#ifndef CORE_PROVIDER_KIT_OPENAI_MEDIA_H
#define CORE_PROVIDER_KIT_OPENAI_MEDIA_H

#include "core/provider/kit/openai/inlined.h"

#include <conduit/kit/body.h>
#include <conduit/kit/json_blobs.h>
#include <conduit/kit/openai.h>

struct media {
	struct conduit_job *job;
	const struct conduit_openai *dialect;
	/* The reply, where it is JSON: not for one that goes to the output. */
	struct conduit_json_blobs *blobs; /* NULL: the bytes go to the output */
	struct inlined results;
};

/* Each makes the request, or fails the job. */
void images_begin(struct media *media, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect);
void speech_begin(struct media *media, struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect);

/* What both begin with. */
void media_begin(
		struct media *media, struct conduit_job *job, const struct conduit_openai *dialect);
/* The reply of the request is taken apart: JSON whose members of these names hold results. False
 * after failing the job. */
bool media_expect(struct media *media, const char *const *names);
/* The body of a good reply that doesn't go to the output. */
void media_feed(struct media *media, const char *bytes, size_t size);
/* A good reply is over: downloads what is to be, or finishes. */
void media_end(struct media *media, const char *content_type);
void media_finish(struct media *media);

/* The parts of the newest message: the first that is text, and the n-th of a kind ("image/"); NULL
 * when there is none. */
const struct conduit_part *media_prompt(const struct conduit_turn *turn);
const struct conduit_part *media_part(const struct conduit_turn *turn, const char *kind, size_t n);
/* What a file of this type is called where nothing names it: "audio.mp3". */
void media_filename(const struct conduit_part *part, char *ret, size_t size);
/* "data:image/png;base64,…" of a file, as a JSON string. */
void media_data_url(struct conduit_body *body, const struct conduit_part *part);
/* The base URL's origin, what is before, the model, what is after. */
void media_model_url(struct conduit_job *job, const char *before, const char *model,
		const char *after, struct buf *out);

#endif
