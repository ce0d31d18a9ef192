/* Sorts errors: see kind.h and conduit/kit/failure.h. */
#include "core/provider/kit/kind.h"

#include <string.h>

struct name_kind {
	const char *name;
	enum conduit_kind kind;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Types and codes that say more than the status: 400 and 429 stand for several things each. */
static const struct name_kind telling[] = {
		{"context_length_exceeded", CONDUIT_FAIL_TOO_LONG},
		{"context_window_exceeded", CONDUIT_FAIL_TOO_LONG},
		{"exceed_context_size_error", CONDUIT_FAIL_TOO_LONG},
		{"string_above_max_length", CONDUIT_FAIL_TOO_LONG},
		{"string_too_long", CONDUIT_FAIL_TOO_LONG},
		{"payload_too_large", CONDUIT_FAIL_TOO_LONG},
		{"request_too_large", CONDUIT_FAIL_TOO_LONG},
		{"content_policy_violation", CONDUIT_FAIL_MODERATED},
		{"content_filter", CONDUIT_FAIL_MODERATED},
		{"ResponsibleAIPolicyViolation", CONDUIT_FAIL_MODERATED},
		{"moderation_blocked", CONDUIT_FAIL_MODERATED},
		{"refusal", CONDUIT_FAIL_MODERATED},
		{"insufficient_quota", CONDUIT_FAIL_QUOTA},
		{"insufficient_credits", CONDUIT_FAIL_QUOTA},
		{"billing_hard_limit_reached", CONDUIT_FAIL_QUOTA},
		{"billing_not_active", CONDUIT_FAIL_QUOTA},
		{"billing_error", CONDUIT_FAIL_QUOTA},
		{"payment_required", CONDUIT_FAIL_QUOTA},
		{"openrouter_free_tier_daily", CONDUIT_FAIL_QUOTA},
		{"model_not_found", CONDUIT_FAIL_GONE},
};

/* Names that count only where no status is known: an error in the middle of a stream. */
static const struct name_kind general[] = {
		{"invalid_api_key", CONDUIT_FAIL_BAD_KEY},
		{"authentication", CONDUIT_FAIL_BAD_KEY},
		{"authentication_error", CONDUIT_FAIL_BAD_KEY},
		{"permission_denied", CONDUIT_FAIL_FORBIDDEN},
		{"permission_error", CONDUIT_FAIL_FORBIDDEN},
		{"rate_limit_exceeded", CONDUIT_FAIL_BUSY},
		{"rate_limit_error", CONDUIT_FAIL_BUSY},
		{"not_found", CONDUIT_FAIL_GONE},
		{"not_found_error", CONDUIT_FAIL_GONE},
		{"timeout", CONDUIT_FAIL_TIMED_OUT},
		{"timeout_error", CONDUIT_FAIL_TIMED_OUT},
		{"invalid_request", CONDUIT_FAIL_INVALID},
		{"invalid_request_error", CONDUIT_FAIL_INVALID},
		{"unprocessable", CONDUIT_FAIL_INVALID},
		{"validation", CONDUIT_FAIL_INVALID},
};

static const char *const too_long_phrases[] = {"context length", "context window", "context size",
		"maximum context", "prompt is too long", "input is too long", "too many tokens",
		/* text-generation-inference: "`inputs` tokens + `max_new_tokens` must be <= 4096"
		 */
		"`max_new_tokens` must be"};
static const char *const moderation_phrases[] = {
		"content management policy", "content policy", "moderation"};
static const char *const quota_phrases[] = {"per-day", "per day", "daily limit",
		"exceeded your current quota", "insufficient credits", "credit balance is too low",
		"exhausted balance"};
/* Google and xAI answer a wrong key with 400. */
static const char *const key_phrases[] = {"api key not valid", "incorrect api key provided"};
static const char *const gone_phrases[] = {"is not a valid model"};

static bool named(const struct error_facts *facts, const struct name_kind *table, size_t n,
		enum conduit_kind *ret) {
	for (size_t i = 0; i < facts->n_names; i++) {
		for (size_t j = 0; j < n; j++) {
			if (strcasecmp(facts->names[i], table[j].name) == 0) {
				*ret = table[j].kind;
				return true;
			}
		}
	}
	return false;
}

static bool says(const struct error_facts *facts, const char *const *phrases, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if ((facts->message != NULL && strcasestr(facts->message, phrases[i]) != NULL) ||
				(facts->raw_message != NULL &&
						strcasestr(facts->raw_message, phrases[i]) !=
								NULL)) {
			return true;
		}
	}
	return false;
}

static enum conduit_kind by_status(const struct error_facts *facts) {
	enum conduit_kind kind;
	switch (facts->status) {
	case 0:
		/* An error of the service's that it didn't number: it failed to answer. */
		return named(facts, general, COUNT(general), &kind) ? kind : CONDUIT_FAIL_UPSTREAM;
	case 400:
	case 415:
	case 422:
		return CONDUIT_FAIL_INVALID;
	case 401:
		return CONDUIT_FAIL_BAD_KEY;
	case 402:
		return CONDUIT_FAIL_QUOTA;
	case 403:
		return CONDUIT_FAIL_FORBIDDEN;
	case 404:
		return CONDUIT_FAIL_GONE;
	case 408:
	case 504:
	case 524:
		return CONDUIT_FAIL_TIMED_OUT;
	case 413:
		return CONDUIT_FAIL_TOO_LONG;
	case 429:
		return CONDUIT_FAIL_BUSY;
	default:
		return facts->status >= 500 ? CONDUIT_FAIL_UPSTREAM : CONDUIT_FAIL_OTHER;
	}
}

/* What the words say beyond the status, or `kind` itself. */
static enum conduit_kind by_words(const struct error_facts *facts, enum conduit_kind kind) {
	bool request_refused = facts->status == 0 || facts->status == 400 || facts->status == 422 ||
			       facts->status == 500;
	if (request_refused && says(facts, too_long_phrases, COUNT(too_long_phrases))) {
		return CONDUIT_FAIL_TOO_LONG;
	}
	if ((request_refused || facts->status == 403) &&
			says(facts, moderation_phrases, COUNT(moderation_phrases))) {
		return CONDUIT_FAIL_MODERATED;
	}
	if ((request_refused || facts->status == 403 || facts->status == 429) &&
			says(facts, quota_phrases, COUNT(quota_phrases))) {
		return CONDUIT_FAIL_QUOTA;
	}
	if (facts->status == 400 && says(facts, key_phrases, COUNT(key_phrases))) {
		return CONDUIT_FAIL_BAD_KEY;
	}
	if (request_refused && says(facts, gone_phrases, COUNT(gone_phrases))) {
		return CONDUIT_FAIL_GONE;
	}
	return kind;
}

static enum conduit_kind sort(const struct error_facts *facts) {
	enum conduit_kind kind = by_status(facts);
	if (facts->flagged) {
		return CONDUIT_FAIL_MODERATED;
	}
	enum conduit_kind told;
	/* 401 and 402 are about us, whatever the words. */
	if (kind != CONDUIT_FAIL_BAD_KEY && kind != CONDUIT_FAIL_QUOTA) {
		kind = named(facts, telling, COUNT(telling), &told) ? told : by_words(facts, kind);
	}
	bool concerns_us = kind == CONDUIT_FAIL_TOO_LONG || kind == CONDUIT_FAIL_MODERATED ||
			   kind == CONDUIT_FAIL_BUSY || kind == CONDUIT_FAIL_TIMED_OUT;
	return facts->relayed && !concerns_us ? CONDUIT_FAIL_UPSTREAM : kind;
}

void error_kind(const struct error_facts *facts, struct conduit_failure *failure) {
	failure->kind = sort(facts);
	failure->retry = failure->kind == CONDUIT_FAIL_QUOTA ? CONDUIT_RETRY_NEVER
							     : CONDUIT_RETRY_DEFAULT;
}
