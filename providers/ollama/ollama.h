/* Ollama's own API (https://github.com/ollama/ollama/blob/main/docs/api.md): what the parts of this
 * provider share. */
#ifndef OLLAMA_H
#define OLLAMA_H

#include <conduit/kit/gather.h>
#include <conduit/kit/json.h>
#include <conduit/kit/json_items.h>
#include <conduit/kit/ndjson.h>
#include <conduit/kit/object.h>
#include <conduit/kit/tool_calls.h>
#include <conduit/provider.h>

#define LISTED_MOST 2000 /* models that are asked about */

/* An answer under way. */
struct answer {
	struct conduit_job *job;
	struct conduit_tool_calls *calls;
	int64_t n_calls;
	char model[256];
	bool over; /* finished or failed: the rest is ignored */
};

/* answer.c: what /api/chat gives, a line of JSON after the other. */
void answer_begin(struct answer *answer, struct conduit_job *job);
void answer_line(struct answer *answer, const char *line, size_t size);
/* Nothing more will come: ends the job unless that happened. */
void answer_end(struct answer *answer);
void answer_finish(struct answer *answer);

/* request.c: the turn as the body of POST /api/chat; NULL without memory. */
struct conduit_object *request_build(struct conduit_job *job, const struct conduit_turn *turn);

/* A model that is being downloaded. */
struct pull {
	struct conduit_job *job;
	char model[1024];
	bool done;
	bool over; /* failed */
};

/* pull.c: a line of what /api/pull gives. */
void pull_line(struct pull *pull, const char *text, size_t size);
/* Nothing more will come: true when the model is there, else the job has failed. */
bool pull_end(struct pull *pull);
/* Whether an error of HTTP 404 says that the model isn't on this server. */
bool pull_would_help(const char *error);

/* models.c: emits a model, of its entry in /api/tags and what /api/show says of it; one of them
 * may be NULL. `id`: the name that it is asked for by. */
void models_emit(struct conduit_job *job, const char *id, const struct conduit_json *entry,
		const struct conduit_json *shown);
/* Whether the service is Ollama's cloud, which isn't free and pulls nothing. */
bool is_cloud(const struct conduit_job *job);

/* ---- a job ---- */

enum step {
	STEP_TAGS,
	STEP_SHOW,
	STEP_CHAT,
	STEP_PULL,
};

struct state {
	unsigned magic; /* not the kit's, whose job an embedding is */
	enum step step;
	struct conduit_gathered reply; /* an error, or what is shown of a model */
	struct conduit_json_items *items; /* of /api/tags */
	struct conduit_json *entries[LISTED_MOST];
	size_t n_entries, at; /* the one that is asked about */
	struct conduit_ndjson *lines; /* of an answer */
	struct answer answer;
	struct conduit_object *request; /* of the turn, to be sent again when the model is there */
	struct pull pull;
	bool pulls; /* it was, or is being, pulled: at most once a job */
	char *look_up; /* the one model that is looked up */
};

/* provider.c: NULL when the job is the kit's. */
struct state *state_of(const struct conduit_job *job);
/* NULL, and the job has failed, without memory. */
struct state *state_begin(struct conduit_job *job);
/* A line of the reply to /api/chat or /api/pull; `data` is the job. */
void take_line(void *data, const char *line, size_t size);

/* ask.c: the requests of a job, which fails where one can't be made. */
void request_tags(struct conduit_job *job, struct state *state);
void request_show(struct conduit_job *job, struct state *state, const char *model);
/* The turn's; may be asked again. */
void request_chat(struct conduit_job *job, struct state *state);
/* The server downloads the model of state->pull; how long that takes is told line by line. */
void request_pull(struct conduit_job *job, struct state *state);
/* Whether what was refused is a model that this server hasn't, but may get. */
bool may_pull(struct conduit_job *job, const struct state *state);

/* list.c: a discovery, and the look-up of one model. */
void discover(struct conduit_job *job);
void look_up(struct conduit_job *job, const char *id);
/* The reply to /api/tags, a good one, or to /api/show has ended. */
void end_tags(struct conduit_job *job, struct state *state);
void end_show(struct conduit_job *job, struct state *state);

#endif
