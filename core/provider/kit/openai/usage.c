/* Tokens and cost: see usage.h. */
#include "core/provider/kit/openai/usage.h"

#include <math.h>

static int64_t tokens(const struct conduit_json *usage, const char *const *paths) {
	for (; *paths != NULL; paths++) {
		int64_t count;
		if (conduit_json_int64(usage, *paths, &count) && count >= 0) {
			return count;
		}
	}
	return -1;
}

/* xAI counts in units of 1e-10 USD. */
#define TICKS_PER_USD 1e10

static double cost_of(const struct conduit_json *usage) {
	double cost;
	if ((conduit_json_number(usage, "cost", &cost) ||
			    conduit_json_number(usage, "cost.total_cost", &cost)) &&
			cost >= 0) {
		return cost;
	}
	if (conduit_json_number(usage, "cost_in_usd_ticks", &cost) && cost >= 0) {
		return cost / TICKS_PER_USD;
	}
	return NAN;
}

bool usage_read(const struct conduit_json *usage, struct conduit_usage *ret) {
	static const char *const prompt[] = {"prompt_tokens", "input_tokens", NULL};
	static const char *const completion[] = {"completion_tokens", "output_tokens", NULL};
	static const char *const reasoning[] = {
			"completion_tokens_details.reasoning_tokens", "reasoning_tokens", NULL};
	static const char *const cached[] = {"prompt_tokens_details.cached_tokens",
			"prompt_cache_hit_tokens", "cached_tokens", NULL};
	if (conduit_json_type(usage, NULL) != CONDUIT_JSON_OBJECT) {
		return false;
	}
	*ret = CONDUIT_USAGE_UNKNOWN;
	ret->prompt_tokens = tokens(usage, prompt);
	ret->completion_tokens = tokens(usage, completion);
	ret->reasoning_tokens = tokens(usage, reasoning);
	ret->cached_tokens = tokens(usage, cached);
	ret->cost = cost_of(usage);
	return true;
}

bool usage_read_prompt(const struct conduit_json *usage, struct conduit_usage *ret) {
	static const char *const all[] = {"prompt_tokens", "input_tokens", "total_tokens", NULL};
	if (!usage_read(usage, ret)) {
		return false;
	}
	ret->prompt_tokens = tokens(usage, all);
	ret->completion_tokens = ret->prompt_tokens >= 0 ? 0 : -1;
	return true;
}
