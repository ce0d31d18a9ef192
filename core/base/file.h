/* Small files, whole: bounded, and in one piece of memory, so that a secret leaves no copies behind
 * when the caller wipes it. And writing whole what is at hand. */
#ifndef CORE_BASE_FILE_H
#define CORE_BASE_FILE_H

#include "core/base/buf.h"
#include "core/base/fail.h"

#include <stdint.h>

/* Reads a regular file of at most `most` bytes; `ret` is cleared first. False with words that name
 * the path: EFBIG above the bound, EISDIR and EINVAL for what isn't a regular file, else errno. */
bool file_read(const char *path, size_t most, struct buf *ret, struct fail *fail);

/* Whether a path's directories are there; makes those that are missing with 0700. The last
 * component is left alone. */
bool file_make_parents(const char *path, struct fail *fail);

/* Replaces a file by one that holds these bytes, whole or not at all: written beside it (as
 * "PATH.new", which the caller's lock keeps to itself), fsynced, renamed; 0600. A symbolic link
 * stays, and what it leads to is replaced. False with words that name the path. */
bool file_replace(const char *path, const void *bytes, size_t size, struct fail *fail);

/* Writes all of it to a descriptor that blocks, where it stands or at an offset, whatever signals
 * come. False with errno: how much was written isn't known. */
bool file_write(int fd, const void *bytes, size_t size);
bool file_write_at(int fd, const void *bytes, size_t size, uint64_t offset);

#endif
