/* Fuzzes what is written to a session's messages.json: what is accepted is text within its bounds,
 * and reads the same after it was shown. */
#include "core/base/text.h"
#include "core/engine/session/messages.h"

#include "tests/fuzz/files/scratch_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void show(const struct messages *messages, struct buf *out) {
	CHECK(messages_begin(out));
	if (messages->system != NULL) {
		CHECK(messages_add(out, "system", messages->system, strlen(messages->system)));
	}
	for (size_t i = 0; i < messages->n; i++) {
		const struct history_text *text = &messages->texts[i];
		CHECK(text->size > 0 && strlen(text->text) == text->size);
		CHECK(utf8_valid(text->text, text->size));
		CHECK(messages_add(
				out, text->answer ? "assistant" : "user", text->text, text->size));
	}
	CHECK(messages_end(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	const char *text = (const char *)bytes;
	struct messages messages, again;
	struct fail fail = {0};
	struct buf shown = {0}, twice = {0};
	bool accepted = messages_parse(text, size, &messages, &fail);
	CHECK(accepted == (fail.code == 0));
	if (accepted) {
		CHECK(messages_scan(text, size) == MESSAGES_WHOLE);
		CHECK(messages.n <= HISTORY_MOST);
		show(&messages, &shown);
		CHECK(messages_parse(buf_string(&shown), shown.size, &again, NULL));
		show(&again, &twice);
		CHECK(strcmp(buf_string(&shown), buf_string(&twice)) == 0);
		messages_finish(&again);
		messages_finish(&messages);
	}
	buf_finish(&shown);
	buf_finish(&twice);
	fail_finish(&fail);
	return 0;
}
