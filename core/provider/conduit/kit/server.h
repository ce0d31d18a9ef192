/* Kit: a server of this machine with an interface of its own. Which of several kinds it is, what
 * voices and models it has, is found out by asking for one path after the other; the last reply of
 * a turn is the result. The steps of a job are local.h's. That nobody answers needs no words here:
 * the daemon says it, and how the server is started (the manifest's `start`).
 *
 *     static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
 *             struct conduit_multipart *form = conduit_multipart_create();
 *             …
 *             struct conduit_request request = conduit_server_post(job, "/speak", NULL, NULL);
 *             conduit_multipart_send(form, job, &request);
 *             conduit_multipart_destroy(form);
 *     }
 *     CONDUIT_PROVIDER(…, CONDUIT_LOCAL_CALLBACKS)
 */
#ifndef CONDUIT_KIT_SERVER_H
#define CONDUIT_KIT_SERVER_H

#include <conduit/kit/local.h>

/* The URL of a path ("/v1/models?all=1") of the server; valid until the job asks for another. */
const char *conduit_server_url(struct conduit_job *job, const char *path);

/* Asks for a path; the reply comes to `then`. */
void conduit_server_get(struct conduit_job *job, const char *path, conduit_answered *then);

/* For `then`: the reply is the turn's result, and went to the output; an error fails the job with
 * the server's words. */
void conduit_server_done(struct conduit_job *job, const struct conduit_answer *answer);

/* The same of speech, a picture or a video: one that says it is JSON or a page fails the job. For
 * conduit_local_expect, after conduit_server_post. */
void conduit_server_media_done(struct conduit_job *job, const struct conduit_answer *answer);

/* A POST to a path, to be sent next, with a body of whichever kit. Its reply comes to `then`; NULL:
 * it is the turn's result, for conduit_server_done. `headers`: see conduit_request. */
static inline struct conduit_request conduit_server_post(struct conduit_job *job, const char *path,
		const char *const *headers, conduit_answered *then) {
	conduit_local_expect(job, then != NULL ? then : conduit_server_done);
	return (struct conduit_request){.method = "POST",
			.url = conduit_server_url(job, path),
			.headers = headers,
			.sink = then != NULL ? CONDUIT_TO_PROVIDER : CONDUIT_TO_OUTPUT};
}

/* What an array lists, one a line, each ended by a newline: its strings, or the strings that are
 * the member `name` of its objects; and `more` after them where there is any (NULL for nothing).
 * "" where there is none; NULL without memory. To be freed. */
char *conduit_server_names(const struct conduit_json *array, const char *name, const char *more);

#endif
