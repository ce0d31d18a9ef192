/* Kit: reading JSON. A document is parsed whole into a tree; members are then asked for by path,
 * and every question about what isn't there, or has another type, is answered with "no". For a
 * document that shouldn't be held whole see json_items.h. */
#ifndef CONDUIT_KIT_JSON_H
#define CONDUIT_KIT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Larger documents, and such that nest deeper than 1000, aren't parsed. */
#define CONDUIT_JSON_LIMIT ((size_t)64 << 20)

struct conduit_json;

enum conduit_json_type {
	CONDUIT_JSON_NONE = 0, /* not there */
	CONDUIT_JSON_NULL = 1,
	CONDUIT_JSON_BOOL = 2,
	CONDUIT_JSON_NUMBER = 3,
	CONDUIT_JSON_STRING = 4,
	CONDUIT_JSON_ARRAY = 5,
	CONDUIT_JSON_OBJECT = 6,
};

/* Parses one document, blanks around it allowed (services pad with them to keep a connection
 * alive). NULL when it isn't one, or memory is short. The character U+0000, which a C string
 * can't hold, and half a surrogate pair are read as U+FFFD. Free with conduit_json_free. */
struct conduit_json *conduit_json_parse(const char *text, size_t size);
/* The same for documents whose text goes to the output byte for byte: U+0000 is read as
 * CONDUIT_JSON_NUL, a noncharacter (U+FDD0) that no text for interchange holds, for the caller to
 * turn back. */
#define CONDUIT_JSON_NUL "\xef\xb7\x90"
struct conduit_json *conduit_json_parse_exact(const char *text, size_t size);
void conduit_json_free(struct conduit_json *json);

/* A path is member names joined with dots; a number counts an array's elements from 0:
 * "choices.0.delta.content". NULL or "" is the value itself. All of these take a NULL json. */
const struct conduit_json *conduit_json_get(const struct conduit_json *json, const char *path);
enum conduit_json_type conduit_json_type(const struct conduit_json *json, const char *path);

/* A string, valid as long as the document; NULL when it isn't one. */
const char *conduit_json_string(const struct conduit_json *json, const char *path);
/* False, and *ret untouched, when it isn't a finite number; int64 also when it isn't whole or
 * doesn't fit (numbers are doubles: above 2^53 they are rounded). */
bool conduit_json_number(const struct conduit_json *json, const char *path, double *ret);
bool conduit_json_int64(const struct conduit_json *json, const char *path, int64_t *ret);
bool conduit_json_bool(const struct conduit_json *json, const char *path, bool *ret);

/* The elements of an array or members of an object, one after the other; NULL at the end. */
const struct conduit_json *conduit_json_first(const struct conduit_json *json);
const struct conduit_json *conduit_json_next(const struct conduit_json *json);
/* The name of a member that first/next or get gave; NULL for an array's element. */
const char *conduit_json_name(const struct conduit_json *json);

/* The value as compact JSON, to be freed with free(); NULL without memory. */
char *conduit_json_print(const struct conduit_json *json);

#endif
