/* OpenAI's dialect at any base URL: OpenAI itself, services that are declared by a manifest alone,
 * llama.cpp, vLLM, LM Studio and whatever else calls itself compatible. */
#include "services.h"

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, service_dialect(conduit_base_url(job), NULL));
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform(job, turn, service_dialect(conduit_base_url(job), turn->model));
}

CONDUIT_PROVIDER(.name = "openai", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_OPENAI_CALLBACKS)
