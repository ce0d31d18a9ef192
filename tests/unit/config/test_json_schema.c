/* JSON values against schemas: what fits, what doesn't, and that the words name the place. */
#include "core/config/json_schema.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *schema, *fits, *fails, *words;
} cases[] = {
		{"{\"type\":\"object\"}", "{}", "[]",
				"at its top: is of type array, must be object"},
		{"{\"type\":\"integer\"}", "3", "3.5", "is of type number, must be integer"},
		{"{\"type\":[\"string\",\"null\"]}", "null", "1", "must be string or null"},
		{"{\"type\":\"boolean\"}", "true", "\"true\"", "must be boolean"},
		{"{\"enum\":[\"a\",1,{\"b\":2}]}", "{\"b\":2}", "\"b\"",
				"among the values of enum"},
		{"{\"const\":[1]}", "[1]", "[2]", "const"},
		{"{\"required\":[\"name\"]}", "{\"name\":1}", "{}", "lacks 'name'"},
		{"{\"properties\":{\"a\":{\"type\":\"number\"}}}", "{\"a\":1,\"b\":\"x\"}",
				"{\"a\":\"x\"}", "at /a: is of type string, must be number"},
		{"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1}",
				"{\"b\":1}", "has 'b', which the schema doesn't know"},
		{"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"b\":\"x\"}", "{\"b\":1}",
				"at /b: "},
		{"{\"minProperties\":1,\"maxProperties\":2}", "{\"a\":1}", "{}", "at least 1"},
		{"{\"items\":{\"type\":\"string\"}}", "[\"a\",\"b\"]", "[\"a\",1]", "at /1: "},
		{"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"number\"}}",
				"[\"a\",1,2]", "[\"a\",1,\"b\"]", "at /2: "},
		{"{\"items\":[{\"type\":\"string\"}],\"additionalItems\":false}", "[\"a\"]",
				"[\"a\",1]", "at /1: nothing is allowed here"},
		{"{\"minItems\":1,\"maxItems\":2}", "[1]", "[1,2,3]",
				"has 3 items, must have at most 2"},
		{"{\"uniqueItems\":true}", "[1,\"1\"]", "[1,1]", "twice"},
		{"{\"minLength\":2,\"maxLength\":3}", "\"\xc3\xa4\xc3\xb6\xc3\xbc\"", "\"a\"",
				"has 1 characters, must have at least 2"},
		{"{\"minimum\":0,\"maximum\":1}", "1", "1.5", "1.5 is above the maximum 1"},
		{"{\"exclusiveMinimum\":0}", "0.1", "0", "isn't above 0"},
		{"{\"exclusiveMaximum\":1}", "0.9", "1", "isn't below 1"},
		{"{\"multipleOf\":0.1}", "0.3", "0.25", "isn't a multiple of 0.1"},
		{"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "7", "3",
				"none of the 2 forms of anyOf"},
		{"{\"oneOf\":[{\"minimum\":5},{\"maximum\":7}]}", "9", "6",
				"fits 2 of the 2 forms"},
		{"{\"allOf\":[{\"type\":\"number\"},{\"minimum\":5}]}", "7", "3",
				"below the minimum"},
		{"{\"not\":{\"type\":\"null\"}}", "0", "null", "`not`"},
		{"{\"$defs\":{\"n/m\":{\"type\":\"number\"}},\"items\":{\"$ref\":\"#/$defs/"
		 "n~1m\"}}",
				"[1]", "[\"x\"]", "at /0: "},
		{"{\"properties\":{\"next\":{\"$ref\":\"#\"}},\"required\":[\"v\"]}",
				"{\"v\":1,\"next\":{\"v\":2}}", "{\"v\":1,\"next\":{}}",
				"at /next: lacks 'v'"},
		{"{\"items\":{\"properties\":{\"a\":{\"type\":\"string\"}}}}", "[{\"a\":\"x\"}]",
				"[{},{\"a\":1}]", "at /1/a: "},
		{"true", "1", "1 2", "one JSON value"},
		{"{}", "\"x\" \n", "", "one JSON value"},
};

static void what_fits_passes_and_what_does_not_is_named(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_fail struct fail fail = {0}, none = {0};
		if (!json_schema_check(
				    cases[i].schema, cases[i].fits, strlen(cases[i].fits), &none)) {
			fail_msg("%s against %s: %s", cases[i].fits, cases[i].schema,
					fail_words(&none));
		}
		if (json_schema_check(cases[i].schema, cases[i].fails, strlen(cases[i].fails),
				    &fail)) {
			fail_msg("%s fits %s", cases[i].fails, cases[i].schema);
		}
		assert_int_equal(fail.code, EPROTO);
		if (strstr(fail_words(&fail), cases[i].words) == NULL) {
			fail_msg("'%s' in '%s'", cases[i].words, fail_words(&fail));
		}
	}
}

static void a_schema_that_never_ends_is_refused(void **state) {
	(void)state;
	static const char *const endless[] = {"{\"$ref\":\"#\"}",
			"{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}",
			"{\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}",
			"{\"not\":{\"$ref\":\"#\"}}"};
	for (size_t i = 0; i < 4; i++) {
		cleanup_fail struct fail fail = {0};
		assert_false(json_schema_check(endless[i], "1", 1, &fail));
		assert_non_null(strstr(fail_words(&fail), "can't be checked"));
	}
}

static void many_items_are_not_compared_for_ever(void **state) {
	(void)state;
	char text[8192] = "[0";
	for (int i = 1; i < 1000; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d", i);
	}
	strcat(text, "]");
	cleanup_fail struct fail fail = {0};
	assert_false(json_schema_check("{\"uniqueItems\":true}", text, strlen(text), &fail));
	assert_non_null(strstr(fail_words(&fail), "can't be checked"));
}

static void what_is_no_schema_is_said(void **state) {
	(void)state;
	static const struct {
		const char *schema, *words;
	} wrong[] = {
			{"{", "isn't JSON"},
			{"[]", "a schema is an object"},
			{"{\"type\":\"strin\"}", "did you mean 'string'?"},
			{"{\"properties\":[]}", "properties must be an object"},
			{"{\"anyOf\":{}}", "anyOf must be an array"},
			{"{\"items\":{\"type\":7}}", "is no type"},
			{"{\"$ref\":\"https://example.org/x\"}", "leads nowhere"},
			{"{\"properties\":{\"a\":{\"$ref\":\"#/$defs/b\"}}}", "leads nowhere"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cleanup_fail struct fail fail = {0};
		assert_false(json_schema_valid(wrong[i].schema, &fail));
		assert_int_equal(fail.code, EINVAL);
		if (strstr(fail_words(&fail), wrong[i].words) == NULL) {
			fail_msg("'%s' in '%s'", wrong[i].words, fail_words(&fail));
		}
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(json_schema_valid(cases[i].schema, NULL));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(what_fits_passes_and_what_does_not_is_named),
			cmocka_unit_test(a_schema_that_never_ends_is_refused),
			cmocka_unit_test(many_items_are_not_compared_for_ever),
			cmocka_unit_test(what_is_no_schema_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
