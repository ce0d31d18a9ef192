/* Kit: a request's body as a recipe, built piece by piece. Literal bytes are gathered; files are
 * only named, and their bytes added by the daemon as it sends.
 *
 *     struct conduit_body *body = conduit_body_create();
 *     conduit_body_text(body, "{\"input\":\"");
 *     conduit_body_file(body, CONDUIT_FILE_JSON, part->file);
 *     conduit_body_text(body, "\"}");
 *     conduit_body_send(body, job, &(struct conduit_request){.method = "POST", .url = url});
 *     conduit_body_destroy(body);
 *
 * Adding never fails visibly: a body that ran out of memory fails its job when it is sent. */
#ifndef CONDUIT_KIT_BODY_H
#define CONDUIT_KIT_BODY_H

#include <conduit/provider.h>

struct conduit_body;

/* NULL without memory, which all the others accept. */
struct conduit_body *conduit_body_create(void);
void conduit_body_destroy(struct conduit_body *body);

/* Literal bytes; at most 1 MiB in all. */
void conduit_body_text(struct conduit_body *body, const char *text);
void conduit_body_bytes(struct conduit_body *body, const char *bytes, size_t size);
/* A JSON string, quotes included; bytes that aren't UTF-8 become U+FFFD. */
void conduit_body_string(struct conduit_body *body, const char *text, size_t size);
/* One of the turn's files, in one of the FILE kinds; at most 4096 pieces in all. */
void conduit_body_file(struct conduit_body *body, enum conduit_body_kind kind, uint32_t file);

/* Makes the request with this body (its own `body` and `n_body` are ignored), or fails the job. */
void conduit_body_send(struct conduit_body *body, struct conduit_job *job,
		const struct conduit_request *request);

#endif
