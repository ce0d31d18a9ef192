/* How far something is, on stderr: one line that is drawn over on a terminal, lines where it isn't
 * one. Private to core/command. */
#ifndef CORE_COMMAND_PROGRESS_H
#define CORE_COMMAND_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool drawn; /* a line of the terminal is to be cleared */
	int64_t told; /* when, in milliseconds */
	char last[200]; /* what was told, up to its first number */
};

/* `words`: one line; `total` 0: it isn't known how much there is. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total, const char *words);
/* Clears what was drawn. */
void progress_end(struct progress *progress);

#endif
