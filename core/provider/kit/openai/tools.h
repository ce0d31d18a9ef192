/* Puts the tool calls of a streamed answer together from their fragments. */
#ifndef CORE_PROVIDER_KIT_OPENAI_TOOLS_H
#define CORE_PROVIDER_KIT_OPENAI_TOOLS_H

#include "core/base/buf.h"

#include <conduit/kit/json.h>

#define TOOL_CALLS_LIMIT 128
#define TOOL_TEXT_LIMIT ((size_t)16 << 20) /* of all calls together */

struct tool_call {
	int64_t index;
	struct buf id;
	struct buf name;
	struct buf arguments;
};

struct tool_calls {
	struct tool_call *calls;
	size_t n;
	size_t bytes;
};

/* Takes the `tool_calls` array of a delta or a whole message: fragments with the same index belong
 * together; without an index, an id begins a call and its absence continues the last one. False
 * when they exceed the limits or memory. */
bool tool_calls_add(struct tool_calls *tools, const struct conduit_json *array);
/* The same for one fragment whose parts are known; each string may be NULL. */
bool tool_calls_piece(struct tool_calls *tools, int64_t index, const char *id, const char *name,
		const char *arguments);
/* Appends them as a JSON array in the shape of a whole message's `tool_calls`; a call without
 * arguments has
 * "{}". */
bool tool_calls_print(const struct tool_calls *tools, struct buf *out);
void tool_calls_finish(struct tool_calls *tools);

#endif
