/* A turn as the body of POST /v1/messages. */
#include "anthropic.h"

#include <stdlib.h>
#include <string.h>

/* Sent when the turn has no such setting: the API needs the member. */
#define MAX_TOKENS "4096"

/* Settings that the API has no member for, and would refuse. */
static const char *const unknown[] = {"seed", "min_p", "top_a", "frequency_penalty",
		"presence_penalty", "repetition_penalty", "logit_bias", "logprobs", "top_logprobs",
		"verbosity", "parallel_tool_calls", "reasoning", "include_reasoning",
		"response_format", "web_search_options", "prediction", NULL};

static bool has_prefix(const char *text, const char *prefix) {
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* ---- the conversation ---- */

static void put_text(struct conduit_body *body, const struct conduit_part *part) {
	conduit_body_text(body, "{\"type\":\"text\",\"text\":\"");
	conduit_body_file(body, CONDUIT_FILE_JSON, part->file);
	conduit_body_text(body, "\"}");
}

/* `kind`: "image" or "document". */
static void put_media(
		struct conduit_body *body, const char *kind, const struct conduit_part *part) {
	conduit_body_text(body, "{\"type\":\"");
	conduit_body_text(body, kind);
	conduit_body_text(body, "\",\"source\":{\"type\":\"base64\",\"media_type\":");
	conduit_body_string(body, part->type, strlen(part->type));
	conduit_body_text(body, ",\"data\":\"");
	conduit_body_file(body, CONDUIT_FILE_BASE64, part->file);
	conduit_body_text(body, "\"}}");
}

/* An empty text is refused by the API, and says nothing. */
static bool is_sent(const struct conduit_part *part) {
	return !has_prefix(part->type, "text/") || part->bytes != 0;
}

static void put_part(struct conduit_object *object, const struct conduit_part *part) {
	struct conduit_body *body = conduit_object_body(object);
	if (has_prefix(part->type, "text/")) {
		put_text(body, part);
	} else if (has_prefix(part->type, "image/")) {
		put_media(body, "image", part);
	} else if (strcmp(part->type, "application/pdf") == 0) {
		put_media(body, "document", part);
	} else {
		conduit_object_refuse(object,
				"the attachment \"%.200s\" is %.100s, which Anthropic doesn't "
				"take: "
				"attach text, images or PDF",
				part->name, part->type);
	}
}

/* What a message holds as content blocks; images and documents before the text about them, as
 * Anthropic's guide advises. */
static void put_parts(struct conduit_object *object, const struct conduit_message *message) {
	struct conduit_body *body = conduit_object_body(object);
	const char *comma = "";
	for (int text = 0; text <= 1; text++) {
		for (size_t i = 0; i < message->n_parts; i++) {
			const struct conduit_part *part = &message->parts[i];
			if (has_prefix(part->type, "text/") == (text == 1) && is_sent(part)) {
				conduit_body_text(body, comma);
				put_part(object, part);
				comma = ",";
			}
		}
	}
}

static bool says_something(const struct conduit_message *message) {
	bool sent = false;
	for (size_t i = 0; i < message->n_parts; i++) {
		sent = sent || is_sent(&message->parts[i]);
	}
	return sent;
}

static void put_messages(struct conduit_object *object, const struct conduit_turn *turn) {
	struct conduit_body *body = conduit_object_body(object);
	const char *comma = "";
	conduit_body_text(body, "[");
	for (size_t i = 0; i < turn->n_messages; i++) {
		const struct conduit_message *message = &turn->messages[i];
		if (message->role == CONDUIT_SYSTEM || !says_something(message)) {
			continue;
		}
		conduit_body_text(body, comma);
		conduit_body_text(body, message->role == CONDUIT_USER
							? "{\"role\":\"user\",\"content\":["
							: "{\"role\":\"assistant\",\"content\":[");
		put_parts(object, message);
		conduit_body_text(body, "]}");
		comma = ",";
	}
	conduit_body_text(body, "]");
}

/* The instructions stand beside the conversation: its system messages, or the setting. */
static void put_system(struct conduit_object *object, const struct conduit_turn *turn) {
	struct conduit_body *body = conduit_object_body(object);
	bool begun = false;
	for (size_t i = 0; i < turn->n_messages; i++) {
		const struct conduit_message *message = &turn->messages[i];
		if (message->role != CONDUIT_SYSTEM || !says_something(message)) {
			continue;
		}
		if (!begun && !conduit_object_member(object, "system")) {
			return;
		}
		conduit_body_text(body, begun ? "," : "[");
		put_parts(object, message);
		begun = true;
	}
	if (begun) {
		conduit_body_text(body, "]");
	} else {
		conduit_object_setting(object, "system", "system", CONDUIT_FORM_STRING);
	}
}

/* ---- tools and the form of the answer ---- */

static void put_json(struct conduit_body *body, const struct conduit_json *value) {
	char *text = conduit_json_print(value);
	conduit_body_text(body, text != NULL ? text : "null");
	free(text);
}

static void put_string(struct conduit_body *body, const char *text) {
	conduit_body_string(body, text, strlen(text));
}

/* A tool as OpenAI's dialect writes it in Anthropic's words; its own stay as they are. */
static void put_tool(struct conduit_body *body, const struct conduit_json *tool) {
	const char *name = conduit_json_string(tool, "function.name");
	const char *description = conduit_json_string(tool, "function.description");
	const struct conduit_json *schema = conduit_json_get(tool, "function.parameters");
	if (name == NULL) {
		put_json(body, tool);
		return;
	}
	conduit_body_text(body, "{\"name\":");
	put_string(body, name);
	if (description != NULL) {
		conduit_body_text(body, ",\"description\":");
		put_string(body, description);
	}
	conduit_body_text(body, ",\"input_schema\":");
	if (schema != NULL) {
		put_json(body, schema);
	} else {
		conduit_body_text(body, "{\"type\":\"object\"}");
	}
	conduit_body_text(body, "}");
}

/* A setting parsed; NULL after a refusal where it isn't JSON of this type. */
static struct conduit_json *read_json(struct conduit_object *object, const char *name,
		const char *value, enum conduit_json_type type, const char *what) {
	struct conduit_json *json = conduit_json_parse(value, strlen(value));
	if (conduit_json_type(json, NULL) != type) {
		conduit_object_refuse(object,
				"the setting %s is \"%.200s\", which is no %s: correct config/%s",
				name, value, what, name);
		conduit_json_free(json);
		return NULL;
	}
	return json;
}

static void put_tools(struct conduit_object *object, const char *value) {
	struct conduit_body *body = conduit_object_body(object);
	struct conduit_json *tools = read_json(
			object, "tools", value, CONDUIT_JSON_ARRAY, "JSON array");
	if (tools != NULL && conduit_object_member(object, "tools")) {
		const char *comma = "[";
		for (const struct conduit_json *tool = conduit_json_first(tools); tool != NULL;
				tool = conduit_json_next(tool)) {
			conduit_body_text(body, comma);
			put_tool(body, tool);
			comma = ",";
		}
		conduit_body_text(body, comma[0] == '[' ? "[]" : "]");
	}
	conduit_json_free(tools);
}

/* auto, none, any (required), or an object: OpenAI's that names a function, or Anthropic's own. */
static void put_tool_choice(struct conduit_object *object, const char *value) {
	struct conduit_body *body = conduit_object_body(object);
	struct conduit_json *choice = conduit_json_parse(value, strlen(value));
	const char *word = choice != NULL ? conduit_json_string(choice, NULL) : value;
	const char *name = conduit_json_string(choice, "function.name");
	if (word == NULL && conduit_json_type(choice, NULL) != CONDUIT_JSON_OBJECT) {
		conduit_object_refuse(object,
				"the setting tool_choice is \"%.200s\": write auto, none, required "
				"or "
				"a JSON object into config/tool_choice",
				value);
	} else if (!conduit_object_member(object, "tool_choice")) {
		/* extra says it. */
	} else if (word != NULL) {
		size_t length = strcspn(word, " \t\r\n");
		bool any = length == strlen("required") && has_prefix(word, "required");
		conduit_body_text(body, "{\"type\":");
		conduit_body_string(body, any ? "any" : word, any ? strlen("any") : length);
		conduit_body_text(body, "}");
	} else if (name != NULL) {
		conduit_body_text(body, "{\"type\":\"tool\",\"name\":");
		put_string(body, name);
		conduit_body_text(body, "}");
	} else {
		put_json(body, choice);
	}
	conduit_json_free(choice);
}

/* The schema that the answer keeps to, and how hard the model thinks. */
static void put_output_config(struct conduit_object *object, const struct conduit_turn *turn) {
	struct conduit_body *body = conduit_object_body(object);
	bool has_schema = conduit_object_has(object, "schema");
	bool has_effort = conduit_object_has(object, "reasoning_effort");
	if ((!has_schema && !has_effort) || !conduit_object_member(object, "output_config")) {
		return;
	}
	conduit_body_text(body, "{");
	if (has_effort) {
		const char *effort = conduit_setting(turn, "reasoning_effort");
		conduit_body_text(body, "\"effort\":");
		conduit_body_string(body, effort, strcspn(effort, " \t\r\n"));
	}
	if (has_schema) {
		const char *schema = conduit_setting(turn, "schema");
		conduit_json_free(read_json(object, "schema", schema, CONDUIT_JSON_OBJECT,
				"JSON schema (an object)"));
		conduit_body_text(body, has_effort ? ",\"format\":" : "\"format\":");
		conduit_body_text(body, "{\"type\":\"json_schema\",\"schema\":");
		conduit_body_text(body, schema);
		conduit_body_text(body, "}");
	}
	conduit_body_text(body, "}");
}

struct conduit_object *request_build(struct conduit_job *job, const struct conduit_turn *turn) {
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	conduit_object_leave_out(object, job, "Anthropic", unknown);
	if (conduit_object_member(object, "model")) {
		put_string(body, turn->model);
	}
	if (conduit_object_has(object, "max_tokens")) {
		conduit_object_setting(object, "max_tokens", "max_tokens", CONDUIT_FORM_NUMBER);
	} else if (conduit_object_member(object, "max_tokens")) {
		conduit_body_text(body, MAX_TOKENS);
	}
	put_system(object, turn);
	if (conduit_object_member(object, "messages")) {
		put_messages(object, turn);
	}
	if (conduit_object_member(object, "stream")) {
		conduit_body_text(body, "true");
	}
	conduit_object_setting(object, "temperature", "temperature", CONDUIT_FORM_NUMBER);
	conduit_object_setting(object, "top_p", "top_p", CONDUIT_FORM_NUMBER);
	conduit_object_setting(object, "top_k", "top_k", CONDUIT_FORM_NUMBER);
	conduit_object_setting(object, "stop", "stop_sequences", CONDUIT_FORM_LINES);
	put_output_config(object, turn);
	if (conduit_object_has(object, "tools")) {
		put_tools(object, conduit_setting(turn, "tools"));
	}
	if (conduit_object_has(object, "tool_choice")) {
		put_tool_choice(object, conduit_setting(turn, "tool_choice"));
	}
	return object;
}
