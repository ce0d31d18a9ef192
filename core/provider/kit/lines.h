/* Cuts a stream of bytes into lines, whatever pieces it comes in. */
#ifndef CORE_PROVIDER_KIT_LINES_H
#define CORE_PROVIDER_KIT_LINES_H

#include "core/base/buf.h"

struct lines {
	struct buf pending; /* of a line whose end hasn't come; its limit bounds a line */
	bool cr_ends; /* a CR alone ends a line too, as in SSE */
	bool after_cr; /* the last byte was a CR that ended a line: an LF belongs to it */
	/* A line without its end; false stops. No NUL follows it. */
	bool (*line)(void *data, const char *line, size_t size);
	void *data;
};

/* False when a line outgrew the limit or memory, or the callback said so. */
bool lines_feed(struct lines *lines, const char *bytes, size_t size);
/* Delivers a last line that has no end. */
bool lines_end(struct lines *lines);
void lines_finish(struct lines *lines);

#endif
