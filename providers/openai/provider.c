/* OpenAI's chat dialect at any base URL: OpenAI itself, llama.cpp, vLLM, LM Studio and the many
 * services that call themselves compatible. */
#include <conduit/kit/openai.h>
#include <string.h>

/* OpenAI's reasoning models refuse max_tokens; the local servers know no other name. */
static const struct conduit_openai openai = {
		.service = "OpenAI",
		.max_tokens = "max_completion_tokens",
		.include_usage = true,
		.model = conduit_openai_guess_kind,
};

static const struct conduit_openai compatible = {
		.include_usage = true,
		.model = conduit_openai_guess_kind,
};

static const struct conduit_openai *dialect_of(const struct conduit_job *job) {
	const char *host = "https://api.openai.com/";
	return strncmp(conduit_base_url(job), host, strlen(host)) == 0 ? &openai : &compatible;
}

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, dialect_of(job));
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform(job, turn, dialect_of(job));
}

CONDUIT_PROVIDER(.name = "openai", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_OPENAI_CALLBACKS)
