/* Kit: a service with a queue. A job is submitted, polled until it is done, and its result fetched:
 * files are downloaded into the turn's output, one after the other, text is put out as it is.
 *
 *     static const struct conduit_queue acme = {.service = "Acme", .told = told, .result = result};
 *
 *     static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
 *             if (conduit_queue_resumed(job, turn, &acme)) {
 *                     return;
 *             }
 *             struct conduit_object *input = conduit_object_create(turn);
 *             conduit_queue_input(input, turn, NULL);
 *             conduit_queue_submit(job, &acme, input, &(struct conduit_request){…});
 *             conduit_object_destroy(input);
 *     }
 *     CONDUIT_PROVIDER(…, CONDUIT_QUEUE_CALLBACKS)
 *
 * The kit says what there is to say of a job that goes on elsewhere: progress, how it is cancelled,
 * and that it may be picked up, by the URL that is polled. It polls after half a second, then ever
 * more slowly up to every five seconds; a service on this machine every 20 ms. Its callbacks pass
 * over jobs that others began, so that they can stand beside those of another kit. */
#ifndef CONDUIT_KIT_QUEUE_H
#define CONDUIT_KIT_QUEUE_H

#include <conduit/kit/json.h>
#include <conduit/kit/object.h>
#include <conduit/provider.h>

/* Files of one result; more are left out with a line in the log. */
#define CONDUIT_QUEUE_FILES_MOST 256

/* What the reply to a submission or a poll says. Strings belong to the reply, or are static; NULL
 * for what it doesn't say. */
struct conduit_queue_told {
	bool done; /* there is a result, or why there is none: nothing more to poll or cancel */
	const char *poll; /* the absolute URL to poll; needed once, while it isn't done */
	const char *cancel; /* the absolute URL that cancels … */
	const char *cancel_method; /* … by this method */
	const char *result; /* where the result is fetched; NULL: this reply is it */
	/* server-sent events of its text: `output`, then `done`; not asked for where the turn that
	 * conduit_queue_look or _resumed was given makes no text */
	const char *stream;
	double share; /* as of conduit_progress; starts as NAN */
	const char *doing;
};

/* How a service's queue speaks. Grows at its end only. Must live as long as the provider. */
struct conduit_queue {
	const char *service; /* its name, for words */
	/* Reads such a reply. False: it has ended the job. */
	bool (*told)(struct conduit_job *job, const struct conduit_json *reply,
			struct conduit_queue_told *ret);
	/* Reads the result: conduit_queue_file and conduit_queue_text for what there is, and
	 * conduit_usage. False: it has ended the job. */
	bool (*result)(struct conduit_job *job, const struct conduit_json *result);
	/* What conduit_queue_look asked for is there. Submits, or ends the job. */
	void (*looked)(struct conduit_job *job, const struct conduit_turn *turn,
			const struct conduit_json *found);
	const char *const *headers; /* of polls, ended by NULL; may be NULL */
};

/* Goes on with a job that was begun earlier: true when the turn is such a one. */
bool conduit_queue_resumed(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_queue *queue);
/* Asks for something before the job is submitted; the turn is kept until then. */
void conduit_queue_look(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_queue *queue, const char *url);
/* Submits the job: once and never again. */
void conduit_queue_submit(struct conduit_job *job, const struct conduit_queue *queue,
		struct conduit_object *input, const struct conduit_request *request);

/* In `result`: a file, by its URL (http, https or data:); type and name may be NULL. */
void conduit_queue_file(
		struct conduit_job *job, const char *url, const char *type, const char *name);
/* In `result`: text. What was streamed of it already isn't put out again. */
void conduit_queue_text(struct conduit_job *job, const char *text, size_t size);
/* In `result`: whatever there is in it. Each string that is a URL, or stands in an object as `url`,
 * is a file, in order, but a `prompt` that is given back; where there is none, the text that the
 * result is or has as `text` or `output` (an array of strings is put together); else the whole as
 * JSON. Where no text is made a file at an address of another kind (file:, ftp: …) fails the job.
 */
void conduit_queue_found(struct conduit_job *job, const struct conduit_json *result);

/* Writes a turn as a model's input: the prompt, files as data: URLs, the settings in force.
 * `schema` are the properties of the model's JSON schema: of those that it has the fitting ones are
 * written. A size as "1024x768" becomes {"width":1024,"height":768} where the model's takes an
 * object. NULL where it isn't known: by the names that most models have. */
void conduit_queue_input(struct conduit_object *input, const struct conduit_turn *turn,
		const struct conduit_json *schema);

/* The settings that a model with these properties takes: "seed,n"; to be freed; NULL without
 * memory.
 */
char *conduit_queue_parameters(const struct conduit_json *schema);
/* What a model with these properties says of those settings: ranges, choices and defaults.
 * `schemas` is what "#/components/schemas/NAME" refers to, NULL for none. Sets *n; to be freed with
 * conduit_queue_limits_free, before or after the schema. NULL, and 0, where it says nothing (of odd
 * schemas what doesn't read as a limit is passed over) and without memory. */
struct conduit_limit *conduit_queue_limits(
		const struct conduit_json *schema, const struct conduit_json *schemas, size_t *n);
void conduit_queue_limits_free(struct conduit_limit *limits, size_t n);
/* What a model with these properties takes as input: "text,image"; one static string of few. */
const char *conduit_queue_modalities(const struct conduit_json *schema);

void conduit_queue_reply(struct conduit_job *job, const struct conduit_reply *reply);
void conduit_queue_data(struct conduit_job *job, const void *bytes, size_t size);
void conduit_queue_end(struct conduit_job *job);
void conduit_queue_release(struct conduit_job *job);

#define CONDUIT_QUEUE_CALLBACKS                                                                    \
	.reply = conduit_queue_reply, .data = conduit_queue_data, .end = conduit_queue_end,        \
	.release = conduit_queue_release

#endif
