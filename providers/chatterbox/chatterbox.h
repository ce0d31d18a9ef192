/* What the files of the Chatterbox provider share. Two servers are known: Chatterbox-TTS-Server (of
 * devnen), whose voices are files, and chatterbox-tts-api (of travisvn), which speaks OpenAI's
 * audio API. */
#ifndef CHATTERBOX_H
#define CHATTERBOX_H

#include <conduit/kit/body.h>
#include <conduit/kit/json.h>

/* A turn must know whom it speaks to: the model of the first server has this id, which none of the
 * second has. */
#define ID_FILES "chatterbox"

enum step {
	ASK_FILES, /* voices of the first server */
	ASK_MODELS, /* models of the second */
	ASK_VOICES, /* its voices */
	TURN_VOICES, /* a turn without a voice: which is there? */
	TURN_UPLOAD, /* a voice to clone is brought */
	TURN_SPEECH,
};

struct state {
	enum step step;
	int status;
	char type[128];
	char *body; /* of a reply that isn't the result; a NUL follows */
	size_t size;
	char *models; /* ids, one a line */
	struct conduit_body *request; /* what is said and how, without the voice, `{` open */
};

/* A GET of a path, whose reply is for `step`. */
void chatterbox_ask(struct conduit_job *job, struct state *state, enum step step, const char *path);
/* The first voice of the first server's list, or NULL. */
const char *chatterbox_first_voice(const struct conduit_json *list);
/* A reply of the discovery is whole. */
void chatterbox_discovered(struct conduit_job *job, struct state *state);

#endif
