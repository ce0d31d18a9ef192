/* Fuzzes the splitter of long lists: what it gives must not depend on where the bytes are cut; and
 * of a document that is JSON it must give every element, as JSON. */
#include "core/base/buf.h"

#include <conduit/kit/json.h>
#include <conduit/kit/json_items.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const names[] = {"data", NULL};

struct seen {
	struct buf text;
	size_t items;
	bool damaged; /* something that was handed out isn't JSON */
};

static void look(struct seen *seen, const char *json, size_t size) {
	struct conduit_json *parsed = conduit_json_parse(json, size);
	seen->damaged = seen->damaged || parsed == NULL;
	conduit_json_free(parsed);
	buf_add_byte(&seen->text, '\n');
	buf_add(&seen->text, json, size);
}

static void note_item(void *data, const char *json, size_t size) {
	struct seen *seen = data;
	seen->items++;
	look(seen, json, size);
}

static void note_member(void *data, const char *name, const char *json, size_t size) {
	struct seen *seen = data;
	buf_add_string(&seen->text, name);
	look(seen, json, size);
}

static enum conduit_json_items_state feed(
		const uint8_t *bytes, size_t size, size_t step, struct seen *seen) {
	struct conduit_json_items_calls calls = {
			.names = names, .item = note_item, .member = note_member, .data = seen};
	struct conduit_json_items *items = conduit_json_items_create(&calls);
	if (items == NULL) {
		abort();
	}
	for (size_t at = 0; at < size; at += step) {
		conduit_json_items_feed(items, bytes + at, step < size - at ? step : size - at);
	}
	enum conduit_json_items_state state = conduit_json_items_state(items);
	conduit_json_items_destroy(items);
	return state;
}

static size_t count(const struct conduit_json *array) {
	size_t n = 0;
	for (const struct conduit_json *element = conduit_json_first(array); element != NULL;
			element = conduit_json_next(element)) {
		n++;
	}
	return n;
}

/* cJSON is more lenient in the skeleton's strings and numbers than JSON is, so only a bare array
 * is held against it. */
static void compare(const uint8_t *bytes, size_t size, enum conduit_json_items_state state,
		const struct seen *seen) {
	struct conduit_json *json = conduit_json_parse((const char *)bytes, size);
	if (state == CONDUIT_ITEMS_WHOLE && !seen->damaged &&
			conduit_json_type(json, NULL) == CONDUIT_JSON_ARRAY &&
			count(json) != seen->items) {
		abort();
	}
	conduit_json_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	if (size < 2) {
		return 0;
	}
	struct seen whole = {0};
	struct seen cut = {0};
	enum conduit_json_items_state state = feed(bytes + 1, size - 1, size, &whole);
	if (feed(bytes + 1, size - 1, 1 + bytes[0] % 16, &cut) != state ||
			whole.items != cut.items || whole.text.size != cut.text.size ||
			memcmp(buf_string(&whole.text), buf_string(&cut.text), cut.text.size) !=
					0) {
		abort();
	}
	compare(bytes + 1, size - 1, state, &whole);
	buf_finish(&whole.text);
	buf_finish(&cut.text);
	return 0;
}
