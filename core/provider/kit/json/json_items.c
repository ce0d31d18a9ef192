/* Takes a long JSON list apart while it arrives: see conduit/kit/json_items.h.
 *
 * Only the skeleton is followed byte by byte: the top-level array or object, its keys, commas and
 * colons, and for each value where it ends (strings, and the depth of brackets). Bytes are copied
 * in runs, and only those of the value under way. */
#include <conduit/kit/json_items.h>

#include "core/base/buf.h"

#include <string.h>

enum step {
	STEP_START, /* before the top-level value */
	STEP_KEY_OR_END, /* after { */
	STEP_KEY, /* after a comma in the object */
	STEP_IN_KEY, /* within a key's quotes */
	STEP_COLON, /* after a key */
	STEP_VALUE_OR_END, /* after [ */
	STEP_VALUE, /* after a colon, or a comma in an array */
	STEP_IN_VALUE, /* within a value that is handed out */
	STEP_AFTER, /* after a value */
	STEP_DONE, /* after the top-level value */
	STEP_MALFORMED,
	STEP_MEMORY,
};

struct conduit_json_items {
	struct conduit_json_items_calls calls;
	enum step step;
	bool top_array; /* the top-level value is the array */
	bool in_array; /* what comes are elements of an array to be taken apart */
	bool found;
	size_t skipped;
	struct buf key;
	bool key_long; /* the key exceeds its bound: it is nobody's name */
	struct buf value;
	bool oversized; /* the value under way exceeds its bound and isn't kept */
	bool scalar; /* it is a number or word: ends before a delimiter */
	bool in_string;
	bool escaped; /* the last byte in a string was a backslash */
	size_t depth;
};

#define KEY_LIMIT 256

struct conduit_json_items *conduit_json_items_create(const struct conduit_json_items_calls *calls) {
	struct conduit_json_items *items = calloc(1, sizeof(*items));
	if (items != NULL) {
		items->calls = *calls;
	}
	return items;
}

void conduit_json_items_destroy(struct conduit_json_items *items) {
	if (items != NULL) {
		buf_finish(&items->key);
		buf_finish(&items->value);
		free(items);
	}
}

static bool is_blank(char byte) {
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static bool is_item_array_name(const struct conduit_json_items *items) {
	if (items->calls.names == NULL || items->key_long) {
		return false;
	}
	for (size_t i = 0; items->calls.names[i] != NULL; i++) {
		if (strcmp(items->calls.names[i], buf_string(&items->key)) == 0) {
			return true;
		}
	}
	return false;
}

static void keep(struct conduit_json_items *items, const char *bytes, size_t size) {
	if (items->oversized) {
		return;
	}
	size_t most = items->in_array ? CONDUIT_ITEM_LIMIT : CONDUIT_MEMBER_LIMIT;
	if (size > most - items->value.size) {
		items->oversized = true;
		/* Not only cleared: what a giant needed isn't kept for its small successors. */
		buf_finish(&items->value);
	} else if (!buf_add(&items->value, bytes, size)) {
		items->step = STEP_MEMORY;
	}
}

static void hand_out(struct conduit_json_items *items) {
	items->step = STEP_AFTER;
	if (items->oversized) {
		items->skipped += items->in_array ? 1 : 0;
	} else if (items->in_array) {
		items->calls.item(items->calls.data, items->value.data, items->value.size);
	} else if (items->calls.member != NULL && !items->key_long) {
		items->calls.member(items->calls.data, buf_string(&items->key), items->value.data,
				items->value.size);
	}
	buf_clear(&items->value);
}

/* One byte within a value; true when the value ends with it. */
static bool value_byte(struct conduit_json_items *items, char byte) {
	if (items->in_string) {
		if (items->escaped) {
			items->escaped = false;
		} else if (byte == '\\') {
			items->escaped = true;
		} else if (byte == '"') {
			items->in_string = false;
			return items->depth == 0;
		}
		return false;
	}
	if (byte == '"') {
		items->in_string = true;
	} else if (byte == '{' || byte == '[') {
		items->depth++;
	} else if (byte == '}' || byte == ']') {
		items->depth--;
		return items->depth == 0;
	}
	return false;
}

/* Takes what belongs to the value under way; returns how many bytes that was. */
static size_t take_value(struct conduit_json_items *items, const char *bytes, size_t size) {
	size_t taken = 0;
	bool ended = false;
	if (items->scalar) {
		while (taken < size && !is_blank(bytes[taken]) &&
				strchr(",]}", bytes[taken]) == NULL) {
			taken++;
		}
		ended = taken < size;
	} else {
		while (taken < size && !ended) {
			ended = value_byte(items, bytes[taken++]);
		}
	}
	keep(items, bytes, taken);
	if (ended && items->step == STEP_IN_VALUE) {
		hand_out(items);
	}
	return taken;
}

static size_t take_key(struct conduit_json_items *items, const char *bytes, size_t size) {
	size_t taken = 0;
	while (taken < size && items->step == STEP_IN_KEY) {
		char byte = bytes[taken++];
		if (!items->escaped && byte == '"') {
			items->step = STEP_COLON;
			break;
		}
		items->escaped = !items->escaped && byte == '\\';
		if (items->key.size == KEY_LIMIT) {
			items->key_long = true;
		} else if (!buf_add_byte(&items->key, byte)) {
			items->step = STEP_MEMORY;
		}
	}
	return taken;
}

/* The first byte of a value: an array to be entered, or something to be handed out. Returns how
 * many bytes were taken: what is handed out is taken later. */
static size_t begin_value(struct conduit_json_items *items, char byte) {
	if (byte == '[' && !items->in_array && is_item_array_name(items)) {
		items->in_array = true;
		items->found = true;
		items->step = STEP_VALUE_OR_END;
		return 1;
	}
	/* A NUL is in no set of strchr's but ends it. */
	if (byte == '\0' || strchr("\"{[-0123456789tfn", byte) == NULL) {
		items->step = STEP_MALFORMED;
		return 1;
	}
	items->scalar = byte != '"' && byte != '{' && byte != '[';
	items->in_string = false;
	items->escaped = false;
	items->oversized = false;
	items->depth = 0;
	items->step = STEP_IN_VALUE;
	return 0;
}

static void begin_key(struct conduit_json_items *items) {
	buf_clear(&items->key);
	items->key_long = false;
	items->escaped = false;
	items->step = STEP_IN_KEY;
}

/* The array whose elements were handed out ended. */
static void leave_array(struct conduit_json_items *items) {
	items->in_array = false;
	items->step = items->top_array ? STEP_DONE : STEP_AFTER;
}

static void begin(struct conduit_json_items *items, char byte) {
	if (byte == '[') {
		items->top_array = true;
		items->in_array = true;
		items->found = true;
		items->step = STEP_VALUE_OR_END;
	} else {
		items->step = byte == '{' ? STEP_KEY_OR_END : STEP_MALFORMED;
	}
}

static void after(struct conduit_json_items *items, char byte) {
	if (byte == ',') {
		items->step = items->in_array ? STEP_VALUE : STEP_KEY;
	} else if (byte == ']' && items->in_array) {
		leave_array(items);
	} else if (byte == '}' && !items->in_array) {
		items->step = STEP_DONE;
	} else {
		items->step = STEP_MALFORMED;
	}
}

/* One byte of the skeleton that isn't blank; returns how many bytes were taken. */
static size_t skeleton(struct conduit_json_items *items, char byte) {
	switch (items->step) {
	case STEP_START:
		begin(items, byte);
		return 1;
	case STEP_KEY_OR_END:
	case STEP_KEY:
		if (byte == '"') {
			begin_key(items);
		} else if (byte == '}' && items->step == STEP_KEY_OR_END) {
			items->step = STEP_DONE;
		} else {
			items->step = STEP_MALFORMED;
		}
		return 1;
	case STEP_COLON:
		items->step = byte == ':' ? STEP_VALUE : STEP_MALFORMED;
		return 1;
	case STEP_VALUE_OR_END:
		if (byte == ']') {
			leave_array(items);
			return 1;
		}
		return begin_value(items, byte);
	case STEP_VALUE:
		return begin_value(items, byte);
	case STEP_AFTER:
		after(items, byte);
		return 1;
	default: /* STEP_DONE: nothing may follow */
		items->step = STEP_MALFORMED;
		return 1;
	}
}

bool conduit_json_items_feed(struct conduit_json_items *items, const void *bytes, size_t size) {
	const char *at = bytes;
	while (size != 0 && items->step != STEP_MALFORMED && items->step != STEP_MEMORY) {
		size_t taken = 1;
		if (items->step == STEP_IN_VALUE) {
			taken = take_value(items, at, size);
		} else if (items->step == STEP_IN_KEY) {
			taken = take_key(items, at, size);
		} else if (!is_blank(*at)) {
			taken = skeleton(items, *at);
		}
		at += taken;
		size -= taken;
	}
	return items->step != STEP_MALFORMED && items->step != STEP_MEMORY;
}

enum conduit_json_items_state conduit_json_items_state(const struct conduit_json_items *items) {
	switch (items->step) {
	case STEP_DONE:
		return CONDUIT_ITEMS_WHOLE;
	case STEP_MALFORMED:
		return CONDUIT_ITEMS_MALFORMED;
	case STEP_MEMORY:
		return CONDUIT_ITEMS_MEMORY;
	default:
		return CONDUIT_ITEMS_CUT;
	}
}

bool conduit_json_items_found(const struct conduit_json_items *items) {
	return items->found;
}

size_t conduit_json_items_skipped(const struct conduit_json_items *items) {
	return items->skipped;
}
