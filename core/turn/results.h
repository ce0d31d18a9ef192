/* What came of a turn, where that isn't plain text alone: the type of its output, and the further
 * results, which are files in its artifacts/. Kept as a line a result, `TYPE NAME`, in a file of
 * the turn's; the output's comes first. */
#ifndef CORE_TURN_RESULTS_H
#define CORE_TURN_RESULTS_H

#include "core/turn/turn.h"

/* The output is one of them. */
#define RESULTS_MOST 256

struct turn_result {
	char *type; /* MIME type */
	char *name; /* of the file in artifacts/; "output" */
};

/* Starts as zeros. */
struct turn_results {
	struct turn_result *all; /* [0] is the output */
	size_t n;
};

/* What is kept of the turn; nothing for one that gave plain text. False without memory. */
bool turn_results_read(struct turn *turn, struct turn_results *ret);
bool turn_results_write(struct turn *turn, const struct turn_results *results, struct fail *fail);
/* Adds one; copies the strings. False without memory. */
bool turn_results_add(struct turn_results *results, const char *type, const char *name);
bool turn_results_has(const struct turn_results *results, const char *name);
void turn_results_finish(struct turn_results *results);
#define cleanup_results cleanup(turn_results_finish)

/* The path of a file in artifacts/, for "" of that directory itself. False when it is too long. */
bool turn_artifact_path(const struct turn *turn, const char *name, char *ret, size_t size);
/* Makes artifacts/. */
bool turn_artifacts_make(const struct turn *turn, struct fail *fail);
/* Gives a turn the results of another, whose bytes never change any more. */
bool turn_artifacts_share(struct turn *from, struct turn *to);

#endif
