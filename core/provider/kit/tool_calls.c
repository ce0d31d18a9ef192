/* Tool calls for provider authors: see conduit/kit/tool_calls.h. */
#include <conduit/kit/tool_calls.h>

#include "core/provider/kit/openai_tools.h"

struct conduit_tool_calls {
	struct tool_calls calls;
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
	return tool_calls_piece(&calls->calls, index, id, name, arguments);
}

size_t conduit_tool_calls_count(const struct conduit_tool_calls *calls) {
	return calls->calls.n;
}

bool conduit_tool_calls_output(const struct conduit_tool_calls *calls, struct conduit_job *job) {
	cleanup_buf struct buf text = {0};
	if (!tool_calls_print(&calls->calls, &text)) {
		return false;
	}
	conduit_output(job, text.data, text.size);
	return true;
}
