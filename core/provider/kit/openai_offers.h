/* What models that make pictures and speech, or write it down, can be told: the settings that their
 * requests have a place for, and what these take. */
#ifndef CORE_PROVIDER_KIT_OPENAI_OFFERS_H
#define CORE_PROVIDER_KIT_OPENAI_OFFERS_H

#include <conduit/kit/openai.h>

/* Fills in a model's parameters, and its limits where it has none. Nothing to do for others. */
void media_offer(enum conduit_openai_media media, struct conduit_model *model);

#endif
