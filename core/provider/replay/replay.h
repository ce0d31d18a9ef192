/* Runs one job of a provider against scripted exchanges, in this process and without a network:
 * the conduit_* functions of provider.h, as a test (or `provider check`) wants them. What the job
 * asks for is recorded, with its body put together from the turn's files; the replies are fed to
 * it cut wherever the script says; and what it emits is collected.
 *
 *     struct replay_exchange exchange = {.status = 200, .content_type = "text/event-stream",
 *             .body = bytes, .size = size};
 *     struct replay_script script = {.base_url = "https://acme.example/v1",
 *             .exchanges = &exchange, .n_exchanges = 1, .cut = REPLAY_BYTES};
 *     struct replay replay;
 *     replay_transform(&replay, provider, &script, &turn);
 *     … replay.output, replay.finish, replay.requests[0].body …
 *     replay_finish(&replay);
 *
 * A provider that breaks provider.h's rules is found out: a request while one is pending, a file
 * that isn't there, a callback that returns with nothing pending and no end, models from a turn,
 * more requests than there are exchanges. `replay.broken` says which; it counts as a failure. */
#ifndef CORE_PROVIDER_REPLAY_REPLAY_H
#define CORE_PROVIDER_REPLAY_REPLAY_H

#include "core/base/buf.h"
#include "core/base/limit.h"

#include <conduit/provider.h>

enum replay_cut {
	REPLAY_WHOLE = 0, /* each body in one piece */
	REPLAY_BYTES = 1, /* byte by byte */
	REPLAY_AT = 2, /* in two pieces, cut at `at` */
};

/* A reply, in the order in which requests are made. */
struct replay_exchange {
	int status;
	const char *content_type; /* NULL: "" */
	const char *const *headers; /* "name: value", names in lower case, ended by NULL; or NULL */
	const char *body;
	size_t size;
	bool breaks; /* the connection is reset after the body: `end` never comes */
};

/* One of the turn's files: its number is its place, from 0. */
struct replay_file {
	const char *bytes;
	size_t size;
};

struct replay_script {
	const char *base_url; /* NULL: "" */
	const struct replay_exchange *exchanges;
	size_t n_exchanges;
	const struct replay_file *files;
	size_t n_files;
	enum replay_cut cut;
	size_t at;
};

struct replay_request {
	char *method;
	char *url;
	char *headers; /* a line each */
	char *body; /* as it would be sent; a NUL follows */
	size_t size;
	enum conduit_sink sink;
	bool submits;
};

struct replay_price {
	char *name;
	double usd;
};

/* A copy of a conduit_model; strings are NULL where they were. */
struct replay_model {
	char *id;
	size_t id_size;
	char *name;
	char *description;
	int64_t created;
	int64_t context_length;
	int64_t max_output;
	char *input_modalities;
	char *output_modalities;
	char *parameters;
	struct replay_price *prices;
	size_t n_prices;
	char *raw;
	size_t raw_size;
	struct limits limits;
};

/* What conduit_result began. Strings are NULL where they were. */
struct replay_result {
	char *type;
	char *name;
	struct buf bytes; /* of the first: in `output` instead */
};

/* What a job did. All of it is owned by the replay. */
struct replay {
	struct replay_model *models;
	size_t n_models;
	struct replay_request *requests;
	size_t n_requests;
	struct buf output; /* the first result */
	struct replay_result *results; /* as they were said; the first is the output */
	size_t n_results;
	size_t under_way; /* 0: the output */
	bool reserved; /* conduit_result_end before anything came: the output is still to come */
	struct buf reasoning;
	struct buf log; /* a line each */
	/* What was said of the job as one that goes on elsewhere, a line each: "0.42 words",
	 * "PUT https://…" or "-", a token or "-". */
	struct buf progress, on_cancel, resumable;
	bool has_usage;
	struct conduit_usage usage;
	bool finished;
	char *finish; /* NULL as given */
	char *model;
	bool failed; /* finished or failed: never both, and one of them unless broken or reset */
	enum conduit_kind kind;
	int status;
	enum conduit_retry retry;
	char *words;
	const char *broken; /* the rule that the provider broke, or NULL */
};

void replay_discover(struct replay *replay, const struct conduit_provider *provider,
		const struct replay_script *script);
/* Finishes without a model where the provider has no look_up. */
void replay_look_up(struct replay *replay, const struct conduit_provider *provider,
		const struct replay_script *script, const char *id);
void replay_transform(struct replay *replay, const struct conduit_provider *provider,
		const struct replay_script *script, const struct conduit_turn *turn);
/* Frees what the replay collected. */
void replay_finish(struct replay *replay);

/* A price of a model by name; NAN when it isn't stated. */
double replay_price(const struct replay_model *model, const char *name);
/* A limit as a line: "10..200 =40", "..1", "alloy,nova,* =alloy"; "" for NULL. False as buf_add.
 */
bool replay_limit_text(const struct limit *limit, struct buf *out);
/* The design's rule of what certainly costs nothing: prompt and completion prices are stated,
 * every stated price is 0, and the output is text only or the id ends in ":free". */
bool replay_is_free(const struct replay_model *model);

#endif
