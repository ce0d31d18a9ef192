/* The chat format, to messages and back. */
#include "core/engine/session/messages.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void taken(const char *text, struct messages *ret) {
	cleanup_fail struct fail fail = {0};
	if (!messages_parse(text, strlen(text), ret, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

static void refused(const char *text, int code, const char *words) {
	cleanup_fail struct fail fail = {0};
	struct messages messages;
	assert_false(messages_parse(text, strlen(text), &messages, &fail));
	assert_int_equal(fail.code, code);
	if (strstr(fail_words(&fail), words) == NULL) {
		fail_msg("\"%s\" isn't in \"%s\"", words, fail_words(&fail));
	}
}

static void assert_text(const struct messages *messages, size_t i, bool answer, const char *text) {
	assert_true(i < messages->n);
	assert_int_equal(messages->texts[i].answer, answer);
	assert_int_equal(messages->texts[i].size, strlen(text));
	assert_string_equal(messages->texts[i].text, text);
}

static void roles_and_contents_are_taken(void **state) {
	(void)state;
	struct messages messages;
	taken(" [ {\"role\":\"system\",\"content\":\"s\"}, "
	      "{\"content\":\"u\\n\\\"\",\"role\":\"user\"},"
	      "{\"role\":\"assistant\",\"content\":\"\\u00e4\\ud83e\\udd86\",\"tool_calls\":null,"
	      "\"id\":7}]\n",
			&messages);
	assert_string_equal(messages.system, "s");
	assert_int_equal(messages.n, 2);
	assert_text(&messages, 0, false, "u\n\"");
	assert_text(&messages, 1, true, "ä🦆");
	messages_finish(&messages);
	taken("[]", &messages);
	assert_null(messages.system);
	assert_int_equal(messages.n, 0);
	messages_finish(&messages);
}

static void text_parts_are_joined(void **state) {
	(void)state;
	struct messages messages;
	taken("[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
	      "{\"text\":\"b\",\"type\":\"text\"}]},{\"role\":\"assistant\",\"content\":\"c\"}]",
			&messages);
	assert_int_equal(messages.n, 2);
	assert_text(&messages, 0, false, "ab");
	assert_text(&messages, 1, true, "c");
	messages_finish(&messages);
}

static void what_is_wrong_is_named_by_its_index(void **state) {
	(void)state;
#define FIRST "[{\"role\":\"user\",\"content\":\"x\"},"
	refused("", EINVAL, "not JSON from byte 1");
	refused("nonsense", EINVAL, "not JSON from byte 1");
	refused("{}", EINVAL, "isn't an array");
	refused(FIRST "2]", EINVAL, "message 1 isn't an object");
	refused(FIRST "{}]", EINVAL, "message 1 has no \"role\"");
	refused(FIRST "{\"role\":7}]", EINVAL, "message 1 has no \"role\"");
	refused(FIRST "{\"role\":\"tool\",\"content\":\"x\"}]", EINVAL,
			"message 1 has no \"role\"");
	refused(FIRST "{\"role\":\"user\",\"content\":null}]", EINVAL,
			"message 1 has no \"content\"");
	refused(FIRST "{\"role\":\"user\",\"content\":[]}]", EINVAL, "message 1 has an empty");
	refused(FIRST "{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]", EINVAL,
			"message 1 has a part");
	refused(FIRST "{\"role\":\"system\",\"content\":\"x\"}]", EINVAL, "message 1 is a system");
	refused("[{\"role\":\"assistant\",\"content\":\"x\",\"function_call\":{}}]", EINVAL,
			"message 0 has tool calls");
	refused(FIRST "]", EINVAL, "not JSON");
	refused("[] x", EINVAL, "not JSON");
	refused("[\"\xff\"]", EINVAL, "UTF-8");
	refused("[{\"role\":\"user\",\"content\":\"a\\u0000\"}]", EINVAL, "character NUL");
}

static void a_backslash_before_u0000_is_no_nul(void **state) {
	(void)state;
	struct messages messages;
	taken("[{\"role\":\"user\",\"content\":\"a\\\\u0000\"}]", &messages);
	assert_text(&messages, 0, false, "a\\u0000");
	messages_finish(&messages);
}

static void bounds_hold_before_anything_is_parsed(void **state) {
	(void)state;
	cleanup_buf struct buf many = {0}, values = {0}, deep = {0}, large = {0};
	buf_add_string(&many, "[");
	for (int i = 0; i <= HISTORY_MOST; i++) {
		buf_add_format(&many, "%s{\"role\":\"user\",\"content\":\"x\"}", i > 0 ? "," : "");
	}
	buf_add_string(&many, "]");
	refused(buf_string(&many), EMSGSIZE, "1001 messages");
	buf_add_string(&values, "[");
	for (int i = 0; i < 200000; i++) {
		buf_add_string(&values, "[],");
	}
	buf_add_string(&values, "[]]");
	refused(buf_string(&values), EFBIG, "100000 values");
	for (int i = 0; i < 50000; i++) {
		buf_add_string(&deep, "[");
	}
	refused(buf_string(&deep), EINVAL, "not JSON");
	char *to = buf_reserve(&large, MESSAGES_MOST + 1);
	assert_non_null(to);
	memset(to, ' ', MESSAGES_MOST + 1);
	to[MESSAGES_MOST + 1] = '\0';
	refused(to, EFBIG, "bytes and");
	static char text[HISTORY_BYTES_MOST + 64];
	memset(text, 'x', sizeof(text));
	static const char head[] = "[{\"role\":\"user\",\"content\":\"";
	memcpy(text, head, sizeof(head) - 1);
	strcpy(text + sizeof(text) - 5, "\"}]");
	refused(text, EFBIG, "bytes of text");
}

static void an_array_is_whole_when_its_bracket_is_closed(void **state) {
	(void)state;
	static const char whole[] = "[{\"role\":\"user\",\"content\":\"a ] \\\" } \"}]";
	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		assert_int_equal(messages_scan(whole, i), MESSAGES_MORE);
	}
	assert_int_equal(messages_scan(whole, sizeof(whole) - 1), MESSAGES_WHOLE);
	/* What can't become one needn't be waited for. */
	assert_int_equal(messages_scan(" x", 2), MESSAGES_WHOLE);
	assert_int_equal(messages_scan("]", 1), MESSAGES_WHOLE);
	assert_int_equal(messages_scan("[]]", 3), MESSAGES_WHOLE);
}

static void what_is_written_is_taken_again(void **state) {
	(void)state;
	cleanup_buf struct buf out = {0};
	struct messages messages;
	assert_true(messages_begin(&out) && messages_end(&out));
	assert_string_equal(buf_string(&out), "[]\n");
	buf_clear(&out);
	messages_begin(&out);
	messages_add(&out, "system", "[", 1);
	messages_add(&out, "user", "line\n\t\"\x01\\", 9);
	messages_end(&out);
	taken(buf_string(&out), &messages);
	assert_string_equal(messages.system, "[");
	assert_text(&messages, 0, false, "line\n\t\"\x01\\");
	messages_finish(&messages);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(roles_and_contents_are_taken),
			cmocka_unit_test(text_parts_are_joined),
			cmocka_unit_test(what_is_wrong_is_named_by_its_index),
			cmocka_unit_test(a_backslash_before_u0000_is_no_nul),
			cmocka_unit_test(bounds_hold_before_anything_is_parsed),
			cmocka_unit_test(an_array_is_whole_when_its_bracket_is_closed),
			cmocka_unit_test(what_is_written_is_taken_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
