/* What the files of the Whisper provider share: the three kinds of server, and a job's state. */
#ifndef WHISPER_H
#define WHISPER_H

#include <conduit/provider.h>
#include <stddef.h>

/* A turn must know which kind it speaks to: of a server with one model its id tells. */
#define ID_ASR "whisper-asr"
#define ID_CPP "whisper-cpp"

enum step {
	ASK_MODELS, /* OpenAI's list: speaches and alike */
	ASK_OPENAPI, /* whisper-asr-webservice describes itself */
	ASK_PAGE, /* whisper.cpp's server has a page that names it */
	ASK_TURN,
};

struct state {
	enum step step;
	int status;
	char type[128];
	char *body; /* of a reply that isn't the result; a NUL follows */
	size_t size;
};

/* discover.c */
void whisper_discover(struct conduit_job *job, struct state *state);
/* A reply of the discovery is whole. */
void whisper_discovered(struct conduit_job *job, struct state *state);

#endif
