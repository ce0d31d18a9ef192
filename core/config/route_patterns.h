// The patterns by which a route names its candidates, one a line:
//
//     ollama/*                    models by their path: the provider, '/', the path below models/
//     openrouter/*:free           (see core/base/glob.h for what a pattern is made of)
//     @local                      what this machine offers and costs nothing
//     @free                       what certainly costs nothing
//     !openrouter/openrouter/*    leaves out, wherever it stands
//
// Lines that begin with '#' and blank ones count for nothing.
#ifndef CORE_CONFIG_ROUTE_PATTERNS_H
#define CORE_CONFIG_ROUTE_PATTERNS_H

#include "core/base/buf.h"
#include "core/base/fail.h"

#include <stdbool.h>

#define ROUTE_PATTERNS_MOST 100
/* A provider's name and the longest id, and what is put before it. */
#define ROUTE_PATTERN_BYTES_MOST 1100
/* What a route goes by when nobody says otherwise. */
#define ROUTE_PATTERNS_STANDARD "@local\n@free\n"

/* Of the text as it is in force: canonical lines. */
struct route_patterns {
	char *lines[ROUTE_PATTERNS_MOST]; /* without '!' */
	bool excludes[ROUTE_PATTERNS_MOST];
	size_t n;
};

/* What a model is to a pattern. */
struct route_subject {
	const char *name; /* "openrouter/google/gemma-3:free" */
	bool local, free; /* @local and @free are meant of it */
};

/* False with EINVAL or E2BIG and words that name the line. */
bool route_patterns_read(
		struct route_patterns *ret, const char *text, size_t size, struct fail *fail);
void route_patterns_finish(struct route_patterns *patterns);
/* Appends them, a line each; reading that gives the same. */
bool route_patterns_text(const struct route_patterns *patterns, struct buf *out);
/* Whether any of them names something, in contrast to leaving out. */
bool route_patterns_name_any(const struct route_patterns *patterns);

/* The first that names it: its index, or -1. `ret_excluded`: one leaves it out. */
int route_patterns_rank(const struct route_patterns *patterns, const struct route_subject *subject,
		bool *ret_excluded);

#define cleanup_route_patterns cleanup(route_patterns_finish)

#endif
