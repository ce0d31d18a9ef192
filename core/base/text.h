/* Text as it comes from outside: UTF-8, numbers, JSON strings. Bounded, and never trusting a NUL
 * to be there. */
#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes of the UTF-8 character that starts `text` (1 to 4); 0 when the bytes are not
 * valid UTF-8 (overlong, surrogate, above U+10FFFF) or end in its middle. */
size_t utf8_length(const char *text, size_t size);
bool utf8_valid(const char *text, size_t size);
/* The largest length <= `most` that doesn't cut a character of valid `text`. */
size_t utf8_cut(const char *text, size_t size, size_t most);

/* Appends `text` as the inside of a JSON string (no quotes). Bytes that aren't UTF-8 become
 * U+FFFD. False as buf_add. */
bool json_escape(struct buf *out, const char *text, size_t size);

/* Appends words on the line that `out` ends with: a space for each control character. False as
 * buf_add. */
bool add_on_one_line(struct buf *out, const char *words);

/* A whole string as a number: no blanks, no trailing bytes, finite. */
bool parse_double(const char *text, double *ret);
bool parse_int64(const char *text, int64_t *ret);

/* Copies without the blanks and newlines at both ends; the caller frees; NULL without memory. */
char *trimmed(const char *text, size_t size);
bool starts_with(const char *text, const char *prefix);
bool ends_with(const char *text, const char *suffix);

/* The member of `names` (n of them) nearest to `wrong` by edit distance, or NULL when none is
 * near: for "unknown setting 'temprature', did you mean 'temperature'?". */
const char *nearest_name(const char *wrong, const char *const *names, size_t n);

#endif
