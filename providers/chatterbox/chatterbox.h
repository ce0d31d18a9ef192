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
/* The first server's list of voices. */
#define PATH_VOICES "/get_predefined_voices"

/* What a job keeps from one step to the next. */
struct work {
	char *models; /* of the second server: ids, one a line */
	struct conduit_body *request; /* what is said and how, without the voice, `{` open */
	struct conduit_part sound; /* the voice to clone; its strings are these: */
	char sound_type[128], sound_name[201];
};

/* NULL, and the job has failed, without memory. */
struct work *chatterbox_work(struct conduit_job *job);

/* The first voice of that list, or NULL. */
const char *chatterbox_first_voice(const struct conduit_json *list);
/* Finds out which of the two answers, its models and voices. */
void chatterbox_discover(struct conduit_job *job);

#endif
