/* Kit: takes a long list apart while it arrives. Fed the bytes of a JSON document, cut anywhere,
 * it hands out each element of the top-level array, or of the arrays that are members of the
 * top-level object under the names given, as JSON of its own; the rest of the document is never
 * held. So a catalogue of 100,000 models, or one that never ends, needs the memory of one model.
 *
 * The other members of a top-level object ("links", "error", "next") are handed out as well.
 * An element's own correctness isn't judged here: parse it with json.h. */
#ifndef CONDUIT_KIT_JSON_ITEMS_H
#define CONDUIT_KIT_JSON_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

/* An element above this is skipped and counted; a member above this is dropped. */
#define CONDUIT_ITEM_LIMIT ((size_t)8 << 20)
#define CONDUIT_MEMBER_LIMIT ((size_t)64 << 10)

struct conduit_json_items;

struct conduit_json_items_calls {
	const char *const *names; /* the arrays' names, ended by NULL; NULL for none */
	/* An element. `json` is valid until the callback returns, and a NUL follows it. */
	void (*item)(void *data, const char *json, size_t size);
	/* Another member; `name` stands as between its quotes, escapes included. May be NULL. */
	void (*member)(void *data, const char *name, const char *json, size_t size);
	void *data;
};

enum conduit_json_items_state {
	CONDUIT_ITEMS_WHOLE = 0, /* the document ended where it should */
	CONDUIT_ITEMS_CUT = 1, /* it hasn't ended (yet) */
	CONDUIT_ITEMS_MALFORMED = 2, /* it isn't JSON */
	CONDUIT_ITEMS_MEMORY = 3, /* memory is short */
};

/* Copies `calls` (not the names, which must outlive the splitter). NULL without memory. */
struct conduit_json_items *conduit_json_items_create(const struct conduit_json_items_calls *calls);
/* NULL is fine. */
void conduit_json_items_destroy(struct conduit_json_items *items);

/* False, then and ever after, when it is malformed or memory is short. */
bool conduit_json_items_feed(struct conduit_json_items *items, const void *bytes, size_t size);
/* How things stand; after the last byte: how it ended. */
enum conduit_json_items_state conduit_json_items_state(const struct conduit_json_items *items);
/* Whether an array to be taken apart was there at all, and how many elements were too large. */
bool conduit_json_items_found(const struct conduit_json_items *items);
size_t conduit_json_items_skipped(const struct conduit_json_items *items);

#endif
