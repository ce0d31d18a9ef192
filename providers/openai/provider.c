/* OpenAI's dialect at any base URL: OpenAI itself, services that are declared by a manifest alone,
 * llama.cpp, vLLM, LM Studio and whatever else calls itself compatible. */
#include "services.h"

#include <conduit/kit/videos.h>
#include <string.h>

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, service_dialect(conduit_base_url(job), NULL));
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const struct conduit_openai *dialect = service_dialect(conduit_base_url(job), turn->model);
	/* Of the services that are known no other makes videos in this way. */
	bool videos = dialect->service == NULL || strcmp(dialect->service, "OpenAI") == 0;
	if (!videos || !conduit_videos_transform(job, turn, CONDUIT_VIDEOS_OPENAI)) {
		conduit_openai_transform(job, turn, dialect);
	}
}

CONDUIT_PROVIDER(.name = "openai", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_VIDEOS_CALLBACKS)
