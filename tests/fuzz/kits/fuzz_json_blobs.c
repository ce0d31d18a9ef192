/* Fuzzes the kit that takes huge strings out of a document, or out of the chunks of a stream: what
 * it hands over and what is left must not depend on where the bytes are cut. */
#include "core/provider/kit/json/json_blobs.h"
#include "tests/fuzz/kits/cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct noted {
	struct conduit_json_blobs *blobs;
	struct buf *seen;
};

static void note_begin(void *data, const char *name) {
	struct noted *noted = data;
	buf_add_format(noted->seen, "%s %u ", name, json_blobs_index(noted->blobs, "choices"));
}

static void note_piece(void *data, const char *text, size_t size) {
	struct noted *noted = data;
	buf_add(noted->seen, text, size);
}

static void note_end(void *data) {
	struct noted *noted = data;
	buf_add_byte(noted->seen, '.');
}

static void feed_as(const uint8_t *bytes, size_t size, size_t step, bool events, struct buf *seen) {
	static const char *const names[] = {
			"b64_json", "choices.delta.audio.data", "choices.message.audio.data", NULL};
	struct noted noted = {.seen = seen};
	struct conduit_json_blobs_calls calls = {.names = names,
			.begin = note_begin,
			.piece = note_piece,
			.end = note_end,
			.data = &noted};
	noted.blobs = conduit_json_blobs_create(&calls);
	if (events) {
		json_blobs_events(noted.blobs);
	}
	for (size_t at = 0; at < size; at += step) {
		size_t piece = step < size - at ? step : size - at;
		conduit_json_blobs_feed(noted.blobs, (const char *)bytes + at, piece);
	}
	struct buf *left = json_blobs_text(noted.blobs);
	if (left != NULL) {
		buf_add(seen, left->data, left->size);
	}
	conduit_json_free(conduit_json_blobs_rest(noted.blobs));
	conduit_json_blobs_destroy(noted.blobs);
}

static void feed(const uint8_t *bytes, size_t size, size_t step, struct buf *seen) {
	feed_as(bytes, size, step, false, seen);
	feed_as(bytes, size, step, true, seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	return cut_anywhere(bytes, size, feed);
}
