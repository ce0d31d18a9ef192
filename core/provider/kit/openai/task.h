/* Which of the dialect's ways a turn takes. */
#ifndef CORE_PROVIDER_KIT_OPENAI_TASK_H
#define CORE_PROVIDER_KIT_OPENAI_TASK_H

#include <conduit/kit/openai.h>

enum task {
	TASK_MODELS,
	TASK_CHAT,
	TASK_EMBED,
	TASK_RERANK,
	TASK_COST,
	TASK_IMAGES,
	TASK_SPEECH,
	TASK_TRANSCRIPT,
	TASK_DOCUMENT,
};

/* What a turn asks for, by its capability; false when it is nothing of this dialect. */
bool openai_task(const struct conduit_turn *turn, const struct conduit_openai *dialect,
		enum task *ret);

#endif
