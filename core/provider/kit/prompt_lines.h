/* A turn's prompt as lines, for what has to look into it: they are read from the daemon, and
 * outlive the callback together with what a request still needs of the turn. */
#ifndef CORE_PROVIDER_KIT_PROMPT_LINES_H
#define CORE_PROVIDER_KIT_PROMPT_LINES_H

#include "core/provider/kit/lines.h"

#include <conduit/provider.h>

struct prompt_line {
	size_t start; /* in the text */
	size_t size; /* without its end */
};

struct prompt_lines {
	struct conduit_turn turn; /* own copies of the model and the setting extra; no messages */
	struct conduit_setting extra;
	struct lines cutter;
	struct buf text;
	struct prompt_line *lines;
	size_t n;
	size_t capacity;
	bool failed; /* too long, or memory is short */
};

/* The prompt alone: the newest message, when it is one text. NULL after failing the job, with words
 * about `purpose` ("embeddings"). */
const struct conduit_part *prompt_part(
		struct conduit_job *job, const struct conduit_turn *turn, const char *purpose);

/* Asks for the prompt, of at most `most` bytes; its bytes come to `data`. False after failing the
 * job. */
bool prompt_lines_begin(struct prompt_lines *prompt, struct conduit_job *job,
		const struct conduit_turn *turn, const char *purpose, size_t most);
void prompt_lines_feed(struct prompt_lines *prompt, const char *bytes, size_t size);
/* All of it came. False after failing the job. */
bool prompt_lines_end(struct prompt_lines *prompt, struct conduit_job *job);
/* Not followed by a NUL. */
const char *prompt_line_text(const struct prompt_lines *prompt, size_t line);
void prompt_lines_finish(struct prompt_lines *prompt);

#endif
