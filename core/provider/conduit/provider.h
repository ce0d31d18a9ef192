/* provider.h: what a conduitfs provider is made of. ABI 1.
 *
 * A provider translates between turns (prompt in, result out) and the requests of one service. It
 * does no I/O of its own: it says which request to make, is handed the bytes of the reply, cut
 * anywhere, and emits models, output, usage, a failure, or the next request. It runs in a sandbox
 * with no network, no files and no keys; the daemon sends, and adds the key, after it has checked
 * that the host was granted.
 *
 *     static void transform(struct conduit_job *job, const struct conduit_turn *turn) { … }
 *     static void discover(struct conduit_job *job) { … }
 *
 *     CONDUIT_PROVIDER(.name = "acme", .version = "1.0.0",
 *             .discover = discover, .transform = transform, .data = data, .end = end)
 *
 * Life of a job (a discovery, a look-up or a turn), all on one thread, many jobs interleaved:
 *
 *     discover/look_up/transform → [conduit_request → reply → data … → end]*
 *             → conduit_finish or _fail
 *
 * - One request (or read, or run) at a time a job: the next may be made from `end` (a queue is
 *   submit, poll, download) or from the callback that begins the job, nowhere else.
 * - A callback that returns when nothing is pending and neither finish nor fail was called ends
 *   the job as a failure (EPROTO). Emitting after the end is ignored.
 * - When the transfer itself failed (refused, timed out, reset), or the reply was an HTTP error
 *   that the daemon retries, the job may be released without `end`; `release` always comes last.
 * - Pointers handed to a callback are valid until it returns. Pointers given to conduit_*() are
 *   copied before it returns.
 *
 * Structs grow only at their end; `size` or the ABI says what the other side knows. */
#ifndef CONDUIT_PROVIDER_H
#define CONDUIT_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONDUIT_ABI 1

/* A discovery or a turn under way; opaque. */
struct conduit_job;

/* ---- what a turn is ---------------------------------------------------------------------- */

enum conduit_role {
	CONDUIT_SYSTEM = 0,
	CONDUIT_USER = 1,
	CONDUIT_ASSISTANT = 2,
};

/* One piece of a message: bytes that lie in a file which the provider doesn't see; it refers to
 * them by `file` in a request's body, or asks for them with conduit_read. */
struct conduit_part {
	uint32_t file; /* number of the file, for conduit_body_part and conduit_read */
	const char *type; /* MIME type: "text/plain" for text (always valid UTF-8), "image/png" … */
	const char *name; /* the attachment's file name, "" for a prompt */
	uint64_t bytes; /* its size as it lies there */
};

struct conduit_message {
	enum conduit_role role;
	const struct conduit_part *parts;
	size_t n_parts;
};

/* A setting in force, as the user wrote it in config/ (checked: a number is a number). */
struct conduit_setting {
	const char *name; /* "temperature", "max_tokens", "schema", "extra" … */
	const char *value;
	size_t size; /* of value, which a NUL follows */
};

struct conduit_turn {
	const char *model; /* the model's id as discovery gave it */
	const char *capability; /* "text-to-text", "text-to-image" …; "cost": see below */
	const struct conduit_message *messages; /* the conversation, the new prompt last */
	size_t n_messages;
	const struct conduit_setting *settings; /* max_tokens is always among them for text */
	size_t n_settings;
};

/* Where the manifest says `cost_lookup: true`, transform is also called with the capability "cost",
 * some time after a turn was cut off whose cost wasn't reported: what did it cost? There are no
 * messages; the setting "reply" holds the head of that turn's reply, its headers as "name: value"
 * lines, names in lower case. The job asks the service, calls conduit_usage, and finishes; it fails
 * where that isn't known (yet), and may be called again. */

/* A model that makes several kinds of results ("text,audio") has one capability all the same. Where
 * a route for another kind asks it, the setting "wanted" names that: "audio". */

/* The value of a setting, or NULL when it isn't in force. */
const char *conduit_setting(const struct conduit_turn *turn, const char *name);

/* ---- asking for things ------------------------------------------------------------------- */

enum conduit_body_kind {
	CONDUIT_LITERAL = 0, /* bytes given here */
	CONDUIT_FILE = 1, /* a file's bytes as they are */
	CONDUIT_FILE_BASE64 = 2, /* base64 of a file (RFC 4648, padded, no line breaks) */
	CONDUIT_FILE_JSON = 3, /* a text file as the inside of a JSON string, without the quotes */
};

/* A request's body is a recipe: the daemon assembles it as it sends, so that no file is ever held
 * in memory and Content-Length is known. */
struct conduit_body_part {
	enum conduit_body_kind kind;
	uint32_t file; /* for the FILE kinds */
	const char *bytes; /* for CONDUIT_LITERAL */
	size_t size;
};

enum conduit_sink {
	CONDUIT_TO_PROVIDER = 0, /* the reply's body comes to `data` */
	CONDUIT_TO_OUTPUT = 1, /* a 2xx body is the result and goes straight to the turn's output;
				  any other status comes to `data` */
};

struct conduit_request {
	const char *method; /* "GET", "POST" … */
	const char *url; /* absolute: conduit_base_url() and a path, or what the service returned */
	const char *const *headers; /* "Name: value", ended by NULL; NULL for none. Never a key. */
	const struct conduit_body_part *body;
	size_t n_body;
	enum conduit_sink sink;
	bool submits; /* starts a paid job elsewhere: is never sent twice */
	uint32_t delay_ms; /* wait this long before sending: a poll */
};

/* Makes a request; the reply comes to `reply`, `data` and `end`. The daemon adds what the manifest
 * says about the key, and refuses hosts that weren't granted. */
void conduit_request(struct conduit_job *job, const struct conduit_request *request);

/* Asks for the bytes of one of the turn's files; they come to `data` and `end` (no `reply`). */
void conduit_read(struct conduit_job *job, uint32_t file);

/* ---- running a program of the machine ------------------------------------------------------ */

enum conduit_argument_kind {
	CONDUIT_WORD = 0, /* `text` as it is */
	CONDUIT_INPUT = 1, /* the path of the turn's file number `file`: one without a name of its
			      own, so that it is neither an option nor a pattern */
	CONDUIT_RESULT = 2, /* the path of a file called `text` that the program writes: a result.
			       May be a pattern of the program's own, as "%06d.png" */
	CONDUIT_SCRATCH = 3, /* the same of a file that only a later program of the job reads */
};

/* One argument. Names in `text` of RESULT and SCRATCH are letters, digits, '.', '_', '-' and '%',
 * at most 64, and begin with a letter, a digit or '%'. */
struct conduit_argument {
	enum conduit_argument_kind kind;
	uint32_t file; /* for CONDUIT_INPUT */
	const char *text; /* for the others */
};

/* A program that the manifest's `programs` names, looked for in the system's directories. No shell,
 * no environment of the user's, no network; it reads the system's libraries and data and the files
 * that are named here, and writes results and scratch files alone. Processor time, memory and the
 * size of files are limited. It ends with the job. */
struct conduit_program {
	const char *name;
	const struct conduit_argument *arguments; /* without the program's name; at most 256 */
	size_t n_arguments;
	const uint32_t *standard_input; /* the turn's file that it is; NULL: nothing. A text's
					   newline at its end may be part of it. */
	enum conduit_sink standard_output; /* CONDUIT_TO_OUTPUT: it is the result, while it comes,
					      also that of a program that fails later */
};

/* Runs it: what it says on stdout comes to `data` (or goes to the output), then its exit to
 * `reply`: `status` is 0 for one that ended well; 127 for one that isn't installed; 128 and the
 * signal for one that was killed. Of the headers "words" holds, on one line, the end of what it
 * said on stderr (or that it isn't installed, and the remedy), and "results" how many files it
 * left. Then comes `end`. When it ended well its result files are results of the turn, in the order
 * of their names; of a program that failed, nothing is kept. */
void conduit_run(struct conduit_job *job, const struct conduit_program *program);

/* The service's address without a trailing slash: from config.yml, the environment
 * (<NAME>_BASE_URL) or the manifest. */
const char *conduit_base_url(const struct conduit_job *job);

/* ---- what comes back --------------------------------------------------------------------- */

struct conduit_reply {
	int status; /* HTTP status */
	const char *content_type; /* lower case, without parameters; "" when absent */
	/* All headers as "name: value" lines, names in lower case, ended by NULL; at most 16 KiB.
	 */
	const char *const *headers;
};

/* A reply header's value by its lower-case name, or NULL. */
const char *conduit_header(const struct conduit_reply *reply, const char *name);

/* ---- emitting ---------------------------------------------------------------------------- */

struct conduit_price {
	const char *name; /* "prompt" and "completion" (a token), "request", "image" (one that goes
			     in; where no token has a price, one that is made), "second"
			     …; "prompt@200000": from so many tokens of prompt on */
	double usd; /* USD for one unit; -1: variable. An unstated price is not listed. */
};

/* What a model says of one of its settings. The setting is in its config/ then, shows `standard`
 * until it is set, and takes no value beyond these. At most 64 a model and 64 KiB in all; those
 * beyond are left out with a line in the log. */
struct conduit_limit {
	const char *name; /* a setting's: "voice", "temperature", "steps" … (conduitfs(5)); one that
			     conduitfs doesn't know has no effect */
	double least, most; /* of a number; NAN: no bound; both 0: neither */
	const char *choices; /* what it may be, one a line; with a line "*" others as well, which
				aren't named. NULL: any */
	const char *standard; /* the service's own default, which isn't sent; NULL unknown */
	const char *help; /* a sentence; NULL none */
};

/* A model as discovery found it. Strings may be NULL when unknown. Descriptions above 16 KiB are
 * cut, `raw` above 1 MiB is left out; an id above 1023 bytes is refused with a log line. */
struct conduit_model {
	const char *id; /* any bytes but NUL; '/' makes directories; must be unique a provider */
	size_t id_size;
	const char *name;
	const char *description;
	int64_t created; /* release date, Unix seconds; 0 unknown */
	int64_t context_length; /* tokens; 0 unknown */
	int64_t max_output; /* tokens; 0 unknown */
	const char *input_modalities; /* "text,image": text image audio video file */
	const char *output_modalities; /* "text": text image audio video embeddings rerank speech
					  transcription */
	const char *parameters; /* "temperature,top_p": what config/ may set; NULL unknown */
	const struct conduit_price *prices;
	size_t n_prices;
	const char *raw; /* the service's own words about it, JSON */
	size_t raw_size;
	const struct conduit_limit
			*limits; /* of settings, whether `parameters` names them or not */
	size_t n_limits;
};

void conduit_model(struct conduit_job *job, const struct conduit_model *model);

/* Appends to the turn's output, and to its reasoning, which is kept apart from it. */
void conduit_output(struct conduit_job *job, const void *bytes, size_t size);
void conduit_reasoning(struct conduit_job *job, const void *bytes, size_t size);

/* What conduit_output appends, or a reply to CONDUIT_TO_OUTPUT brings, from here on is a result of
 * its own. The first is the turn's `output` (called before anything was put out, this only says
 * what that is); each further one is a file in the turn's artifacts/. At most 256, and together as
 * many bytes as limits.media in config.yml lets an output have.
 *
 * `type` is its MIME type, by which it gets its extension; NULL: told by what is in it, which also
 * counts where the two don't agree. `name` is that of the file in artifacts/ (one name, no path);
 * NULL or "": a number, from 1. What is never said to be a result is the output alone: text, where
 * the model makes text, else told by what is in it. */
void conduit_result(struct conduit_job *job, const char *type, const char *name);

/* The result under way is whole: what conduit_output appends from here on goes on at the turn's
 * output, so that what comes beside a text is kept while the text isn't over. Called before
 * anything was put out, the output is what comes later, and the next conduit_result begins a file
 * in artifacts/ all the same; where nothing comes for it then, the first of these becomes the
 * output. */
void conduit_result_end(struct conduit_job *job);

/* Tokens and cost as the service reports them; -1 (NAN for cost) for what it doesn't. The last
 * call counts. */
struct conduit_usage {
	int64_t prompt_tokens;
	int64_t completion_tokens;
	int64_t reasoning_tokens;
	int64_t cached_tokens;
	double cost; /* USD */
};

#define CONDUIT_USAGE_UNKNOWN                                                                      \
	(struct conduit_usage) {                                                                   \
		-1, -1, -1, -1, __builtin_nan("")                                                  \
	}

void conduit_usage(struct conduit_job *job, const struct conduit_usage *usage);

/* Why a job failed. Each is one errno for who reads `output`. */
enum conduit_kind {
	CONDUIT_FAIL_OTHER = 0, /* EIO */
	CONDUIT_FAIL_NO_KEY = 1, /* ENOKEY: the service wants a key and none was sent */
	CONDUIT_FAIL_BAD_KEY = 2, /* EKEYREJECTED: 401 about our key */
	CONDUIT_FAIL_UPSTREAM = 3, /* EREMOTEIO: 5xx; a 4xx that an upstream gave */
	CONDUIT_FAIL_FORBIDDEN = 4, /* EACCES: 403 */
	CONDUIT_FAIL_MODERATED = 5, /* EPERM: moderation, content filter */
	CONDUIT_FAIL_QUOTA = 6, /* EDQUOT: 402, a daily free limit, insufficient_quota */
	CONDUIT_FAIL_BUSY = 7, /* EBUSY: 429 */
	CONDUIT_FAIL_TOO_LONG = 8, /* EMSGSIZE: 413, too long for the context */
	CONDUIT_FAIL_TIMED_OUT = 9, /* ETIMEDOUT: 408, 504, 524 */
	CONDUIT_FAIL_MALFORMED = 10, /* EPROTO: neither SSE nor JSON, cut short */
	CONDUIT_FAIL_GONE = 11, /* ENOENT: 404, the model is gone */
	CONDUIT_FAIL_INVALID = 12, /* EINVAL: 400, 422, a refused parameter */
	CONDUIT_FAIL_MISSING = 13, /* ENODEV: a program of this machine isn't installed */
};

enum conduit_retry {
	CONDUIT_RETRY_DEFAULT = 0, /* the daemon's rule by HTTP status: 408, 409, 429, 5xx */
	CONDUIT_RETRY_NEVER = 1, /* as a daily limit, or credit that is used up */
};

struct conduit_failure {
	enum conduit_kind kind;
	int status; /* the HTTP status, 0 when there was none or it was 200 */
	enum conduit_retry retry;
	const char *words; /* the service's own message, plain UTF-8; cut at 4 KiB */
};

/* Ends the job as failed. Output emitted before stands and is delivered before the errno. */
void conduit_fail(struct conduit_job *job, const struct conduit_failure *failure);

/* Ends the job well. `finish`: "stop", "length", "tool_calls" …; `model`: the one that really
 * answered, NULL for the one asked for. For a discovery both are NULL. */
void conduit_finish(struct conduit_job *job, const char *finish, const char *model);

/* ---- jobs that go on elsewhere ------------------------------------------------------------ */

/* How far the turn is, for `status`: `share` from 0 to 1, NAN where that isn't known, and what is
 * being done, in a few words (NULL: nothing to say; cut at 120 bytes). The last call counts. */
void conduit_progress(struct conduit_job *job, double share, const char *words);

/* The request that the daemon makes if the turn ends from here on without its result: it is
 * cancelled, its session is ended, its time is over, or it fails. Said as soon as the service has
 * named the job; NULL takes it back, when the service says that the job is over. Its body, if any,
 * is literal and at most 16 KiB; `sink`, `submits` and `delay_ms` don't count. Its reply isn't
 * waited for. It isn't made when conduitfs is unmounted. */
void conduit_on_cancel(struct conduit_job *job, const struct conduit_request *request);

/* From here on the job may be picked up: when the daemon dies, is unmounted, or the connection
 * fails in a poll, the turn isn't lost, but transform is called again, with the same turn and the
 * setting "resume", whose value is this token (text, at most 4 KiB: the job's id, the URL to poll).
 * It is kept before anything else is sent. Nothing of what was emitted before is left then, so that
 * the job begins again with its first poll, conduit_on_cancel included; a job that the service
 * doesn't know any more fails with words. NULL, and the next request that `submits`, take it back.
 */
void conduit_resumable(struct conduit_job *job, const char *token);

/* A line in the provider's `log`. */
void conduit_log(struct conduit_job *job, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* ---- a job's own state ------------------------------------------------------------------- */

/* A pointer of the provider's, NULL at first; to be freed in `release`. */
void *conduit_state(const struct conduit_job *job);
void conduit_set_state(struct conduit_job *job, void *state);

/* ---- the provider itself ----------------------------------------------------------------- */

struct conduit_provider {
	uint32_t abi; /* CONDUIT_ABI */
	uint32_t size; /* sizeof(struct conduit_provider) */
	const char *name;
	const char *version;
	/* Finds models: requests, then a conduit_model for each, then conduit_finish. */
	void (*discover)(struct conduit_job *job);
	/* Answers a turn. */
	void (*transform)(struct conduit_job *job, const struct conduit_turn *turn);
	/* The reply's status and headers are there. Optional. */
	void (*reply)(struct conduit_job *job, const struct conduit_reply *reply);
	/* Bytes of the reply's body (or of a file that was asked for), cut anywhere. */
	void (*data)(struct conduit_job *job, const void *bytes, size_t size);
	/* The body ended. For CONDUIT_TO_OUTPUT all of it is in the output. */
	void (*end)(struct conduit_job *job);
	/* The job is over, by whichever way: free what conduit_state holds. Optional. */
	void (*release)(struct conduit_job *job);
	uint32_t model_size; /* sizeof(struct conduit_model) */
	/* Where the manifest says `open: true`: a user added the model `id`, which the list doesn't
	 * have. A discovery of that one alone: requests, a conduit_model with exactly this id, then
	 * conduit_finish; CONDUIT_FAIL_GONE where there is no such model. Turns of it may run
	 * meanwhile. It may take long (a download), and ends when the user takes the model away.
	 * Finished without a model, or without this callback, the model is taken as it is. */
	void (*look_up)(struct conduit_job *job, const char *id);
};

/* Defines the one symbol that conduitfs-provider looks up. */
#define CONDUIT_PROVIDER(...)                                                                      \
	__attribute__((visibility("default")))                                                     \
	const struct conduit_provider conduit_provider_entry = {.abi = CONDUIT_ABI,                \
			.size = sizeof(struct conduit_provider),                                   \
			.model_size = sizeof(struct conduit_model),                                \
			__VA_ARGS__};

#endif
