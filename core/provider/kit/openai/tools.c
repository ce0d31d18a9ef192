/* Tool calls from fragments: see tools.h. */
#include "core/provider/kit/openai/tools.h"

#include "core/base/text.h"

#include <string.h>

static struct tool_call *append_call(struct tool_calls *tools, int64_t index) {
	if (tools->n == TOOL_CALLS_LIMIT) {
		return NULL;
	}
	struct tool_call *calls = reallocarray(tools->calls, tools->n + 1, sizeof(*calls));
	if (calls == NULL) {
		return NULL;
	}
	tools->calls = calls;
	struct tool_call *call = &calls[tools->n++];
	*call = (struct tool_call){.index = index};
	return call;
}

static struct tool_call *call_at(struct tool_calls *tools, int64_t index) {
	for (size_t i = 0; i < tools->n; i++) {
		if (tools->calls[i].index == index) {
			return &tools->calls[i];
		}
	}
	return append_call(tools, index);
}

static struct tool_call *find_call(struct tool_calls *tools, const struct conduit_json *fragment) {
	int64_t index;
	if (!conduit_json_int64(fragment, "index", &index)) {
		const char *id = conduit_json_string(fragment, "id");
		struct tool_call *last = tools->n != 0 ? &tools->calls[tools->n - 1] : NULL;
		if (last != NULL && (id == NULL || strcmp(id, buf_string(&last->id)) == 0)) {
			return last;
		}
		return append_call(tools, last != NULL ? last->index + 1 : 0);
	}
	return call_at(tools, index);
}

static bool add_text(struct tool_calls *tools, struct buf *buf, const char *text) {
	size_t size = strlen(text);
	if (size > TOOL_TEXT_LIMIT - tools->bytes) {
		return false;
	}
	tools->bytes += size;
	return buf_add(buf, text, size);
}

/* An id or name: comes once, but some services repeat it with every fragment. */
static bool set_text(struct tool_calls *tools, struct buf *buf, const char *text) {
	return text == NULL || text[0] == '\0' || buf->size != 0 || add_text(tools, buf, text);
}

static bool add_fragment(struct tool_calls *tools, const struct conduit_json *fragment) {
	struct tool_call *call = find_call(tools, fragment);
	if (call == NULL || !set_text(tools, &call->id, conduit_json_string(fragment, "id")) ||
			!set_text(tools, &call->name,
					conduit_json_string(fragment, "function.name"))) {
		return false;
	}
	const struct conduit_json *arguments = conduit_json_get(fragment, "function.arguments");
	const char *string = conduit_json_string(arguments, NULL);
	if (string != NULL) {
		return add_text(tools, &call->arguments, string);
	}
	if (conduit_json_type(arguments, NULL) == CONDUIT_JSON_OBJECT) {
		cleanup_free char *printed = conduit_json_print(arguments);
		return printed != NULL && add_text(tools, &call->arguments, printed);
	}
	return true;
}

bool tool_calls_piece(struct tool_calls *tools, int64_t index, const char *id, const char *name,
		const char *arguments) {
	struct tool_call *call = call_at(tools, index);
	return call != NULL && set_text(tools, &call->id, id) &&
	       set_text(tools, &call->name, name) &&
	       (arguments == NULL || add_text(tools, &call->arguments, arguments));
}

bool tool_calls_add(struct tool_calls *tools, const struct conduit_json *array) {
	if (conduit_json_type(array, NULL) != CONDUIT_JSON_ARRAY) {
		return true;
	}
	for (const struct conduit_json *fragment = conduit_json_first(array); fragment != NULL;
			fragment = conduit_json_next(fragment)) {
		if (!add_fragment(tools, fragment)) {
			return false;
		}
	}
	return true;
}

bool tool_calls_print(const struct tool_calls *tools, struct buf *out) {
	buf_add_byte(out, '[');
	for (size_t i = 0; i < tools->n; i++) {
		const struct tool_call *call = &tools->calls[i];
		buf_add_string(out, i == 0 ? "{\"id\":\"" : ",{\"id\":\"");
		json_escape(out, buf_string(&call->id), call->id.size);
		buf_add_string(out, "\",\"type\":\"function\",\"function\":{\"name\":\"");
		json_escape(out, buf_string(&call->name), call->name.size);
		buf_add_string(out, "\",\"arguments\":\"");
		const char *arguments = call->arguments.size != 0 ? call->arguments.data : "{}";
		json_escape(out, arguments, strlen(arguments));
		buf_add_string(out, "\"}}");
	}
	return buf_add_byte(out, ']') && !out->failed;
}

void tool_calls_finish(struct tool_calls *tools) {
	for (size_t i = 0; i < tools->n; i++) {
		buf_finish(&tools->calls[i].id);
		buf_finish(&tools->calls[i].name);
		buf_finish(&tools->calls[i].arguments);
	}
	free(tools->calls);
	*tools = (struct tool_calls){0};
}
