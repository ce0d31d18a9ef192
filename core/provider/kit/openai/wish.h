/* What a chat is to answer with: text, sound or pictures, and in which form it is asked for. */
#ifndef CORE_PROVIDER_KIT_OPENAI_WISH_H
#define CORE_PROVIDER_KIT_OPENAI_WISH_H

#include <conduit/kit/object.h>
#include <conduit/kit/openai.h>

/* What the turn's output is. */
enum openai_makes { OPENAI_MAKES_TEXT, OPENAI_MAKES_SOUND, OPENAI_MAKES_PICTURES };

struct openai_wish {
	enum openai_makes makes;
	/* Of sound: */
	const char *format; /* the service's word; NULL: its own choice, and the voice too */
	const char *type; /* the MIME type of what the output is then; NULL: told by content */
	bool adds_header; /* bare samples are asked for, and a WAV file is made of them */
	bool whole; /* it doesn't come as a stream */
};

/* What a turn asks for: sound where the setting voice or format is in force, or "wanted" says so,
 * or the model makes nothing else. */
struct openai_wish openai_wish(
		const struct conduit_turn *turn, const struct conduit_openai *dialect);
/* Whether a model makes nothing but sound, by way of chat. */
bool openai_only_sounds(const struct conduit_openai *dialect, const char *model);
/* The body of a refusal says that the model answers text with sound alone: what is to be done. NULL
 * when it says something else. */
const char *openai_wish_remedy(const struct conduit_openai *dialect, const char *refusal);
/* Writes the members that ask for it: modalities, audio. */
void openai_wish_put(struct conduit_object *object, const struct openai_wish *wish,
		const struct conduit_openai *dialect);

#endif
