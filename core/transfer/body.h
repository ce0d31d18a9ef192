/* A request's body as a recipe: literal bytes and files, measured before and assembled while it is
 * sent, so that nothing large is ever held in memory. */
#ifndef CORE_TRANSFER_BODY_H
#define CORE_TRANSFER_BODY_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum body_kind {
	BODY_LITERAL,
	BODY_FILE, /* a file's bytes as they are */
	BODY_FILE_BASE64, /* RFC 4648, padded, no line breaks */
	BODY_FILE_JSON, /* a UTF-8 text as the inside of a JSON string (json_escape's output) */
};

struct body_part {
	enum body_kind kind;
	uint32_t file; /* the provider's number for the file; resolved to `path` by the owner */
	char *path; /* owned; NULL for a literal */
	char *bytes; /* owned; NULL for a file */
	size_t size; /* of bytes */
	uint64_t skip; /* a file's first bytes that aren't sent */
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

/* Opens every file (O_CLOEXEC) and measures; NULL with words when one can't be read. `body` must
 * outlive the reader. */
struct body_reader *body_reader_create(const struct body *body, struct fail *fail);
/* NULL is fine. */
void body_reader_destroy(struct body_reader *reader);

/* The same in slices, for who must not wait: only BODY_FILE_JSON has to be read to be measured. */
struct body_reader *body_reader_open(const struct body *body, struct fail *fail);
enum body_measured {
	BODY_MEASURED, /* length and read may be called */
	BODY_MEASURE_MORE, /* call again */
	BODY_MEASURE_FAILED,
};
/* Reads at most about `most` bytes of files. */
enum body_measured body_reader_measure(struct body_reader *reader, size_t most, struct fail *fail);

/* Length in bytes of the whole, as it will be sent. */
uint64_t body_reader_length(const struct body_reader *reader);
/* Fills up to `size` bytes; 0 at the end, -1 (errno) when a file could not be read or is no longer
 * what was measured (EIO). A file that grew is sent up to its measured length. */
ssize_t body_reader_read(struct body_reader *reader, void *bytes, size_t size);
/* Starts again at the front; true always, as every file stays open. */
bool body_reader_rewind(struct body_reader *reader);

#endif
