/* What models that make pictures and speech, or write it down, can be told: the settings that their
 * requests have a place for, and what these take. */
#ifndef CORE_PROVIDER_KIT_OPENAI_OFFERS_H
#define CORE_PROVIDER_KIT_OPENAI_OFFERS_H

#include <conduit/kit/openai.h>

/* Fills in a model's parameters, and its limits where it has none. Nothing to do for others. */
void media_offer(enum conduit_openai_media media, struct conduit_model *model);
/* Of a model that chats and speaks: voices and formats. Nothing to do for others. */
void sound_offer(const struct conduit_json *entry, const struct conduit_openai *dialect,
		struct conduit_model *model);

#endif
