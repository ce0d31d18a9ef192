/* Kit: the tool calls of an answer, put together from the fragments of a stream and given at its
 * end as the JSON array that OpenAI's `tool_calls` is, whichever the service's own shape:
 *
 *     [{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]
 */
#ifndef CONDUIT_KIT_TOOL_CALLS_H
#define CONDUIT_KIT_TOOL_CALLS_H

#include <conduit/provider.h>

struct conduit_tool_calls;

/* NULL without memory, which all the others take: then nothing can be added. */
struct conduit_tool_calls *conduit_tool_calls_create(void);
void conduit_tool_calls_destroy(struct conduit_tool_calls *calls);

/* A fragment of the call `index`: its id and name come once (or again, which is ignored), its
 * arguments, a JSON object's text, piece by piece. Each may be NULL. False when there are more than
 * 128 calls, they exceed 16 MiB together, or memory is short. */
bool conduit_tool_calls_add(struct conduit_tool_calls *calls, int64_t index, const char *id,
		const char *name, const char *arguments);
size_t conduit_tool_calls_count(const struct conduit_tool_calls *calls);
/* Appends a piece of the answer's text to the job's output; NULL and "" are nothing. */
void conduit_tool_calls_text(
		struct conduit_tool_calls *calls, struct conduit_job *job, const char *text);
/* Appends the array to the job's output, on a line of its own below that text. A call without
 * arguments has "{}". False without memory. */
bool conduit_tool_calls_output(const struct conduit_tool_calls *calls, struct conduit_job *job);

#endif
