/* What the files of an exchange share; nobody else includes it. */
#ifndef CORE_ENGINE_RUN_EXCHANGE_PRIVATE_H
#define CORE_ENGINE_RUN_EXCHANGE_PRIVATE_H

#include "core/engine/replay/kept_job.h"
#include "core/engine/run/exchange.h"
#include "core/engine/run/feed.h"
#include "core/engine/run/withdraw.h"
#include "core/process/program.h"

struct exchange {
	struct provider *provider;
	struct version *version; /* held: that it began on, whatever comes in its place */
	struct exchange_events events;
	void *data;
	struct job *job;
	struct kept_job *kept; /* in its stead, for `driver: replay` */
	struct transfer *transfer;
	struct transfer_timeouts timeouts;
	uint64_t body_most; /* of a reply */
	struct list link; /* in the provider's list of those that end by themselves */
	bool leaving;
	bool unheard; /* its turn is over: it goes on until the job can be withdrawn */
	uint64_t left_bytes;
	struct exchange_file *files;
	size_t n_files;

	/* The request in hand; kept until a delay is over. */
	struct body body;
	char *method, *url;
	char **headers;
	bool to_output;
	bool submits; /* also while it is under way */

	struct feed feed; /* a file that the provider reads */

	/* The program that runs for it: see exchange_program.h. */
	struct program *program;
	char *directory; /* of the turn's files; NULL where there is no turn */
	char *work; /* where its programs work, once one did */
	char *missing; /* the program that was asked for and isn't there */
	struct buf said; /* the beginning of its stdout */

	int status; /* of the last reply */
	bool straight; /* the body goes to the output without the provider */
	bool accepted; /* a request was, or may have been: it may cost */
	bool submitted; /* a paid job was begun: never again */
	bool resumable; /* but it may be picked up */
	struct withdrawal withdrawal;
	bool spoke; /* the provider asked for something, or said how the job is cancelled */
	double retry_after;
	struct fail failure; /* what ends the exchange from the timer */
	uv_timer_t timer; /* a delay, a deferred failure, the next piece of a file */
	uv_timer_t deadline; /* timeout_total, over all of its requests and what lies between */
	unsigned handles; /* of these two that aren't closed */
};

/* What a job says is done by these; their data is the exchange. */
extern const struct job_events exchange_job_events;
/* Ends the exchange: tells it, and frees it. */
void exchange_finish(struct exchange *exchange, const struct exchange_result *result);
/* Ends it as `failure` says, but from the loop: a job or a transfer can't be freed inside its own
 * event. */
void exchange_fail_later(struct exchange *exchange);
/* Of one that goes on unheard: the job's submission was answered. Ends it, from the loop. */
void exchange_submission_over(struct exchange *exchange);
/* timeout_total is over. */
void exchange_on_deadline(uv_timer_t *timer);

/* Sends the request in hand. */
void exchange_send(struct exchange *exchange);
/* Frees it. */
void exchange_drop_request(struct exchange *exchange);
/* The provider has all it needs, but the reply isn't over: a stream's last chunk is still to come.
 * Closing now would cost the connection, so the rest is read and dropped. */
void exchange_leave(struct exchange *exchange);
/* Whether the turn may be attempted again: a job that was begun may only be picked up, and asking
 * after it costs nothing. */
bool exchange_may_repeat(const struct exchange *exchange, bool sent_whole);

#endif
