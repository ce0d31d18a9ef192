/* What the tests of a provider's process share: a loop with an end, and an owner of a job that
 * writes down what happens to it. */
#ifndef TESTS_UNIT_PROCESS_SUPPORT_H
#define TESTS_UNIT_PROCESS_SUPPORT_H

#include "core/base/buf.h"
#include "core/process/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What a sanitized runner can't show: its filters only log, its memory isn't limited. */
#include "core/provider/sandbox.h"

/* The process under test and its log. */
struct fixture {
	uv_loop_t loop;
	struct process *process;
	struct buf log;
};

struct owner {
	struct fixture *fixture;
	struct job *job;
	bool answers; /* what is read is answered at once by `answer` */
	const char *answer;
	bool ended;
	int code;
	char *words, *finish, *model;
	int status;
	bool never_retry, crashed;
	unsigned n_ends, n_requests, n_reads, n_resumes, n_models, n_outputs;
	struct buf output, reasoning;
	struct buf runs; /* programs and their arguments */
	struct job_usage usage;
	char *method, *url, *header;
	struct body body;
	uint32_t delay_ms;
	bool submits;
	struct job_price prices[JOB_PRICES_MOST];
	size_t n_prices, raw_size;
	struct buf limits; /* of all models, as limit.h has them */
	struct buf models; /* id and name, a line each */
};

/* `object` is a name below the tests' objects, without ".so", or an absolute path. */
void fixture_init(struct fixture *fixture, const char *object);
void fixture_init_with(struct fixture *fixture, const char *object, double idle, double ack);
/* A process with options of the test's own, for the tests' objects and runner. */
void fixture_init_options(
		struct fixture *fixture, const char *object, const struct process_options *options);
/* Destroys the process and turns the loop until nothing is left in it. */
void fixture_finish(struct fixture *fixture);
/* Turns the loop until `*done` or for 10 s, which fails the test. */
void run_until(struct fixture *fixture, const bool *done);
/* The same until the count is reached, and until the log holds the text. */
void run_until_count(struct fixture *fixture, const unsigned *count, unsigned reached);
void run_until_logged(struct fixture *fixture, const char *text);
/* The same until no child runs. */
void run_until_ended(struct fixture *fixture);

void owner_init(struct owner *owner, struct fixture *fixture);
void owner_finish(struct owner *owner);
/* Starts a turn for `model` with one prompt, file 0 of 5 bytes. */
void owner_transform(struct owner *owner, const char *model);
void owner_discover(struct owner *owner);
/* Starts a turn and waits for its end. */
void owner_run(struct owner *owner, struct fixture *fixture, const char *model);

extern const struct job_events owner_events;

#endif
