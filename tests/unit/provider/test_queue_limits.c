/* Limits of settings by a model's JSON schema, odd schemas among them. */
#include "tests/unit/provider/support.h"

#include "core/base/limit.h"

#include <conduit/kit/json.h>
#include <conduit/kit/queue.h>
#include <math.h>
#include <string.h>

/* "n 1..4 =1" a limit, with semicolons between them. */
static void add_limits(const char *schemas, size_t size, struct buf *ret) {
	struct conduit_json *json = conduit_json_parse(schemas, size);
	size_t n = 0;
	struct conduit_limit *limits = conduit_queue_limits(
			conduit_json_get(json, "Input"), json, &n);
	conduit_json_free(json);
	assert_true((limits == NULL) == (n == 0));
	assert_in_range(n, 0, LIMITS_MOST);
	for (size_t i = 0; i < n; i++) {
		cleanup_buf struct buf line = {0};
		const struct limit limit = {limits[i].name,
				isnan(limits[i].least) ? -INFINITY : limits[i].least,
				isnan(limits[i].most) ? INFINITY : limits[i].most,
				limits[i].choices != NULL ? limits[i].choices : "",
				limits[i].standard != NULL ? limits[i].standard : "", ""};
		replay_limit_text(&limit, &line);
		buf_add_format(ret, "%s%s %s", i != 0 ? ";" : "", limit.name, buf_string(&line));
	}
	conduit_queue_limits_free(limits, n);
}

static void assert_says(const char *schemas, const char *expected) {
	cleanup_buf struct buf was = {0};
	add_limits(schemas, strlen(schemas), &was);
	assert_string_equal(buf_string(&was), expected);
}

#define INPUT(properties) "{\"Input\":{" properties "},"
#define NO_MORE "\"other\":{}}"

static void a_range_choices_and_a_default_are_a_limit(void **state) {
	(void)state;
	assert_says(INPUT("\"num_images\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":4,"
			  "\"default\":2}") NO_MORE,
			"n 1..4 =2");
	assert_says(INPUT("\"guidance\":{\"exclusiveMinimum\":0.1}") NO_MORE, "guidance 0.1..");
	assert_says(INPUT("\"style\":{\"enum\":[\"a b\",\"c\"],\"default\":\"c\"}") NO_MORE,
			"style a b,c =c");
	assert_says(INPUT("\"fps\":{\"enum\":[24,29.97],\"default\":24}") NO_MORE,
			"fps 24,29.97 =24");
}

static void a_choice_is_found_where_the_schema_refers_to(void **state) {
	(void)state;
	static const char more[] = "\"a.b\":{\"enum\":[\"x\",\"y\"]},\"c\":"
				   "{\"$ref\":\"#/components/schemas/a.b\"},\"shape\":"
				   "{\"type\":\"object\",\"enum\":[\"no\"]}}";
	static const char *const ways[] = {
			"\"voice\":{\"$ref\":\"#/components/schemas/a.b\"}",
			"\"voice\":{\"allOf\":[{\"$ref\":\"#/components/schemas/c\"}]}",
			"\"voice\":{\"anyOf\":[{\"$ref\":\"#/components/schemas/a.b\"},"
			"{\"type\":\"null\"},{\"$ref\":\"#/components/schemas/shape\"}]}",
			"\"voice\":{\"oneOf\":[{\"enum\":[\"x\"]},{\"enum\":[\"y\"]}]}",
	};
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		cleanup_buf struct buf schemas = {0};
		buf_add_format(&schemas, "{\"Input\":{%s},%s", ways[i], more);
		assert_says(buf_string(&schemas), "voice x,y");
	}
	assert_says(INPUT("\"voice\":{\"anyOf\":[{\"enum\":[\"x\"]},{\"type\":\"string\"}]}")
					NO_MORE,
			"voice x,*");
	assert_says(INPUT("\"n\":{\"anyOf\":[{\"minimum\":1},{\"maximum\":9}]}") NO_MORE, "");
}

/* Presets, beside which a width and a height are taken. */
static void sizes_of_which_one_is_an_object_are_open(void **state) {
	(void)state;
	static const char open[] =
			"{\"Input\":{\"image_size\":{\"default\":\"square\",\"anyOf\":["
			"{\"$ref\":\"#/components/schemas/ImageSize\"},{\"enum\":[\"square\"]}]}},"
			"\"ImageSize\":{\"type\":\"object\"}}";
	assert_says(open, "size square,* =square");
	assert_says(INPUT("\"image_size\":{\"enum\":[\"square\",\"wide\"]}") NO_MORE,
			"size square,wide");
}

/* What would be refused when it is written isn't told. */
static void a_number_has_no_words_among_its_choices(void **state) {
	(void)state;
	assert_says(INPUT("\"duration\":{\"enum\":[\"auto\",\"4\",\"5\"],\"default\":\"auto\"}")
					NO_MORE,
			"duration 4,5");
	assert_says(INPUT("\"duration\":{\"enum\":[\"4s\",\"8s\"],\"default\":\"8s\"}") NO_MORE,
			"");
	assert_says(INPUT("\"steps\":{\"maximum\":4,\"default\":5}") NO_MORE, "steps ..4");
	assert_says(INPUT("\"style\":{\"enum\":[\"a\"],\"default\":\"b\"}") NO_MORE, "style a");
}

/* max_tokens is always sent. */
static void a_default_that_never_holds_is_not_told(void **state) {
	(void)state;
	assert_says(INPUT("\"max_tokens\":{\"maximum\":512,\"default\":128}") NO_MORE,
			"max_tokens ..512");
}

static void an_odd_schema_is_passed_over(void **state) {
	(void)state;
	static const char *const odd[] = {"null", "[]", "7", "{\"Input\":[1]}",
			"{\"Input\":{\"n\":7,\"steps\":null,\"style\":[],\"seed\":\"x\"}}",
			INPUT("\"n\":{\"minimum\":\"1\",\"maximum\":[],\"default\":{}}") NO_MORE,
			INPUT("\"n\":{\"minimum\":9,\"maximum\":1}") NO_MORE,
			INPUT("\"style\":{\"enum\":{\"a\":7},\"default\":true}") NO_MORE,
			INPUT("\"style\":{\"enum\":[\"\",null,\"*\",\"a\\nb\",[],{}]}") NO_MORE,
			INPUT("\"style\":{\"minimum\":1,\"type\":\"string\"}") NO_MORE,
			INPUT("\"style\":{\"type\":\"array\",\"enum\":[\"a\"]}") NO_MORE,
			INPUT("\"style\":{\"$ref\":\"#/components/schemas/none\"}") NO_MORE,
			INPUT("\"style\":{\"$ref\":7,\"allOf\":7,\"anyOf\":{\"a\":[]}}") NO_MORE,
			INPUT("\"style\":{\"$ref\":\"#/components/schemas/me\"}") "\"me\":{\"$"
										  "ref\":\"#/"
										  "components/"
										  "schemas/me\"}}",
			INPUT("\"style\":{\"allOf\":[{\"$ref\":\"#/components/schemas/"
			      "me\"}]}") "\"me\":{\"enum\":[\"a\"],\"allOf\":[{\"$ref\":"
					 "\"#/components/schemas/"
					 "me\"},{\"$ref\":\"#/components/schemas/"
					 "me\"}]}}"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		print_message("%s\n", odd[i]);
		assert_says(odd[i], "");
	}
}

/* A part of a list would forbid what may be. */
static void a_list_of_choices_that_is_too_long_forbids_nothing(void **state) {
	(void)state;
	for (int n = 1024; n <= 1025; n++) {
		cleanup_buf struct buf schemas = {0};
		cleanup_buf struct buf was = {0};
		buf_add_string(&schemas, "{\"Input\":{\"voice\":{\"default\":\"v1\",\"enum\":[");
		for (int i = 0; i < n; i++) {
			buf_add_format(&schemas, "%s\"v%d\"", i != 0 ? "," : "", i);
		}
		buf_add_string(&schemas, "]}}}");
		add_limits(schemas.data, schemas.size, &was);
		assert_int_equal(strncmp(buf_string(&was), "voice v0,v1,", 12) == 0, n == 1024);
		assert_int_equal(strcmp(buf_string(&was), "voice =v1") == 0, n == 1025);
	}
}

/* Each byte of a schema in turn is another one. */
static void a_schema_with_any_byte_changed_does_no_harm(void **state) {
	(void)state;
	static const char schemas[] =
			"{\"Input\":{\"n\":{\"minimum\":1,\"maximum\":4,\"default\":2},\"voice\":{"
			"\"anyOf\":[{\"$ref\":\"#/components/schemas/v\"},{\"type\":\"null\"}],"
			"\"default\":\"x\"}},\"v\":{\"enum\":[\"x\",\"y\"]}}";
	static const char others[] = "\"{}[],:0-n\\ \x01\xff";
	for (size_t i = 0; i < sizeof(schemas) - 1; i++) {
		for (size_t j = 0; j < sizeof(others) - 1; j++) {
			cleanup_buf struct buf was = {0};
			char changed[sizeof(schemas)];
			memcpy(changed, schemas, sizeof(schemas));
			changed[i] = others[j];
			add_limits(changed, sizeof(schemas) - 1, &was);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_range_choices_and_a_default_are_a_limit),
			cmocka_unit_test(a_choice_is_found_where_the_schema_refers_to),
			cmocka_unit_test(sizes_of_which_one_is_an_object_are_open),
			cmocka_unit_test(a_number_has_no_words_among_its_choices),
			cmocka_unit_test(a_default_that_never_holds_is_not_told),
			cmocka_unit_test(an_odd_schema_is_passed_over),
			cmocka_unit_test(a_list_of_choices_that_is_too_long_forbids_nothing),
			cmocka_unit_test(a_schema_with_any_byte_changed_does_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
