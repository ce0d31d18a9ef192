/* Kit: a request's body as multipart/form-data (RFC 7578), for services that take files so.
 *
 *     struct conduit_multipart *form = conduit_multipart_create();
 *     conduit_multipart_text(form, "model", turn->model);
 *     conduit_multipart_file(form, "file", part, "speech.mp3");
 *     conduit_multipart_send(form, job, &(struct conduit_request){.method = "POST", .url = url});
 *     conduit_multipart_destroy(form);
 *
 * What can't be added is remembered and fails the job when it is sent. All of these take NULL. */
#ifndef CONDUIT_KIT_MULTIPART_H
#define CONDUIT_KIT_MULTIPART_H

#include <conduit/kit/body.h>

struct conduit_multipart;

/* NULL without memory. */
struct conduit_multipart *conduit_multipart_create(void);
void conduit_multipart_destroy(struct conduit_multipart *form);

/* A field; names are the caller's own and need no escapes. */
void conduit_multipart_text(struct conduit_multipart *form, const char *name, const char *text);
/* A setting that is in force, as a field. */
void conduit_multipart_setting(struct conduit_multipart *form, const struct conduit_turn *turn,
		const char *setting, const char *name);
/* A field whose text is one of the turn's files. */
void conduit_multipart_part(
		struct conduit_multipart *form, const char *name, const struct conduit_part *part);
/* One of the turn's files as such, with its type; `filename` is what it is called there, by whose
 * extension some services go. */
void conduit_multipart_file(struct conduit_multipart *form, const char *name,
		const struct conduit_part *part, const char *filename);
/* The members of the setting `extra`, each a field. One that was added before stands as well: most
 * services take the last. */
void conduit_multipart_extra(struct conduit_multipart *form, const struct conduit_turn *turn);

/* Makes the request with this body and its Content-Type (among at most 30 headers). */
void conduit_multipart_send(struct conduit_multipart *form, struct conduit_job *job,
		const struct conduit_request *request);

#endif
