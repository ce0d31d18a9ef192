/* A turn as the body of POST /api/chat. */
#include "ollama.h"

#include <conduit/kit/turn.h>
#include <stdlib.h>
#include <string.h>

/* Settings that the API has no member for. */
static const char *const unknown[] = {"top_a", "logit_bias", "verbosity", "tool_choice",
		"parallel_tool_calls", "reasoning", "include_reasoning", "web_search_options",
		"prediction", "logprobs", "top_logprobs", NULL};

/* Those that stand among `options`, where its Modelfile's parameters do. */
static const struct {
	const char *setting;
	const char *option;
	enum conduit_form form;
} options[] = {
		{"max_tokens", "num_predict", CONDUIT_FORM_NUMBER},
		{"num_ctx", "num_ctx", CONDUIT_FORM_NUMBER},
		{"temperature", "temperature", CONDUIT_FORM_NUMBER},
		{"top_p", "top_p", CONDUIT_FORM_NUMBER},
		{"top_k", "top_k", CONDUIT_FORM_NUMBER},
		{"min_p", "min_p", CONDUIT_FORM_NUMBER},
		{"seed", "seed", CONDUIT_FORM_NUMBER},
		{"repetition_penalty", "repeat_penalty", CONDUIT_FORM_NUMBER},
		{"frequency_penalty", "frequency_penalty", CONDUIT_FORM_NUMBER},
		{"presence_penalty", "presence_penalty", CONDUIT_FORM_NUMBER},
		{"stop", "stop", CONDUIT_FORM_LINES},
};

static bool has_prefix(const char *text, const char *prefix) {
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* ---- the conversation ---- */

static void put_role(struct conduit_body *body, enum conduit_role role) {
	static const char *const roles[] = {
			[CONDUIT_SYSTEM] = "system",
			[CONDUIT_USER] = "user",
			[CONDUIT_ASSISTANT] = "assistant",
	};
	conduit_body_text(body, "{\"role\":\"");
	conduit_body_text(body, roles[role]);
	conduit_body_text(body, "\",\"content\":");
}

/* The texts of a message as one, a blank line between any two. */
static void put_texts(struct conduit_body *body, const struct conduit_message *message) {
	const char *between = "";
	conduit_body_text(body, "\"");
	for (size_t i = 0; i < message->n_parts; i++) {
		const struct conduit_part *part = &message->parts[i];
		if (has_prefix(part->type, "text/")) {
			conduit_body_text(body, between);
			conduit_body_file(body, CONDUIT_FILE_JSON, part->file);
			between = "\\n\\n";
		}
	}
	conduit_body_text(body, "\"");
}

static void put_images(struct conduit_object *object, const struct conduit_message *message) {
	struct conduit_body *body = conduit_object_body(object);
	bool begun = false;
	for (size_t i = 0; i < message->n_parts; i++) {
		const struct conduit_part *part = &message->parts[i];
		if (has_prefix(part->type, "image/")) {
			conduit_body_text(body, begun ? ",\"" : ",\"images\":[\"");
			conduit_body_file(body, CONDUIT_FILE_BASE64, part->file);
			conduit_body_text(body, "\"");
			begun = true;
		} else if (!has_prefix(part->type, "text/")) {
			conduit_object_refuse(object,
					"the attachment \"%.200s\" is %.100s, which Ollama doesn't "
					"take: attach text or images",
					part->name, part->type);
		}
	}
	conduit_body_text(body, begun ? "]" : "");
}

static void put_messages(struct conduit_object *object, const struct conduit_turn *turn) {
	struct conduit_body *body = conduit_object_body(object);
	const char *system = conduit_turn_system(turn);
	const char *comma = "";
	conduit_body_text(body, "[");
	if (system != NULL) {
		put_role(body, CONDUIT_SYSTEM);
		conduit_body_string(body, system, strlen(system));
		conduit_body_text(body, "}");
		comma = ",";
	}
	for (size_t i = 0; i < turn->n_messages; i++) {
		conduit_body_text(body, comma);
		put_role(body, turn->messages[i].role);
		put_texts(body, &turn->messages[i]);
		put_images(object, &turn->messages[i]);
		conduit_body_text(body, "}");
		comma = ",";
	}
	conduit_body_text(body, "]");
}

/* ---- settings ---- */

/* An object of its own, whose members are put together as the request's are; extra's `options`
 * stand instead of all of them. */
static void put_options(struct conduit_object *object, struct conduit_job *job) {
	bool any = false;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		any = any || conduit_object_has(object, options[i].setting);
	}
	if (!any) {
		return;
	}
	if (!conduit_object_open(object, "options")) {
		conduit_log(job, "extra has options: the settings that would be among them "
				 "(max_tokens, temperature …) aren't sent");
		return;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		conduit_object_setting(
				object, options[i].setting, options[i].option, options[i].form);
	}
	conduit_object_close(object);
}

/* Thinking is on by itself where the model can; its levels are those of the models that have any.
 */
static void put_think(struct conduit_object *object, const struct conduit_turn *turn) {
	static const char *const levels[][2] = {{"none", "false"}, {"minimal", "\"low\""},
			{"low", "\"low\""}, {"medium", "\"medium\""}, {"high", "\"high\""},
			{"xhigh", "\"high\""}, {"max", "\"max\""}};
	if (!conduit_object_has(object, "reasoning_effort")) {
		return;
	}
	const char *effort = conduit_setting(turn, "reasoning_effort");
	size_t length = strcspn(effort, " \t\r\n");
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strlen(levels[i][0]) == length && strncmp(effort, levels[i][0], length) == 0 &&
				conduit_object_member(object, "think")) {
			conduit_body_text(conduit_object_body(object), levels[i][1]);
			return;
		}
	}
}

/* The form of the answer: a schema, or JSON of any form. */
static void put_format(struct conduit_object *object, const struct conduit_turn *turn) {
	struct conduit_body *body = conduit_object_body(object);
	if (conduit_object_has(object, "schema")) {
		conduit_object_setting(object, "schema", "format", CONDUIT_FORM_JSON);
		return;
	}
	if (!conduit_object_has(object, "response_format")) {
		return;
	}
	const char *value = conduit_setting(turn, "response_format");
	struct conduit_json *format = conduit_json_parse(value, strlen(value));
	const char *type = conduit_json_string(format, "type");
	const struct conduit_json *schema = conduit_json_get(format, "json_schema.schema");
	if (type != NULL && strcmp(type, "text") == 0) {
		/* Any text is what is given anyway. */
	} else if (schema != NULL && conduit_object_member(object, "format")) {
		char *text = conduit_json_print(schema);
		conduit_body_text(body, text != NULL ? text : "{}");
		free(text);
	} else if (type != NULL && strcmp(type, "json_object") == 0) {
		if (conduit_object_member(object, "format")) {
			conduit_body_text(body, "\"json\"");
		}
	} else if (schema == NULL) {
		conduit_object_refuse(object,
				"the setting response_format is \"%.200s\", which Ollama has no "
				"form for: write {\"type\":\"json_object\"}, or a schema into "
				"config/schema",
				value);
	}
	conduit_json_free(format);
}

struct conduit_object *request_build(struct conduit_job *job, const struct conduit_turn *turn) {
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	conduit_object_leave_out(object, job, "Ollama", unknown);
	if (conduit_object_member(object, "model")) {
		conduit_body_string(body, turn->model, strlen(turn->model));
	}
	if (conduit_object_member(object, "messages")) {
		put_messages(object, turn);
	}
	if (conduit_object_member(object, "stream")) {
		conduit_body_text(body, "true");
	}
	put_options(object, job);
	put_think(object, turn);
	put_format(object, turn);
	conduit_object_setting(object, "tools", "tools", CONDUIT_FORM_JSON);
	return object;
}
