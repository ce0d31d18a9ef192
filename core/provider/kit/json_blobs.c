/* Huge strings of a JSON document, in pieces: see conduit/kit/json_blobs.h. Only strings are told
 * from what is between them; whether all of it is JSON is found when the rest is parsed. */
#include <conduit/kit/json_blobs.h>

#include "core/base/buf.h"

#include <string.h>

/* A name that is asked for is shorter. */
#define NAME_MOST 64

struct conduit_json_blobs {
	struct conduit_json_blobs_calls calls;
	struct buf rest;
	bool in_string, in_blob;
	bool after_colon; /* a member's value begins next */
	char name[NAME_MOST]; /* of the last string, as far as it is one that may be meant */
	size_t name_size; /* NAME_MOST: it is longer */
	int escape; /* 0 none, 1 after a backslash, 2 to 5 digits of \u */
	unsigned unit; /* of \u */
};

struct conduit_json_blobs *conduit_json_blobs_create(const struct conduit_json_blobs_calls *calls) {
	struct conduit_json_blobs *blobs = calloc(1, sizeof(*blobs));
	if (blobs != NULL) {
		blobs->calls = *calls;
		blobs->rest.limit = CONDUIT_JSON_BLOBS_REST;
	}
	return blobs;
}

void conduit_json_blobs_destroy(struct conduit_json_blobs *blobs) {
	if (blobs != NULL) {
		buf_finish(&blobs->rest);
		free(blobs);
	}
}

/* ---- within a blob ---- */

static void give(struct conduit_json_blobs *blobs, const char *text, size_t size) {
	if (blobs->calls.piece != NULL && size != 0) {
		blobs->calls.piece(blobs->calls.data, text, size);
	}
}

static void give_escaped(struct conduit_json_blobs *blobs, char c) {
	static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
	const char *known = c != '\0' ? strchr(from, c) : NULL;
	char resolved = known != NULL ? to[known - from] : c;
	give(blobs, &resolved, 1);
}

static int hex_digit(char c) {
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : 0;
}

static void take_escape(struct conduit_json_blobs *blobs, char c) {
	if (blobs->escape == 1 && c == 'u') {
		blobs->escape = 2;
		blobs->unit = 0;
	} else if (blobs->escape == 1) {
		blobs->escape = 0;
		give_escaped(blobs, c);
	} else {
		blobs->unit = blobs->unit * 16 + (unsigned)hex_digit(c);
		if (++blobs->escape == 6) {
			char resolved = blobs->unit > 0 && blobs->unit < 0x80 ? (char)blobs->unit
									      : '?';
			blobs->escape = 0;
			give(blobs, &resolved, 1);
		}
	}
}

/* How many bytes of the piece belong to it. */
static size_t take_blob(struct conduit_json_blobs *blobs, const char *bytes, size_t size) {
	size_t n = 0;
	if (blobs->escape != 0) {
		take_escape(blobs, bytes[0]);
		return 1;
	}
	while (n < size && bytes[n] != '"' && bytes[n] != '\\') {
		n++;
	}
	give(blobs, bytes, n);
	if (n == size) {
		return n;
	}
	if (bytes[n] == '\\') {
		blobs->escape = 1;
		return n + 1;
	}
	blobs->in_blob = false;
	buf_add_byte(&blobs->rest, '"');
	if (blobs->calls.end != NULL) {
		blobs->calls.end(blobs->calls.data);
	}
	return n + 1;
}

/* ---- between them ---- */

static bool is_asked_for(const struct conduit_json_blobs *blobs) {
	for (const char *const *name = blobs->calls.names; *name != NULL; name++) {
		if (strlen(*name) == blobs->name_size &&
				memcmp(*name, blobs->name, blobs->name_size) == 0) {
			return true;
		}
	}
	return false;
}

static void begin_string(struct conduit_json_blobs *blobs) {
	blobs->escape = 0;
	if (blobs->after_colon && blobs->name_size < NAME_MOST && is_asked_for(blobs)) {
		blobs->in_blob = true;
		blobs->name[blobs->name_size] = '\0';
		if (blobs->calls.begin != NULL) {
			blobs->calls.begin(blobs->calls.data, blobs->name);
		}
	} else {
		blobs->in_string = true;
		blobs->name_size = 0;
	}
	blobs->after_colon = false;
}

static void take_string(struct conduit_json_blobs *blobs, char c) {
	if (blobs->escape != 0) {
		blobs->escape = 0;
	} else if (c == '\\') {
		blobs->escape = 1;
	} else if (c == '"') {
		blobs->in_string = false;
		return;
	}
	/* A name that is asked for has no escapes. */
	if (blobs->name_size + 1 < NAME_MOST) {
		blobs->name[blobs->name_size++] = c;
	} else {
		blobs->name_size = NAME_MOST;
	}
}

static void take_other(struct conduit_json_blobs *blobs, char c) {
	if (c == '"') {
		begin_string(blobs);
	} else if (c == ':') {
		blobs->after_colon = true;
	} else if (strchr(" \t\r\n", c) == NULL) {
		blobs->after_colon = false;
	}
}

void conduit_json_blobs_feed(struct conduit_json_blobs *blobs, const char *bytes, size_t size) {
	for (size_t at = 0; blobs != NULL && at < size;) {
		if (blobs->in_blob) {
			at += take_blob(blobs, bytes + at, size - at);
			continue;
		}
		buf_add_byte(&blobs->rest, bytes[at]);
		if (blobs->in_string) {
			take_string(blobs, bytes[at]);
		} else {
			take_other(blobs, bytes[at]);
		}
		at++;
	}
}

struct conduit_json *conduit_json_blobs_rest(struct conduit_json_blobs *blobs) {
	bool whole = blobs != NULL && !blobs->in_blob && !blobs->rest.failed;
	return whole ? conduit_json_parse(buf_string(&blobs->rest), blobs->rest.size) : NULL;
}
