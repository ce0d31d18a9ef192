/* Ollama's own API (https://github.com/ollama/ollama/blob/main/docs/api.md): what the parts of this
 * provider share. */
#ifndef OLLAMA_H
#define OLLAMA_H

#include <conduit/kit/json.h>
#include <conduit/kit/object.h>
#include <conduit/kit/tool_calls.h>
#include <conduit/provider.h>

/* An answer under way. */
struct answer {
	struct conduit_job *job;
	struct conduit_tool_calls *calls;
	int64_t n_calls;
	char model[256];
	bool written; /* text was among the output, and … */
	char last; /* … this was its last byte */
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

#endif
