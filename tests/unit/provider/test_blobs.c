/* Huge strings of a document and of the chunks of a stream: which are handed over, what is left,
 * and that it doesn't matter where the bytes are cut. */
#include "core/provider/kit/json/json_blobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct seen {
	struct conduit_json_blobs *blobs;
	struct buf text; /* "name index<pieces>" of each blob that is whole, without the ">" of one
			    that isn't */
	struct buf left;
};

static void note_begin(void *data, const char *name) {
	struct seen *seen = data;
	buf_add_format(&seen->text, "%s %u<", name, json_blobs_index(seen->blobs, "choices"));
}

static void note_piece(void *data, const char *text, size_t size) {
	struct seen *seen = data;
	buf_add(&seen->text, text, size);
}

static void note_end(void *data) {
	struct seen *seen = data;
	buf_add_byte(&seen->text, '>');
}

static void feed(const char *text, size_t at, bool events, struct seen *seen) {
	static const char *const names[] = {"b64_json", "choices.delta.audio.data",
			"choices.delta.images.image_url.url", NULL};
	size_t size = strlen(text);
	seen->blobs = conduit_json_blobs_create(&(struct conduit_json_blobs_calls){.names = names,
			.begin = note_begin,
			.piece = note_piece,
			.end = note_end,
			.data = seen});
	assert_non_null(seen->blobs);
	if (events) {
		json_blobs_events(seen->blobs);
	}
	conduit_json_blobs_feed(seen->blobs, text, at);
	conduit_json_blobs_feed(seen->blobs, text + at, size - at);
	struct buf *left = json_blobs_text(seen->blobs);
	buf_add(&seen->left, left->data, left->size);
	conduit_json_blobs_destroy(seen->blobs);
}

static void assert_blobs(const char *text, bool events, const char *blobs, const char *left) {
	for (size_t at = 0; at <= strlen(text); at++) {
		struct seen seen = {0};
		feed(text, at, events, &seen);
		assert_string_equal(buf_string(&seen.text), blobs);
		assert_string_equal(buf_string(&seen.left), left);
		buf_finish(&seen.text);
		buf_finish(&seen.left);
	}
}

static void a_plain_name_is_meant_at_any_depth(void **state) {
	(void)state;
	assert_blobs("{\"b64_json\":\"AA\",\"x\":[{\"b64_json\" : \"B\\/B\",\"b64\":\"c\"}],"
		     "\"y\":\"b64_json\"}",
			false, "b64_json 0<AA>b64_json 0<B/B>",
			"{\"b64_json\":\"\",\"x\":[{\"b64_json\" : \"\",\"b64\":\"c\"}],"
			"\"y\":\"b64_json\"}");
}

static void a_path_is_meant_where_it_leads_whatever_arrays_are_between(void **state) {
	(void)state;
	assert_blobs("{\"choices\":[{\"delta\":{\"audio\":{\"id\":\"a\",\"data\":\"QQ==\"},"
		     "\"images\":[{\"image_url\":{\"url\":\"data:,x\"}}],"
		     "\"data\":\"no\",\"links\":[{\"url\":\"no\"}],\"audio\":\"no\"}}],"
		     "\"audio\":{\"data\":\"no\"}}",
			false,
			"choices.delta.audio.data 0<QQ==>"
			"choices.delta.images.image_url.url 0<data:,x>",
			"{\"choices\":[{\"delta\":{\"audio\":{\"id\":\"a\",\"data\":\"\"},"
			"\"images\":[{\"image_url\":{\"url\":\"\"}}],"
			"\"data\":\"no\",\"links\":[{\"url\":\"no\"}],\"audio\":\"no\"}}],"
			"\"audio\":{\"data\":\"no\"}}");
}

static void a_blob_knows_of_which_element_it_is(void **state) {
	(void)state;
	assert_blobs("{\"choices\":[{\"index\":0,\"delta\":{\"audio\":{\"data\":\"A\"}}},"
		     "{\"index\": 12,\"delta\":{\"index\":3,\"audio\":{\"data\":\"B\"}}}]}",
			false, "choices.delta.audio.data 0<A>choices.delta.audio.data 12<B>",
			"{\"choices\":[{\"index\":0,\"delta\":{\"audio\":{\"data\":\"\"}}},"
			"{\"index\": 12,\"delta\":{\"index\":3,\"audio\":{\"data\":\"\"}}}]}");
}

#define EVENT(data) "{\"choices\":[{\"delta\":{\"audio\":{\"data\":\"" data "\"}}}]}"

static void each_event_is_a_document_of_its_own(void **state) {
	(void)state;
	assert_blobs(": a comment {\n\ndata: " EVENT("A") "\n\ndata:" EVENT(
				     "B") "\r\n\r\n"
					  "event: x\ndata: {\"choices\":[{\n"
					  "data: \"delta\":{\"audio\":{\"data\":\n"
					  "data: \"C\"}}}]}\n\ndata: {\"choices\":[\"\n\n"
					  "data: " EVENT("D") "\n\n"
							      "data: [DONE]\n\n",
			true,
			"choices.delta.audio.data 0<A>choices.delta.audio.data 0<B>"
			"choices.delta.audio.data 0<C>choices.delta.audio.data 0<D>",
			": a comment {\n\ndata: " EVENT("") "\n\ndata:" EVENT(
					"") "\r\n\r\n"
					    "event: x\ndata: {\"choices\":[{\n"
					    "data: \"delta\":{\"audio\":{\"data\":\n"
					    "data: \"\"}}}]}\n\ndata: {\"choices\":[\"\n\n"
					    "data: " EVENT("") "\n\n"
							       "data: [DONE]\n\n");
}

static void what_an_event_left_open_is_over_with_it(void **state) {
	(void)state;
	static const char text[] = "data: {\"b64_json\":\n\ndata: \"kept\"\n\n"
				   "data: {\"choices\":[{\"index\":1\n\n"
				   "data: 2}\n\ndata: {\"delta\":\n\ndata: {\"audio\":{\"data\":"
				   "\"kept\"}}\n\n";
	assert_blobs(text, true, "", text);
}

static void depth_left_open_is_over_too(void **state) {
	(void)state;
	assert_blobs("data: [[[[[[[[[[[[[[[[[[[[\n\ndata: " EVENT("A") "\n\n", true,
			"choices.delta.audio.data 0<A>",
			"data: [[[[[[[[[[[[[[[[[[[[\n\ndata: " EVENT("") "\n\n");
}

static void what_nests_too_deep_is_left_as_it_is(void **state) {
	(void)state;
	static const char deep[] =
			"[[[[[[[[[[[[[[[[[{\"choices\":{\"delta\":{\"audio\":{\"data\":\"A\""
			"}}}}]]]]]]]]]]]]]]]]],{\"b64_json\":\"B\"}]]]]]]";
	assert_blobs(deep, false, "b64_json 0<B>",
			"[[[[[[[[[[[[[[[[[{\"choices\":{\"delta\":{\"audio\":{\"data\":\"A\""
			"}}}}]]]]]]]]]]]]]]]]],{\"b64_json\":\"\"}]]]]]]");
}

static void one_that_is_cut_short_has_no_end(void **state) {
	(void)state;
	assert_blobs("{\"b64_json\":\"AAA", false, "b64_json 0<AAA", "{\"b64_json\":\"");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_plain_name_is_meant_at_any_depth),
			cmocka_unit_test(
					a_path_is_meant_where_it_leads_whatever_arrays_are_between),
			cmocka_unit_test(a_blob_knows_of_which_element_it_is),
			cmocka_unit_test(each_event_is_a_document_of_its_own),
			cmocka_unit_test(what_an_event_left_open_is_over_with_it),
			cmocka_unit_test(depth_left_open_is_over_too),
			cmocka_unit_test(what_nests_too_deep_is_left_as_it_is),
			cmocka_unit_test(one_that_is_cut_short_has_no_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
