/* Tokens and cost as the services of OpenAI's dialect state them. */
#ifndef CORE_PROVIDER_KIT_OPENAI_USAGE_H
#define CORE_PROVIDER_KIT_OPENAI_USAGE_H

#include <conduit/kit/json.h>
#include <conduit/provider.h>

/* Reads a `usage` object of any recorded shape; false, and *ret untouched, when it is none. */
bool usage_read(const struct conduit_json *usage, struct conduit_usage *ret);
/* The same where nothing but a prompt is counted: all of its tokens are the prompt's, and none are
 * an answer's. */
bool usage_read_prompt(const struct conduit_json *usage, struct conduit_usage *ret);

#endif
