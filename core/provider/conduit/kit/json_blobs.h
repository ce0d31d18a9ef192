/* Kit: a JSON document of which some strings are huge (an image as base64): these are handed over
 * in pieces while they arrive, so that they are never held; what is left of the document, with ""
 * in their place, can be asked for at its end.
 *
 *     static const char *const names[] = {"b64_json", NULL};
 *     struct conduit_json_blobs *blobs = conduit_json_blobs_create(
 *             &(struct conduit_json_blobs_calls){.names = names, .piece = …, .data = state});
 *     conduit_json_blobs_feed(blobs, bytes, size); …
 *     struct conduit_json *rest = conduit_json_blobs_rest(blobs);   NULL: it wasn't JSON
 *     conduit_json_blobs_destroy(blobs); */
#ifndef CONDUIT_KIT_JSON_BLOBS_H
#define CONDUIT_KIT_JSON_BLOBS_H

#include <conduit/kit/json.h>

struct conduit_json_blobs;

struct conduit_json_blobs_calls {
	/* Members whose strings are handed over, at whatever depth they stand; ended by NULL. With
	 * dots, a member within others: "message.audio.data"; arrays between them don't count. */
	const char *const *names;
	/* One begins, by its name as it was asked for; the pieces of its text, escapes resolved
	 * (what isn't ASCII among them comes as '?'); it is whole. A document that is cut short has
	 * no `end` for its last. Each may be NULL. */
	void (*begin)(void *data, const char *name);
	void (*piece)(void *data, const char *text, size_t size);
	void (*end)(void *data);
	void *data;
};

/* What is left of a document when the blobs are out is at most this. */
#define CONDUIT_JSON_BLOBS_REST ((size_t)1 << 20)

/* NULL without memory, which all the others accept. `calls` is copied, the names aren't. */
struct conduit_json_blobs *conduit_json_blobs_create(const struct conduit_json_blobs_calls *calls);
void conduit_json_blobs_destroy(struct conduit_json_blobs *blobs);
void conduit_json_blobs_feed(struct conduit_json_blobs *blobs, const char *bytes, size_t size);
/* At the end: what is left, to be freed. NULL when the document isn't JSON, was cut short, or is
 * too large even so. */
struct conduit_json *conduit_json_blobs_rest(struct conduit_json_blobs *blobs);

#endif
