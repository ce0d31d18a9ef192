/* One attempt at a job: what the provider asks for, fulfilled. Couples a job of the provider's
 * process with the transfers it requests, adds the key, resolves the files of a body, and says how
 * it ended and whether design section 3.8 lets it be tried again. */
#ifndef CORE_ENGINE_RUN_EXCHANGE_H
#define CORE_ENGINE_RUN_EXCHANGE_H

#include "core/engine/provider.h"

struct exchange;

struct exchange_result {
	int code; /* 0, or errno */
	const char *words; /* of a failure */
	const char *finish; /* "stop" …; "" for a failure */
	const char *model; /* the one that answered, "" when it wasn't said */
	int status; /* HTTP status of the last reply, 0 for none */
	bool by_provider; /* it is what the provider said; else the connection, or its process */
	bool retry; /* nothing speaks against another attempt, if no output came */
	bool submitted; /* a paid job was begun: it may go on, and be billed */
	bool resumable; /* and may be picked up: `retry` is for that alone */
	double retry_after; /* seconds the service asked for; negative when it didn't */
};

/* From the loop, never from inside a call here. Those that a job has no use for may be NULL. */
struct exchange_events {
	/* A request goes out; `body` NULL: none. */
	void (*sent)(void *data, const char *method, const char *url, const struct body *body);
	/* A reply's head came; `headers` as "name: value", ended by NULL; `to_output`: its body is
	 * the output, and not told as response. */
	void (*head)(void *data, int status, const char *content_type, const char *const *headers,
			bool to_output);
	void (*model)(void *data, const struct job_model *model);
	void (*output)(void *data, const void *bytes, size_t size);
	/* A program left this file, a result: it may be moved away. False with words. */
	bool (*file)(void *data, const char *path, const char *name, struct fail *fail);
	void (*reasoning)(void *data, const void *bytes, size_t size);
	void (*result)(void *data, const char *type, const char *name); /* as job_events */
	void (*result_end)(void *data);
	void (*usage)(void *data, const struct job_usage *usage);
	void (*response)(
			void *data, const void *bytes, size_t size); /* a reply's body as it came */
	void (*progress)(void *data, const struct job_progress *progress);
	/* How the job may be picked up from now on; "": it can't be any more. False when that can't
	 * be kept. */
	bool (*resumable)(void *data, const char *token, struct fail *fail);
	/* Exactly once, last; the exchange frees itself after it. */
	void (*end)(void *data, const struct exchange_result *result);
};

/* A file of a turn that requests may refer to by its number. */
struct exchange_file {
	char *path;
	uint64_t size; /* as it lies there */
	uint64_t skip; /* its first bytes that aren't sent */
	uint64_t drop; /* its last bytes that aren't sent */
};

/* Holds the version until it is over. NULL without memory. */
struct exchange *exchange_discover(struct version *version,
		const struct transfer_timeouts *timeouts, const struct exchange_events *events,
		void *data);
/* Whether there is this one model, in the same way. Not for `driver: replay`. */
struct exchange *exchange_look_up(struct version *version, const char *id,
		const struct transfer_timeouts *timeouts, const struct exchange_events *events,
		void *data);
/* Takes the files over (the array and the paths), also on failure. */
struct exchange *exchange_transform(struct version *version, const struct job_turn *turn,
		struct exchange_file *files, size_t n_files,
		const struct transfer_timeouts *timeouts, const struct exchange_events *events,
		void *data);
/* It goes on with a job that began so many seconds ago: those count for `total`. */
void exchange_has_run(struct exchange *exchange, double seconds);
/* Whether the provider has asked for anything by now, or said how the job is cancelled: if it can
 * be at all, that is known then. NULL: no. */
bool exchange_spoke(const struct exchange *exchange);
/* Where the programs that it has run may leave results: the directory of the turn's files, which
 * lives as long as it. Before the loop turns; false without memory. */
bool exchange_set_directory(struct exchange *exchange, const char *directory);
/* Closes the connection and ends the job: no further event. NULL is fine. */
void exchange_cancel(struct exchange *exchange);
/* The turn has no result and wants none any more: tells the service, if the provider said how. May
 * be called from `end`. True when a job is just being submitted, so that its service can't be told
 * yet: then the exchange is no longer the caller's, no further event comes, and it withdraws the
 * job as soon as it is known. NULL is fine. */
bool exchange_withdraw(struct exchange *exchange);
/* What becomes at its service of the job of a turn that is cancelled or cut off now, to be told the
 * user; "" where no job was begun. NULL is fine. */
const char *exchange_aftermath(const struct exchange *exchange);
/* Whether what was sent so far may cost: a request was accepted, or went out whole, or is under way
 * without an answer. One that the service refuses (400 and up) costs nothing. NULL: false. */
bool exchange_may_cost(const struct exchange *exchange);
/* Closes the connections of those that ended and still read the rest of a reply. */
void exchange_leave_all(struct provider *provider);

#endif
