/* What a list says of a model's settings, as OpenRouter's does: defaults, and the voices of those
 * that speak. */
#ifndef CORE_PROVIDER_KIT_OPENAI_LIMITS_H
#define CORE_PROVIDER_KIT_OPENAI_LIMITS_H

#include "core/base/buf.h"

#include <conduit/kit/json.h>
#include <conduit/provider.h>

#define OPENAI_LIMITS_MOST 24

struct openai_limits {
	struct conduit_limit list[OPENAI_LIMITS_MOST];
	size_t n;
	char *standards[OPENAI_LIMITS_MOST]; /* owned */
	struct buf voices;
};

/* Gives the model what its entry says beside the limits that it has: they count before the entry's.
 * `limits` starts as zeros and must outlive the model's being emitted, as `entry` must. */
void openai_limits_add(const struct conduit_json *entry, struct conduit_model *model,
		struct openai_limits *limits);
void openai_limits_finish(struct openai_limits *limits);
#define cleanup_openai_limits cleanup(openai_limits_finish)

#endif
