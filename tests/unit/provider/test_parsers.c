/* The parsing kits: event streams, lines, JSON, long lists, times, words. */
#include "core/provider/kit/words.h"

#include "core/base/buf.h"

#include <conduit/kit/json.h>
#include <conduit/kit/json_items.h>
#include <conduit/kit/ndjson.h>
#include <conduit/kit/sse.h>
#include <conduit/kit/time.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- event streams and lines ---- */

static void note_event(void *data, const char *name, const char *text, size_t size) {
	buf_add_format(data, "<%s|%.*s>", name, (int)size, text);
}

static void note_line(void *data, const char *line, size_t size) {
	buf_add_format(data, "<%.*s>", (int)size, line);
}

/* What the stream gives, fed in pieces of `step` bytes. */
static struct buf events_of(const char *stream, size_t size, size_t step) {
	struct buf seen = {0};
	struct conduit_sse *sse = conduit_sse_create(note_event, &seen);
	assert_non_null(sse);
	for (size_t at = 0; at < size; at += step) {
		size_t piece = step < size - at ? step : size - at;
		assert_true(conduit_sse_feed(sse, stream + at, piece));
	}
	assert_true(conduit_sse_end(sse));
	conduit_sse_destroy(sse);
	return seen;
}

static void assert_events(const char *stream, const char *expected) {
	for (size_t step = 1; step <= strlen(stream) + 1; step++) {
		cleanup_buf struct buf seen = events_of(stream, strlen(stream), step);
		assert_string_equal(buf_string(&seen), expected);
	}
}

static void an_event_ends_at_a_blank_line_whatever_ends_the_lines(void **state) {
	(void)state;
	assert_events("data: a\n\ndata: b\n\n", "<message|a><message|b>");
	assert_events("data: a\r\n\r\ndata: b\r\n\r\n", "<message|a><message|b>");
	assert_events("data: a\r\rdata: b\r\r", "<message|a><message|b>");
	assert_events("data: a\r\n\ndata: b\n\r\n", "<message|a><message|b>");
}

static void an_event_has_its_name_and_joined_data(void **state) {
	(void)state;
	assert_events("event: error\ndata: x\ndata:\ndata:  y\n\n", "<error|x\n\n y>");
	assert_events("event: lost\n\ndata: x\n\n", "<message|x>");
	assert_events("data\n\n", "<message|>");
}

static void comments_unknown_fields_and_a_byte_order_mark_are_skipped(void **state) {
	(void)state;
	assert_events("\xef\xbb\xbf"
		      "data:x\n: OPENROUTER PROCESSING\nid: 7\nretry: 1\nfoo: b\n\n",
			"<message|x>");
	assert_events(": only\n\n: comments\n\n", "");
}

static void an_event_without_its_blank_line_is_delivered_at_the_end(void **state) {
	(void)state;
	assert_events("data: [DONE]", "<message|[DONE]>");
	assert_events("data: [DONE]\n", "<message|[DONE]>");
}

static void an_event_beyond_the_limit_is_refused(void **state) {
	(void)state;
	struct buf seen = {0};
	struct conduit_sse *sse = conduit_sse_create(note_event, &seen);
	static char chunk[1 << 20];
	memset(chunk, 'x', sizeof(chunk));
	assert_true(conduit_sse_feed(sse, "data: ", 6));
	bool fed = true;
	for (int i = 0; i < 65 && fed; i++) {
		fed = conduit_sse_feed(sse, chunk, sizeof(chunk));
	}
	assert_false(fed);
	assert_false(conduit_sse_feed(sse, "\n\n", 2));
	assert_false(conduit_sse_end(sse));
	conduit_sse_destroy(sse);
	assert_int_equal(seen.size, 0);
	buf_finish(&seen);
}

static void lines_come_whole_however_they_are_cut(void **state) {
	(void)state;
	const char *stream = "{\"a\":1}\r\n\n  \n{\"b\":2}\n{\"c\":3}";
	for (size_t step = 1; step < 30; step++) {
		cleanup_buf struct buf seen = {0};
		struct conduit_ndjson *ndjson = conduit_ndjson_create(note_line, &seen);
		for (size_t at = 0; at < strlen(stream); at += step) {
			size_t left = strlen(stream) - at;
			assert_true(conduit_ndjson_feed(
					ndjson, stream + at, step < left ? step : left));
		}
		assert_true(conduit_ndjson_end(ndjson));
		conduit_ndjson_destroy(ndjson);
		assert_string_equal(buf_string(&seen), "<{\"a\":1}><{\"b\":2}><{\"c\":3}>");
	}
}

/* ---- JSON ---- */

static struct conduit_json *parsed(const char *text) {
	return conduit_json_parse(text, strlen(text));
}

static void members_are_found_by_path_and_type(void **state) {
	(void)state;
	struct conduit_json *json = parsed("\n   {\"a\":{\"b\":[1,{\"c\":\"x\"}]},\"n\":-3.4e-7,"
					   "\"big\":1e308,\"i\":15,\"t\":true,\"z\":null} \n");
	assert_non_null(json);
	assert_string_equal(conduit_json_string(json, "a.b.1.c"), "x");
	assert_null(conduit_json_string(json, "a.b.0"));
	assert_null(conduit_json_string(json, "a.b.2.c"));
	assert_null(conduit_json_get(json, "a.b.x"));
	double number = 0;
	assert_true(conduit_json_number(json, "n", &number));
	assert_true(number < -3.39e-7 && number > -3.41e-7);
	assert_true(conduit_json_number(json, "big", &number));
	int64_t integer = 7;
	assert_false(conduit_json_int64(json, "big", &integer));
	assert_false(conduit_json_int64(json, "n", &integer));
	assert_int_equal(integer, 7);
	assert_true(conduit_json_int64(json, "i", &integer));
	assert_int_equal(integer, 15);
	bool truth = false;
	assert_true(conduit_json_bool(json, "t", &truth));
	assert_true(truth);
	assert_int_equal(conduit_json_type(json, "z"), CONDUIT_JSON_NULL);
	assert_int_equal(conduit_json_type(json, "none"), CONDUIT_JSON_NONE);
	assert_null(conduit_json_get(NULL, "a"));
	conduit_json_free(json);
}

static void what_is_not_one_document_is_no_json(void **state) {
	(void)state;
	static const char *const wrong[] = {"", " ", "{", "{\"a\":1,", "{}x", "[1 2]", "{} {}",
			"nul", "\"a", "<html>", "{\"a\":\"\\ud8\"}"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(parsed(wrong[i]));
	}
	assert_null(conduit_json_parse("\"a\0b\"", 5));
	static char deep[4000];
	memset(deep, '[', sizeof(deep) / 2);
	memset(deep + sizeof(deep) / 2, ']', sizeof(deep) / 2);
	assert_null(conduit_json_parse(deep, sizeof(deep)));
}

static void what_c_strings_cannot_hold_is_read_as_a_replacement(void **state) {
	(void)state;
	struct conduit_json *json = parsed("[\"a\\u0000b\",\"\\\\u0000\",\"\\ud83d\","
					   "\"\\ud83d\\ude00\",\"\\ude00x\"]");
	assert_string_equal(conduit_json_string(json, "0"), "a\xef\xbf\xbd"
							    "b");
	assert_string_equal(conduit_json_string(json, "1"), "\\u0000");
	assert_string_equal(conduit_json_string(json, "2"), "\xef\xbf\xbd");
	assert_string_equal(conduit_json_string(json, "3"), "\xf0\x9f\x98\x80");
	assert_string_equal(conduit_json_string(json, "4"), "\xef\xbf\xbd"
							    "x");
	conduit_json_free(json);
}

/* ---- long lists ---- */

static const char *const item_names[] = {"data", "models", NULL};

static void note_item(void *data, const char *json, size_t size) {
	assert_int_equal(json[size], '\0');
	buf_add_format(data, "<%.40s>", json);
}

static void note_member(void *data, const char *name, const char *json, size_t size) {
	assert_int_equal(json[size], '\0');
	buf_add_format(data, "(%s=%.40s)", name, json);
}

static enum conduit_json_items_state split(
		const char *text, size_t size, size_t step, struct buf *seen, size_t *skipped) {
	struct conduit_json_items_calls calls = {.names = item_names,
			.item = note_item,
			.member = note_member,
			.data = seen};
	struct conduit_json_items *items = conduit_json_items_create(&calls);
	assert_non_null(items);
	for (size_t at = 0; at < size; at += step) {
		size_t piece = step < size - at ? step : size - at;
		if (!conduit_json_items_feed(items, text + at, piece)) {
			break;
		}
	}
	enum conduit_json_items_state how = conduit_json_items_state(items);
	*skipped = conduit_json_items_skipped(items);
	conduit_json_items_destroy(items);
	return how;
}

static void assert_split(
		const char *text, enum conduit_json_items_state how, const char *expected) {
	for (size_t step = 1; step <= strlen(text) + 1; step++) {
		cleanup_buf struct buf seen = {0};
		size_t skipped;
		assert_int_equal(split(text, strlen(text), step, &seen, &skipped), how);
		assert_string_equal(buf_string(&seen), expected);
		assert_int_equal(skipped, 0);
	}
}

static void each_element_of_the_list_is_handed_out(void **state) {
	(void)state;
	assert_split(" [ {\"a\":[1,\"]\"]} , 2,\"x\\\"],\" , null ] ", CONDUIT_ITEMS_WHOLE,
			"<{\"a\":[1,\"]\"]}><2><\"x\\\"],\"><null>");
	assert_split("{\"n\":1 ,\"data\":[{},[]],\"links\":{\"next\":null}}", CONDUIT_ITEMS_WHOLE,
			"(n=1)<{}><[]>(links={\"next\":null})");
	assert_split("{\"models\":[1],\"data\":[2]}", CONDUIT_ITEMS_WHOLE, "<1><2>");
	assert_split("[]", CONDUIT_ITEMS_WHOLE, "");
	assert_split("{}", CONDUIT_ITEMS_WHOLE, "");
	assert_split("{\"data\":\"none\"}", CONDUIT_ITEMS_WHOLE, "(data=\"none\")");
	assert_split("{\"error\":{\"message\":\"no\"}}", CONDUIT_ITEMS_WHOLE,
			"(error={\"message\":\"no\"})");
}

static void a_list_that_is_cut_or_malformed_gives_what_came_and_says_so(void **state) {
	(void)state;
	assert_split("", CONDUIT_ITEMS_CUT, "");
	assert_split("[1,{\"a\":", CONDUIT_ITEMS_CUT, "<1>");
	assert_split("{\"data\":[1]", CONDUIT_ITEMS_CUT, "<1>");
	assert_split("[1,]", CONDUIT_ITEMS_MALFORMED, "<1>");
	assert_split("[1 2]", CONDUIT_ITEMS_MALFORMED, "<1>");
	assert_split("[1]]", CONDUIT_ITEMS_MALFORMED, "<1>");
	assert_split("[1}", CONDUIT_ITEMS_MALFORMED, "<1>");
	assert_split("{\"a\" 1}", CONDUIT_ITEMS_MALFORMED, "");
	assert_split("{\"a\":1,}", CONDUIT_ITEMS_MALFORMED, "(a=1)");
	assert_split("<html>", CONDUIT_ITEMS_MALFORMED, "");
}

static void an_element_that_is_too_large_is_skipped_and_counted(void **state) {
	(void)state;
	cleanup_buf struct buf list = {0};
	assert_true(buf_add_string(&list, "[1,\""));
	for (size_t i = 0; i < CONDUIT_ITEM_LIMIT; i += 64) {
		assert_true(buf_add_format(&list, "%064d", 0));
	}
	assert_true(buf_add_string(&list, "\",2]"));
	cleanup_buf struct buf seen = {0};
	size_t skipped;
	assert_int_equal(split(list.data, list.size, 65536, &seen, &skipped), CONDUIT_ITEMS_WHOLE);
	assert_string_equal(seen.data, "<1><2>");
	assert_int_equal(skipped, 1);
}

static void a_member_that_is_too_large_is_dropped(void **state) {
	(void)state;
	cleanup_buf struct buf object = {0};
	buf_add_string(&object, "{\"big\":\"");
	for (size_t i = 0; i < CONDUIT_MEMBER_LIMIT; i += 64) {
		buf_add_format(&object, "%064d", 0);
	}
	buf_add_string(&object, "\",\"data\":[1]}");
	cleanup_buf struct buf seen = {0};
	size_t skipped;
	assert_int_equal(split(object.data, object.size, 1000, &seen, &skipped),
			CONDUIT_ITEMS_WHOLE);
	assert_string_equal(seen.data, "<1>");
	assert_int_equal(skipped, 0);
}

/* ---- times and words ---- */

static void times_become_unix_seconds(void **state) {
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
	} times[] = {
			{"1970-01-01T00:00:00Z", 0},
			{"2025-05-26T17:02:03Z", 1748278923},
			{"2025-05-26T19:02:03.999999+02:00", 1748278923},
			{"2025-05-26 11:32:03-05:30", 1748278923},
			{"2024-02-29t00:00:00z", 1709164800},
			{"2016-12-31T23:59:60Z", 1483228800},
			{"1969-12-31T23:59:59Z", -1},
			{"0000-03-01T00:00:00Z", -62162035200},
	};
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t seconds = 42;
		assert_true(conduit_time_rfc3339(times[i].text, &seconds));
		assert_int_equal(seconds, times[i].seconds);
	}
}

static void what_is_no_time_is_refused(void **state) {
	(void)state;
	static const char *const wrong[] = {"", "2025", "2025-13-01T00:00:00Z",
			"2025-02-29T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:00:00",
			"2025-01-01T00:00:00Zx", "2025-01-01T00:00:00.Z",
			"2025-01-01T00:00:00+2:00"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int64_t seconds = 42;
		assert_false(conduit_time_rfc3339(wrong[i], &seconds));
		assert_int_equal(seconds, 42);
	}
	assert_false(conduit_time_rfc3339(NULL, &(int64_t){0}));
}

static void words_are_one_plain_line(void **state) {
	(void)state;
	cleanup_buf struct buf words = {0};
	const char *text = "  a\n\tb\x1b[31m \xff"
			   "c  ";
	words_add(&words, text, strlen(text), 100);
	assert_string_equal(words.data, "a b [31m \xef\xbf\xbd"
					"c");
	buf_clear(&words);
	words_add(&words, "aaaa bbbb", 9, 6);
	assert_string_equal(words.data, "aaaa b…");
	buf_clear(&words);
	const char *page = "<html><head><TITLE>502 Bad\nGateway</TITLE></head><body>x</body>";
	words_add_page(&words, page, strlen(page), 100);
	assert_string_equal(words.data, "502 Bad Gateway");
}

static void keys_never_stand_in_words(void **state) {
	(void)state;
	static const char *const lines[][2] = {
			{"bad key sk-or-v1-0123456789abcdef!", "bad key [key]!"},
			{"Incorrect API key provided: abc. See",
					"Incorrect API key provided: [key] See"},
			{"Authorization: Bearer xyz123", "Authorization: Bearer [key]"},
			{"token hf_abcdefghij", "token [key]"},
			{"task-list and risk-averse-people stay",
					"task-list and risk-averse-people stay"},
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		cleanup_buf struct buf words = {0};
		buf_add_string(&words, lines[i][0]);
		words_mask_keys(&words);
		assert_string_equal(words.data, lines[i][1]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(an_event_ends_at_a_blank_line_whatever_ends_the_lines),
			cmocka_unit_test(an_event_has_its_name_and_joined_data),
			cmocka_unit_test(comments_unknown_fields_and_a_byte_order_mark_are_skipped),
			cmocka_unit_test(an_event_without_its_blank_line_is_delivered_at_the_end),
			cmocka_unit_test(an_event_beyond_the_limit_is_refused),
			cmocka_unit_test(lines_come_whole_however_they_are_cut),
			cmocka_unit_test(members_are_found_by_path_and_type),
			cmocka_unit_test(what_is_not_one_document_is_no_json),
			cmocka_unit_test(what_c_strings_cannot_hold_is_read_as_a_replacement),
			cmocka_unit_test(each_element_of_the_list_is_handed_out),
			cmocka_unit_test(
					a_list_that_is_cut_or_malformed_gives_what_came_and_says_so),
			cmocka_unit_test(an_element_that_is_too_large_is_skipped_and_counted),
			cmocka_unit_test(a_member_that_is_too_large_is_dropped),
			cmocka_unit_test(times_become_unix_seconds),
			cmocka_unit_test(what_is_no_time_is_refused),
			cmocka_unit_test(words_are_one_plain_line),
			cmocka_unit_test(keys_never_stand_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
