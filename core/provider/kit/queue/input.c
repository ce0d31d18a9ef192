/* A turn as the input of a model that was described by a JSON schema, or by none: see queue.h. */
#include <conduit/kit/queue.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/provider/kit/queue/settings.h"

#include <stdio.h>
#include <string.h>

/* "string", "integer" …: its own, or that of the first alternative which isn't null. */
static const char *type_of(const struct conduit_json *property) {
	const char *type = conduit_json_string(property, "type");
	const struct conduit_json *any = conduit_json_first(conduit_json_get(property, "anyOf"));
	for (; type == NULL && any != NULL; any = conduit_json_next(any)) {
		const char *one = conduit_json_string(any, "type");
		type = one != NULL && strcmp(one, "null") != 0 ? one : NULL;
	}
	return type != NULL ? type : "";
}

static bool is_array(const struct conduit_json *property) {
	return strcmp(type_of(property), "array") == 0;
}

/* Whether a property takes the URL of a file. */
static bool takes_url(const struct conduit_json *property) {
	const char *name = conduit_json_name(property);
	const char *format = conduit_json_string(property, "format");
	const char *inner = conduit_json_string(property, "items.format");
	return (format != NULL && strcmp(format, "uri") == 0) ||
	       (inner != NULL && strcmp(inner, "uri") == 0) || ends_with(name, "_url") ||
	       ends_with(name, "_urls");
}

/* ---- settings ---- */

static enum conduit_form form_of(const struct conduit_json *property, enum conduit_form otherwise) {
	const char *type = type_of(property);
	if (strcmp(type, "string") == 0) {
		return CONDUIT_FORM_STRING;
	}
	return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0 ? CONDUIT_FORM_NUMBER
									   : otherwise;
}

/* "1024x768" where the model takes it in two. */
static bool put_width_and_height(struct conduit_object *input, const struct conduit_turn *turn,
		const char *setting, const struct conduit_json *property) {
	const char *value = conduit_setting(turn, setting);
	unsigned width = 0, height = 0;
	char text[64], after;
	if (strcmp(setting, "size") != 0 || value == NULL || !queue_takes_object(property) ||
			strspn(value, "0123456789x") != strlen(value) ||
			sscanf(value, "%5ux%5u%c", &width, &height, &after) != 2) {
		return false;
	}
	if (conduit_object_member(input, conduit_json_name(property))) {
		snprintf(text, sizeof(text), "{\"width\":%u,\"height\":%u}", width, height);
		conduit_body_text(conduit_object_body(input), text);
	}
	return true;
}

static void put_setting(struct conduit_object *input, const struct conduit_turn *turn,
		const struct queue_setting *setting, const struct conduit_json *schema) {
	if (schema == NULL && strcmp(setting->setting, "max_tokens") != 0) {
		conduit_object_setting(input, setting->setting, setting->names[0], setting->form);
	}
	const struct conduit_json *found = queue_setting_property(setting, schema);
	if (found != NULL && !put_width_and_height(input, turn, setting->setting, found)) {
		conduit_object_setting(input, setting->setting, conduit_json_name(found),
				form_of(found, setting->form));
	}
}

/* ---- the prompt's text ---- */

static const char *text_name(const struct conduit_json *schema) {
	static const char *const names[] = {"prompt", "text", "input", "query", "question",
			"text_input", "input_text", "gen_text", "lyrics", "caption"};
	for (size_t i = 0; schema != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		const struct conduit_json *found = queue_property(schema, names[i]);
		if (found != NULL && strcmp(type_of(found), "string") == 0 && !takes_url(found)) {
			return names[i];
		}
	}
	return schema == NULL ? names[0] : NULL;
}

static bool is_text(const struct conduit_part *part) {
	return starts_with(part->type, "text/");
}

/* Earlier messages stand before the prompt, each on lines of its own: models that queue have no
 * conversation. */
static void put_text(struct conduit_body *body, const struct conduit_turn *turn) {
	bool any = false;
	conduit_body_text(body, "\"");
	for (size_t i = 0; i < turn->n_messages; i++) {
		const struct conduit_message *message = &turn->messages[i];
		for (size_t j = 0; j < message->n_parts; j++) {
			if (is_text(&message->parts[j]) && message->role != CONDUIT_SYSTEM) {
				conduit_body_text(body, any ? "\\n\\n" : "");
				conduit_body_file(body, CONDUIT_FILE_JSON, message->parts[j].file);
				any = true;
			}
		}
	}
	conduit_body_text(body, "\"");
}

static bool has_text(const struct conduit_turn *turn) {
	bool has = false;
	for (size_t i = 0; i < turn->n_messages; i++) {
		for (size_t j = 0; j < turn->messages[i].n_parts; j++) {
			const struct conduit_part *part = &turn->messages[i].parts[j];
			has = has || (is_text(part) && part->bytes != 0 &&
						     turn->messages[i].role != CONDUIT_SYSTEM);
		}
	}
	return has;
}

/* ---- files ---- */

/* "image" of image/png; "file" of what is neither picture, sound nor video. */
static const char *kind_of(const struct conduit_part *part) {
	static const char *const kinds[] = {"image", "audio", "video"};
	for (size_t i = 0; i < 3; i++) {
		if (starts_with(part->type, kinds[i])) {
			return kinds[i];
		}
	}
	return "file";
}

/* The first property that takes a URL and bears the kind in its name, else the first that takes any
 * and names no other kind. */
static const struct conduit_json *file_property(
		const struct conduit_json *schema, const char *kind) {
	const struct conduit_json *other = NULL;
	for (const struct conduit_json *at = conduit_json_first(schema); at != NULL;
			at = conduit_json_next(at)) {
		const char *name = conduit_json_name(at);
		if (!takes_url(at) || strstr(name, "mask") != NULL) {
			continue;
		}
		if (strstr(name, kind) != NULL) {
			return at;
		}
		bool named = strstr(name, "image") != NULL || strstr(name, "audio") != NULL ||
			     strstr(name, "video") != NULL;
		other = other == NULL && !named ? at : other;
	}
	return other;
}

static void put_data_url(struct conduit_body *body, const struct conduit_part *part) {
	size_t plain = strspn(part->type, "abcdefghijklmnopqrstuvwxyz0123456789.+-/");
	conduit_body_text(body, "\"data:");
	conduit_body_text(
			body, part->type[plain] == '\0' ? part->type : "application/octet-stream");
	conduit_body_text(body, ";base64,");
	conduit_body_file(body, CONDUIT_FILE_BASE64, part->file);
	conduit_body_text(body, "\"");
}

/* All files of a kind that the newest message has, as one member: a URL, or an array of them. */
static void put_files(struct conduit_object *input, const struct conduit_message *message,
		const char *kind, const struct conduit_json *schema) {
	const struct conduit_json *found = file_property(schema, kind);
	struct conduit_body *body = conduit_object_body(input);
	char guess[16];
	snprintf(guess, sizeof(guess), "%s_url", kind);
	const char *name = found != NULL ? conduit_json_name(found) : guess;
	bool many = found != NULL && is_array(found), any = false;
	for (size_t i = 0; i < message->n_parts; i++) {
		const struct conduit_part *part = &message->parts[i];
		if (is_text(part) || strcmp(kind_of(part), kind) != 0) {
			continue;
		}
		if (schema != NULL && found == NULL) {
			conduit_object_refuse(input, "the model has no input for %s", part->type);
			return;
		}
		if (any && !many) {
			conduit_object_refuse(
					input, "the model takes one file as %s, not several", name);
			return;
		}
		if (!any && !conduit_object_member(input, name)) {
			return;
		}
		conduit_body_text(body, !many ? "" : any ? "," : "[");
		put_data_url(body, part);
		any = true;
	}
	conduit_body_text(body, many && any ? "]" : "");
}

void conduit_queue_input(struct conduit_object *input, const struct conduit_turn *turn,
		const struct conduit_json *schema) {
	static const char *const kinds[] = {"image", "audio", "video", "file"};
	schema = conduit_json_type(schema, NULL) == CONDUIT_JSON_OBJECT ? schema : NULL;
	const char *text = text_name(schema);
	if (text != NULL && has_text(turn) && conduit_object_member(input, text)) {
		put_text(conduit_object_body(input), turn);
	} else if (text == NULL && has_text(turn)) {
		conduit_object_refuse(input, "the model has no input for text");
	}
	for (size_t i = 0; turn->n_messages != 0 && i < 4; i++) {
		put_files(input, &turn->messages[turn->n_messages - 1], kinds[i], schema);
	}
	for (size_t i = 0; i < n_queue_settings; i++) {
		put_setting(input, turn, &queue_settings[i], schema);
	}
}

/* ---- a model ---- */

char *conduit_queue_parameters(const struct conduit_json *schema) {
	cleanup_buf struct buf list = {0};
	schema = conduit_json_type(schema, NULL) == CONDUIT_JSON_OBJECT ? schema : NULL;
	for (size_t i = 0; i < n_queue_settings; i++) {
		if (queue_setting_property(&queue_settings[i], schema) != NULL) {
			buf_add_format(&list, "%s%s", list.size != 0 ? "," : "",
					queue_settings[i].setting);
		}
	}
	return list.size != 0 ? buf_take(&list) : strdup("");
}

const char *conduit_queue_modalities(const struct conduit_json *schema) {
	/* By bits: text, image, audio, video. */
	static const char *const lists[16] = {"file", "text", "image", "text,image", "audio",
			"text,audio", "image,audio", "text,image,audio", "video", "text,video",
			"image,video", "text,image,video", "audio,video", "text,audio,video",
			"image,audio,video", "text,image,audio,video"};
	static const char *const kinds[] = {"image", "audio", "video"};
	schema = conduit_json_type(schema, NULL) == CONDUIT_JSON_OBJECT ? schema : NULL;
	unsigned bits = schema != NULL && text_name(schema) != NULL;
	for (size_t i = 0; i < 3; i++) {
		const struct conduit_json *found = file_property(schema, kinds[i]);
		bool named = found != NULL && strstr(conduit_json_name(found), kinds[i]) != NULL;
		bits |= named ? 2U << i : 0;
	}
	return lists[bits];
}
