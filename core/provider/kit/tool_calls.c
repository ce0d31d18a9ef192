/* Tool calls for provider authors: see conduit/kit/tool_calls.h. */
#include <conduit/kit/tool_calls.h>

#include "core/provider/kit/openai/tools.h"

#include <string.h>

struct conduit_tool_calls {
	struct tool_calls calls;
	char last; /* byte of the text that was put out; 0 for none */
};

struct conduit_tool_calls *conduit_tool_calls_create(void) {
	return calloc(1, sizeof(struct conduit_tool_calls));
}

void conduit_tool_calls_destroy(struct conduit_tool_calls *calls) {
	if (calls != NULL) {
		tool_calls_finish(&calls->calls);
		free(calls);
	}
}

bool conduit_tool_calls_add(struct conduit_tool_calls *calls, int64_t index, const char *id,
		const char *name, const char *arguments) {
	return calls != NULL && tool_calls_piece(&calls->calls, index, id, name, arguments);
}

size_t conduit_tool_calls_count(const struct conduit_tool_calls *calls) {
	return calls != NULL ? calls->calls.n : 0;
}

void conduit_tool_calls_text(
		struct conduit_tool_calls *calls, struct conduit_job *job, const char *text) {
	size_t size = text != NULL ? strlen(text) : 0;
	if (size != 0) {
		conduit_output(job, text, size);
	}
	if (size != 0 && calls != NULL) {
		calls->last = text[size - 1];
	}
}

bool conduit_tool_calls_output(const struct conduit_tool_calls *calls, struct conduit_job *job) {
	cleanup_buf struct buf text = {0};
	if (calls->last != 0 && calls->last != '\n') {
		buf_add_byte(&text, '\n');
	}
	if (!tool_calls_print(&calls->calls, &text)) {
		return false;
	}
	conduit_output(job, text.data, text.size);
	return true;
}
