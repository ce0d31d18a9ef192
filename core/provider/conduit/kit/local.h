/* Kit: a job on this machine, step by step. Each step asks a server (server.h) or a program
 * (program.h) one thing and names the function that the answer comes to, whole; which asks the
 * next, or ends the job.
 *
 *     static void listed(struct conduit_job *job, const struct conduit_answer *answer) { … }
 *     static void discover(struct conduit_job *job) {
 *             conduit_server_get(job, "/v1/audio/voices", listed);
 *     }
 *     CONDUIT_PROVIDER(…, CONDUIT_LOCAL_CALLBACKS)
 *
 * conduit_state is the kit's; what the provider itself keeps is in conduit_local_own. */
#ifndef CONDUIT_KIT_LOCAL_H
#define CONDUIT_KIT_LOCAL_H

#include <conduit/kit/json.h>
#include <conduit/provider.h>
#include <string.h>

/* Bytes that are kept of an answer: of a larger one its beginning. */
#define CONDUIT_ANSWER_MOST ((size_t)4 << 20)

/* Grows at its end only. */
struct conduit_answer {
	int status; /* HTTP's, or a program's exit, as of conduit_run */
	const char *type; /* of a server's reply: conduit_reply's content_type */
	const char *body; /* what it replied, or said on stdout; a NUL follows. "" where it went
			     to the output */
	size_t size;
	int results; /* files that a program left */
	const char *words; /* "NAME: why", of a program that failed; "" of a server */
};

/* It and what it points to are the kit's, valid until the function returns. */
typedef void conduit_answered(struct conduit_job *job, const struct conduit_answer *answer);

/* The answer as JSON, to be freed with conduit_json_free; NULL where its HTTP status isn't 200, or
 * it is none. */
struct conduit_json *conduit_answer_json(const struct conduit_answer *answer);

/* The provider's own memory of this job: `size` bytes, zeros at first, the same in every step. The
 * kit frees them as the job is over, after `finish` (may be NULL), which frees what they point to.
 * NULL, and the job has failed, without memory. */
void *conduit_local_own(struct conduit_job *job, size_t size, void (*finish)(void *own));

/* The answer to what is asked next comes to `then`: for a request that neither server.h nor
 * program.h makes. False, and the job has failed, without memory. */
bool conduit_local_expect(struct conduit_job *job, conduit_answered *then);

/* Emits a model that costs nothing: `prices` is filled in, and `id_size`, where it is 0, of an id
 * that is a string. */
static inline void conduit_local_model(struct conduit_job *job, const struct conduit_model *model) {
	static const struct conduit_price prices[] = {{"prompt", 0}, {"completion", 0}};
	struct conduit_model free_of_charge = *model;
	free_of_charge.id_size = model->id_size != 0 ? model->id_size : strlen(model->id);
	free_of_charge.prices = prices;
	free_of_charge.n_prices = sizeof(prices) / sizeof(prices[0]);
	conduit_model(job, &free_of_charge);
}

/* Ends a turn well that has cost nothing. */
void conduit_local_finish(struct conduit_job *job, const char *finish);

void conduit_local_reply(struct conduit_job *job, const struct conduit_reply *reply);
void conduit_local_data(struct conduit_job *job, const void *bytes, size_t size);
void conduit_local_end(struct conduit_job *job);
void conduit_local_release(struct conduit_job *job);

#define CONDUIT_LOCAL_CALLBACKS                                                                    \
	.reply = conduit_local_reply, .data = conduit_local_data, .end = conduit_local_end,        \
	.release = conduit_local_release

#endif
