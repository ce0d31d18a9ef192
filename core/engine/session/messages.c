/* The chat format: see messages.h. */
#include "core/engine/session/messages.h"

#include "core/base/text.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

/* A value costs the parser some 64 bytes, however short it is: so many for the most messages, each
 * with a few members and parts. */
#define VALUES_MOST 100000

/* ---- before it is parsed ---- */

struct scan {
	size_t depth, values;
	bool closed;
	bool nul; /* the character U+0000, which a C string can't hold */
};

/* The end of the string whose first byte is at `i`: behind its quote, or `size`. */
static size_t string_end(const char *text, size_t size, size_t i, bool *nul) {
	while (i < size && text[i] != '"') {
		if (text[i] == '\\') {
			*nul = *nul || (size - i > 5 && memcmp(text + i, "\\u0000", 6) == 0);
			i++;
		}
		i++;
	}
	return i < size ? i + 1 : size;
}

/* Goes through the text once, up to the end of the array. */
static struct scan scan(const char *text, size_t size) {
	struct scan found = {0};
	size_t i = 0;
	while (i < size && !found.closed) {
		char c = text[i++];
		if (c == '"') {
			i = string_end(text, size, i, &found.nul);
		} else if (c == '[' || c == '{') {
			found.depth++;
			found.values++;
		} else if (c == ']' || c == '}') {
			found.closed = found.depth <= 1;
			found.depth--;
		} else if (c == ',') {
			found.values++;
		}
	}
	return found;
}

enum messages_state messages_scan(const char *text, size_t size) {
	size_t blank = 0;
	while (blank < size && isspace((unsigned char)text[blank])) {
		blank++;
	}
	bool array = blank == size || text[blank] == '[';
	return array && !scan(text, size).closed ? MESSAGES_MORE : MESSAGES_WHOLE;
}

/* ---- parsing ---- */

static const cJSON *member(const cJSON *object, const char *name) {
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool wrong(struct fail *fail, size_t index, const char *what) {
	return fail_set(fail, EINVAL, "messages.json: message %zu %s", index, what);
}

/* An array of text parts as one string, in place of the array. */
static bool join(cJSON *message, cJSON *content, size_t index, struct fail *fail) {
	cleanup_buf struct buf text = {0};
	const cJSON *part;
	cJSON_ArrayForEach(part, content) {
		const char *type = cJSON_GetStringValue(member(part, "type"));
		const char *words = cJSON_GetStringValue(member(part, "text"));
		if (type == NULL || strcmp(type, "text") != 0 || words == NULL) {
			return wrong(fail, index,
					"has a part that isn't {\"type\": \"text\", \"text\": …}: "
					"a "
					"history holds text alone");
		}
		buf_add_string(&text, words);
	}
	cJSON *joined = cJSON_CreateString(buf_string(&text));
	if (text.failed || joined == NULL ||
			!cJSON_ReplaceItemInObjectCaseSensitive(message, "content", joined)) {
		cJSON_Delete(joined);
		return fail_set(fail, ENOMEM, "no memory for messages.json");
	}
	return true;
}

/* The text of a message that has one. */
static const char *content_of(cJSON *message, size_t index, struct fail *fail) {
	static const char *const calls[] = {"tool_calls", "function_call", "tool_call_id"};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const cJSON *call = member(message, calls[i]);
		if (call != NULL && !cJSON_IsNull(call)) {
			wrong(fail, index, "has tool calls, which a history can't hold");
			return NULL;
		}
	}
	cJSON *content = cJSON_GetObjectItemCaseSensitive(message, "content");
	if (cJSON_IsArray(content) && !join(message, content, index, fail)) {
		return NULL;
	}
	const char *text = cJSON_GetStringValue(member(message, "content"));
	if (text == NULL) {
		wrong(fail, index, "has no \"content\" that is a string or an array of text parts");
		return NULL;
	}
	if (text[0] == '\0') {
		wrong(fail, index, "has an empty \"content\"");
		return NULL;
	}
	return text;
}

static bool take_message(struct messages *ret, cJSON *message, size_t index, struct fail *fail) {
	if (!cJSON_IsObject(message)) {
		return wrong(fail, index, "isn't an object: {\"role\": …, \"content\": …}");
	}
	const char *role = cJSON_GetStringValue(member(message, "role"));
	bool system = role != NULL && strcmp(role, "system") == 0;
	bool answer = role != NULL && strcmp(role, "assistant") == 0;
	if (!system && !answer && (role == NULL || strcmp(role, "user") != 0)) {
		return wrong(fail, index, "has no \"role\" that is system, user or assistant");
	}
	if (system && index != 0) {
		return wrong(fail, index, "is a system message, which can only be the first");
	}
	const char *text = content_of(message, index, fail);
	if (text == NULL) {
		return false;
	}
	if (system) {
		ret->system = strdup(text);
		return ret->system != NULL || fail_set(fail, ENOMEM, "no memory for messages.json");
	}
	ret->texts[ret->n++] = (struct history_text){
			.text = text, .size = strlen(text), .answer = answer};
	return true;
}

static bool take_all(struct messages *ret, cJSON *array, struct fail *fail) {
	int n = cJSON_GetArraySize(array);
	if (n > HISTORY_MOST + 1) {
		return fail_set(fail, EMSGSIZE, "messages.json: %d messages, at most %d are taken",
				n, HISTORY_MOST);
	}
	ret->texts = calloc((size_t)n + 1, sizeof(*ret->texts));
	if (ret->texts == NULL) {
		return fail_set(fail, ENOMEM, "no memory for messages.json");
	}
	size_t index = 0, bytes = 0;
	for (cJSON *message = array->child, *next; message != NULL; message = next) {
		next = message->next;
		if (!take_message(ret, message, index++, fail)) {
			return false;
		}
		bytes += ret->n > 0 ? ret->texts[ret->n - 1].size : 0;
	}
	if (ret->n > HISTORY_MOST) {
		return fail_set(fail, EMSGSIZE, "messages.json: %zu messages, at most %d are taken",
				ret->n, HISTORY_MOST);
	}
	return bytes <= HISTORY_BYTES_MOST ||
	       fail_set(fail, EFBIG, "messages.json: %zu bytes of text, at most %zu are taken",
			       bytes, HISTORY_BYTES_MOST);
}

static bool check_text(const char *text, size_t size, struct fail *fail) {
	struct scan found = scan(text, size);
	if (size > MESSAGES_MOST || found.values > VALUES_MOST) {
		return fail_set(fail, EFBIG,
				"messages.json: at most %zu bytes and %d values are taken",
				MESSAGES_MOST, VALUES_MOST);
	}
	if (found.nul || memchr(text, '\0', size) != NULL || !utf8_valid(text, size)) {
		return fail_set(fail, EINVAL,
				"messages.json: holds the character NUL or bytes that aren't "
				"UTF-8");
	}
	return true;
}

static cJSON *parse_array(const char *text, size_t size, struct fail *fail) {
	const char *end = NULL;
	cleanup_free char *copy = strndup(text, size);
	cJSON *document = copy != NULL ? cJSON_ParseWithOpts(copy, &end, true) : NULL;
	if (copy == NULL) {
		fail_set(fail, ENOMEM, "no memory for messages.json");
	} else if (document == NULL) {
		fail_set(fail, EINVAL, "messages.json: not JSON from byte %zu on",
				(size_t)(end - copy) + 1);
	} else if (!cJSON_IsArray(document)) {
		cJSON_Delete(document);
		document = NULL;
		fail_set(fail, EINVAL,
				"messages.json: isn't an array of messages: [{\"role\": …, "
				"\"content\": …}, …]");
	}
	return document;
}

bool messages_parse(const char *text, size_t size, struct messages *ret, struct fail *fail) {
	struct messages found = {0};
	if (!check_text(text, size, fail)) {
		return false;
	}
	found.document = parse_array(text, size, fail);
	if (found.document == NULL) {
		return false;
	}
	if (!take_all(&found, found.document, fail)) {
		messages_finish(&found);
		return false;
	}
	*ret = found;
	return true;
}

void messages_finish(struct messages *messages) {
	cJSON_Delete(messages->document);
	free(messages->texts);
	free(messages->system);
	*messages = (struct messages){0};
}

/* ---- writing ---- */

bool messages_begin(struct buf *out) {
	return buf_add_string(out, "[");
}

bool messages_add(struct buf *out, const char *role, const char *text, size_t size) {
	bool first = out->size > 0 && out->data[out->size - 1] == '[';
	return buf_add_format(out, "%s\n{\"role\": \"%s\", \"content\": \"", first ? "" : ",",
			       role) &&
	       json_escape(out, text, size) && buf_add_string(out, "\"}");
}

bool messages_end(struct buf *out) {
	bool none = out->size > 0 && out->data[out->size - 1] == '[';
	return buf_add_string(out, none ? "]\n" : "\n]\n");
}
