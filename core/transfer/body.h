/* A request's body as a recipe: literal bytes and files, measured before and assembled while it is
 * sent, so that nothing large is ever held in memory. */
#ifndef CORE_TRANSFER_BODY_H
#define CORE_TRANSFER_BODY_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum body_kind {
	BODY_LITERAL,
	BODY_FILE,        /* a file's bytes as they are */
	BODY_FILE_BASE64, /* RFC 4648, padded, no line breaks */
	BODY_FILE_JSON,   /* a UTF-8 text as the inside of a JSON string (json_escape's output) */
};

struct body_part {
	enum body_kind kind;
	uint32_t file; /* the provider's number for the file; resolved to `path` by the owner */
	char *path;    /* owned; NULL for a literal */
	char *bytes;   /* owned; NULL for a file */
	size_t size;   /* of bytes */
	uint64_t drop; /* a file's last bytes that aren't sent: a prompt's one trailing newline */
};

struct body {
	struct body_part *parts; /* owned */
	size_t n_parts;
};

void body_finish(struct body *body);
/* Deep copy; false without memory. */
bool body_copy(struct body *ret, const struct body *from);

/* Reads the body once, front to back, in pieces of any size; rewinds for a new attempt. */
struct body_reader;

/* Opens every file (O_CLOEXEC) and measures; false with words when one can't be read. `body` must
 * outlive the reader. */
struct body_reader *body_reader_create(const struct body *body, struct fail *fail);
void body_reader_destroy(struct body_reader *reader);
/* Length in bytes of the whole, as it will be sent. */
uint64_t body_reader_length(const struct body_reader *reader);
/* Fills up to `size` bytes; 0 at the end, -1 (errno) when a file could not be read or shrank. */
ssize_t body_reader_read(struct body_reader *reader, void *bytes, size_t size);
bool body_reader_rewind(struct body_reader *reader);

#endif
