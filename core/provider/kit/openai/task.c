/* What a turn asks for: see task.h. */
#include "core/provider/kit/openai/task.h"

#include "core/base/text.h"
#include "core/provider/kit/openai/wish.h"

#include <string.h>

bool openai_task(const struct conduit_turn *turn, const struct conduit_openai *dialect,
		enum task *ret) {
	static const struct {
		const char *capability;
		enum task task;
	} tasks[] = {
			{"cost", TASK_COST},
			{"text-to-embedding", TASK_EMBED},
			{"text-to-rerank", TASK_RERANK},
			{"text-to-image", TASK_IMAGES},
			{"image-to-image", TASK_IMAGES},
			{"text-to-audio", TASK_SPEECH},
			{"audio-to-text", TASK_TRANSCRIPT},
			{"text-to-ocr", TASK_DOCUMENT},
	};
	const char *capability = turn->capability != NULL ? turn->capability : "";
	*ret = TASK_CHAT;
	if (openai_only_sounds(dialect, turn->model) && ends_with(capability, "-to-audio")) {
		return true;
	}
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		if (strcmp(capability, tasks[i].capability) == 0) {
			*ret = tasks[i].task;
			if (*ret == TASK_DOCUMENT) {
				return dialect->media == CONDUIT_OPENAI_MEDIA_MISTRAL;
			}
			return *ret != TASK_COST ||
			       (dialect->cost_path != NULL && dialect->cost_header != NULL);
		}
	}
	return capability[0] == '\0' || ends_with(capability, "-to-text");
}
