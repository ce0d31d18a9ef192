/* The lines of a recorded exchange: a word, a blank, a value. What a line names by file is read
 * along with it, for a replay opens nothing. */
#ifndef CORE_PROVIDER_REPLAY_EXCHANGE_LINES_H
#define CORE_PROVIDER_REPLAY_EXCHANGE_LINES_H

#include "core/base/buf.h"
#include "core/base/fail.h"

#include <stdbool.h>

#define EXCHANGE_LINES_MOST 256
#define EXCHANGE_FILE_MOST ((size_t)16 << 20)

struct exchange_line {
	int number; /* from 1 */
	char *key;
	char *value; /* decoded; "" when there is none */
	struct buf file; /* of reply, attach, artifact, prompt_file and output_file */
};

struct exchange_lines {
	struct exchange_line lines[EXCHANGE_LINES_MOST];
	size_t n;
};

/* Reads a file's lines; `ret` starts as zeros, and is to be finished also after a failure. False
 * with words. */
bool exchange_lines_read(struct exchange_lines *ret, const char *path, struct fail *fail);
/* Reads the files that the lines name, which lie beside `path`. */
bool exchange_lines_read_named(struct exchange_lines *lines, const char *path, struct fail *fail);
void exchange_lines_finish(struct exchange_lines *lines);

#endif
