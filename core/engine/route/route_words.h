/* What a route says of itself, and why nobody answers. Private to route.c and route_words.c. */
#ifndef CORE_ENGINE_ROUTE_ROUTE_WORDS_H
#define CORE_ENGINE_ROUTE_ROUTE_WORDS_H

#include "core/engine/route/ranking.h"

/* Sets why none of a ranking can be asked; returns false. */
bool route_nobody(const struct ranking *ranking, struct fail *fail);

#endif
