/* A turn's settings as members of a chat request, each with its JSON type. */
#include "core/provider/kit/openai/request.h"

#include "core/base/text.h"

#include <conduit/kit/json.h>
#include <string.h>

static const struct member {
	const char *name; /* of the setting and of the request's member */
	enum conduit_form form;
} members[] = {
		{"temperature", CONDUIT_FORM_NUMBER},
		{"top_p", CONDUIT_FORM_NUMBER},
		{"top_k", CONDUIT_FORM_NUMBER},
		{"min_p", CONDUIT_FORM_NUMBER},
		{"top_a", CONDUIT_FORM_NUMBER},
		{"frequency_penalty", CONDUIT_FORM_NUMBER},
		{"presence_penalty", CONDUIT_FORM_NUMBER},
		{"repetition_penalty", CONDUIT_FORM_NUMBER},
		{"seed", CONDUIT_FORM_NUMBER},
		{"max_tokens", CONDUIT_FORM_NUMBER},
		{"stop", CONDUIT_FORM_LINES},
		{"logit_bias", CONDUIT_FORM_JSON},
		{"reasoning_effort", CONDUIT_FORM_STRING},
		{"verbosity", CONDUIT_FORM_STRING},
		{"tools", CONDUIT_FORM_JSON},
		{"tool_choice", CONDUIT_FORM_JSON_OR_WORD},
		{"parallel_tool_calls", CONDUIT_FORM_BOOL},
		{"reasoning", CONDUIT_FORM_JSON},
		{"include_reasoning", CONDUIT_FORM_BOOL},
		{"web_search_options", CONDUIT_FORM_JSON},
		{"prediction", CONDUIT_FORM_JSON},
};

static bool is_left_out(const struct conduit_openai *dialect, const char *setting) {
	for (const char *const *name = dialect->without; name != NULL && *name != NULL; name++) {
		if (strcmp(*name, setting) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether probabilities are told, and of how many alternatives: two members, or one number. */
static void put_logprobs(struct conduit_object *object, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	const char *wanted = conduit_setting(turn, "logprobs");
	if (!dialect->logprobs_is_count) {
		if (!is_left_out(dialect, "logprobs")) {
			conduit_object_setting(object, "logprobs", "logprobs", CONDUIT_FORM_BOOL);
		}
		if (!is_left_out(dialect, "top_logprobs")) {
			conduit_object_setting(object, "top_logprobs", "top_logprobs",
					CONDUIT_FORM_NUMBER);
		}
	} else if (conduit_object_has(object, "logprobs") && strcmp(wanted, "yes") == 0) {
		if (conduit_object_has(object, "top_logprobs")) {
			conduit_object_setting(
					object, "top_logprobs", "logprobs", CONDUIT_FORM_NUMBER);
		} else if (conduit_object_member(object, "logprobs")) {
			conduit_body_text(conduit_object_body(object), "1");
		}
	}
}

/* Structured outputs: the answer keeps to the schema. */
static void put_schema(struct conduit_object *object, const char *value, bool is_strict) {
	struct conduit_json *schema = conduit_json_parse(value, strlen(value));
	bool is_object = conduit_json_type(schema, NULL) == CONDUIT_JSON_OBJECT;
	conduit_json_free(schema);
	if (!conduit_object_member(object, "response_format")) {
		return;
	}
	if (!is_object) {
		conduit_object_refuse(object,
				"the setting schema is \"%.200s\", which is no JSON schema (an "
				"object): correct config/schema",
				value);
		return;
	}
	struct conduit_body *body = conduit_object_body(object);
	conduit_body_text(body, "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"output\","
				"\"strict\":");
	conduit_body_text(body, is_strict ? "true" : "false");
	conduit_body_text(body, ",\"schema\":");
	conduit_body_text(body, value);
	conduit_body_text(body, "}}");
}

static const char *member_name(const struct conduit_openai *dialect, const char *setting) {
	if (strcmp(setting, "max_tokens") == 0 && dialect->max_tokens != NULL) {
		return dialect->max_tokens;
	}
	if (strcmp(setting, "seed") == 0 && dialect->seed != NULL) {
		return dialect->seed;
	}
	return setting;
}

void openai_settings(struct conduit_object *object, const struct conduit_turn *turn,
		const struct conduit_openai *dialect) {
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (!is_left_out(dialect, members[i].name)) {
			conduit_object_setting(object, members[i].name,
					member_name(dialect, members[i].name), members[i].form);
		}
	}
	put_logprobs(object, turn, dialect);
	if (dialect->fallback_models != NULL) {
		conduit_object_setting(object, "fallback_models", dialect->fallback_models,
				CONDUIT_FORM_JSON);
	}
	if (conduit_object_has(object, "schema")) {
		const char *strict = conduit_setting(turn, "structured_outputs");
		put_schema(object, conduit_setting(turn, "schema"),
				strict == NULL || !starts_with(strict, "no"));
	} else {
		conduit_object_setting(
				object, "response_format", "response_format", CONDUIT_FORM_JSON);
	}
}
