/* Huge strings of a JSON document, in pieces: see conduit/kit/json_blobs.h. Only strings are told
 * from what is between them; whether all of it is JSON is found when the rest is parsed. */
#include "core/provider/kit/json/json_blobs.h"

#include <string.h>

/* A name that is asked for is shorter. */
#define NAME_MOST 64
/* What nests deeper isn't asked for. */
#define DEPTH_MOST 16
#define INDEX_MOST 100000u

/* An object or array that is open. */
struct level {
	char name[NAME_MOST]; /* of the member that it is the value of; "" for an element */
	unsigned index; /* its member "index", as far as its digits came */
};

struct conduit_json_blobs {
	struct conduit_json_blobs_calls calls;
	struct buf rest;
	bool in_string, in_blob;
	bool after_colon; /* a member's value begins next */
	bool in_index; /* the digits of a member "index" */
	struct level levels[DEPTH_MOST];
	size_t depth; /* how many are open; those beyond DEPTH_MOST aren't kept */
	/* Of events: a line's field comes before its colon, and is no part of a document. */
	bool events, in_field, empty_line, after_cr;
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

void json_blobs_events(struct conduit_json_blobs *blobs) {
	if (blobs != NULL) {
		blobs->events = blobs->in_field = blobs->empty_line = true;
	}
}

void json_blobs_limit(struct conduit_json_blobs *blobs, size_t most) {
	if (blobs != NULL) {
		blobs->rest.limit = most;
	}
}

struct buf *json_blobs_text(struct conduit_json_blobs *blobs) {
	return blobs != NULL ? &blobs->rest : NULL;
}

unsigned json_blobs_index(const struct conduit_json_blobs *blobs, const char *array) {
	for (size_t i = 1; blobs != NULL && i < blobs->depth && i < DEPTH_MOST; i++) {
		if (strcmp(blobs->levels[i - 1].name, array) == 0) {
			return blobs->levels[i].index;
		}
	}
	return 0;
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

static bool is_name(const struct conduit_json_blobs *blobs, const char *name, size_t size) {
	return blobs->name_size == size && memcmp(name, blobs->name, size) == 0;
}

/* "a.b.c": the member c of the member b of the member a, whatever arrays are between them. */
static bool is_path(const struct conduit_json_blobs *blobs, const char *path) {
	const char *dot = strrchr(path, '.');
	const char *last = dot != NULL ? dot + 1 : path;
	size_t level = blobs->depth;
	if (!is_name(blobs, last, strlen(last)) || level > DEPTH_MOST) {
		return false;
	}
	while (dot != NULL) {
		const char *end = dot;
		for (dot = end - 1; dot > path && *dot != '.'; dot--) {
		}
		const char *name = *dot == '.' ? dot + 1 : path;
		while (level > 0 && blobs->levels[level - 1].name[0] == '\0') {
			level--;
		}
		if (level-- == 0 || strlen(blobs->levels[level].name) != (size_t)(end - name) ||
				memcmp(blobs->levels[level].name, name, (size_t)(end - name)) !=
						0) {
			return false;
		}
		dot = *dot == '.' ? dot : NULL;
	}
	return true;
}

/* As it was asked for; NULL when it wasn't. */
static const char *asked_for(const struct conduit_json_blobs *blobs) {
	for (const char *const *name = blobs->calls.names; *name != NULL; name++) {
		if (is_path(blobs, *name)) {
			return *name;
		}
	}
	return NULL;
}

static void begin_string(struct conduit_json_blobs *blobs) {
	bool named = blobs->after_colon && blobs->name_size < NAME_MOST;
	const char *name = named ? asked_for(blobs) : NULL;
	blobs->escape = 0;
	if (name != NULL) {
		blobs->in_blob = true;
		if (blobs->calls.begin != NULL) {
			blobs->calls.begin(blobs->calls.data, name);
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

static void open_level(struct conduit_json_blobs *blobs) {
	if (blobs->depth < DEPTH_MOST) {
		struct level *level = &blobs->levels[blobs->depth];
		bool named = blobs->after_colon && blobs->name_size < NAME_MOST;
		size_t size = named ? blobs->name_size : 0;
		memcpy(level->name, blobs->name, size);
		level->name[size] = '\0';
		level->index = 0;
	}
	blobs->depth++;
	blobs->name_size = 0;
}

static void take_index(struct conduit_json_blobs *blobs, char digit) {
	if (blobs->depth != 0 && blobs->depth <= DEPTH_MOST) {
		unsigned *index = &blobs->levels[blobs->depth - 1].index;
		*index = *index * 10 + (unsigned)(digit - '0');
		*index = *index < INDEX_MOST ? *index : INDEX_MOST;
	}
}

static void take_other(struct conduit_json_blobs *blobs, char c) {
	bool digit = c >= '0' && c <= '9';
	bool index = blobs->after_colon && is_name(blobs, "index", strlen("index"));
	blobs->in_index = digit && (index || blobs->in_index);
	if (blobs->in_index) {
		take_index(blobs, c);
	}
	if (c == '"') {
		begin_string(blobs);
		return;
	}
	if (c == ':') {
		blobs->after_colon = true;
		return;
	}
	if (c == '{' || c == '[') {
		open_level(blobs);
	} else if ((c == '}' || c == ']') && blobs->depth != 0) {
		blobs->depth--;
	}
	if (c == '\0' || strchr(" \t\r\n", c) == NULL) {
		blobs->after_colon = false;
	}
}

/* A document ends with its event, whatever is open in it. */
static void begin_event(struct conduit_json_blobs *blobs) {
	blobs->depth = 0;
	blobs->name_size = 0;
}

/* What lines are made of is taken here: true; not what documents are made of. */
static bool take_line(struct conduit_json_blobs *blobs, char c) {
	bool end = c == '\n' || c == '\r';
	if (c == '\n' && blobs->after_cr) {
		blobs->after_cr = false;
		return true;
	}
	blobs->after_cr = c == '\r';
	if (end) {
		/* A string doesn't go on in another line. */
		blobs->in_string = false;
		if (blobs->empty_line) {
			begin_event(blobs);
		}
		blobs->in_field = blobs->empty_line = true;
		return true;
	}
	if (!blobs->in_field) {
		return false;
	}
	blobs->empty_line = false;
	blobs->in_field = c != ':';
	return true;
}

void conduit_json_blobs_feed(struct conduit_json_blobs *blobs, const char *bytes, size_t size) {
	for (size_t at = 0; blobs != NULL && at < size;) {
		if (blobs->in_blob) {
			at += take_blob(blobs, bytes + at, size - at);
			continue;
		}
		buf_add_byte(&blobs->rest, bytes[at]);
		if (blobs->events && take_line(blobs, bytes[at])) {
			at++;
			continue;
		}
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
