/* A provider of the OpenAI dialect, to be fuzzed by fuzz_provider.c. */
#include <conduit/kit/openai.h>

static const struct conduit_openai dialect = {
		.service = "Fuzz", .prices = true, .sound = CONDUIT_OPENAI_SOUND_STREAMED};

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, &dialect);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform(job, turn, &dialect);
}

CONDUIT_PROVIDER(.name = "fuzz", .version = "1", .discover = discover, .transform = transform,
		CONDUIT_OPENAI_CALLBACKS)
