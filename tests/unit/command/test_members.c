/* The members of a JSON object, byte for byte as they are written. */
#include "core/base/buf.h"
#include "core/command/json_members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void add(void *data, const char *member, size_t size) {
	struct buf *out = data;
	buf_add(out, member, size);
	buf_add_byte(out, '|');
}

/* In memory of exactly its size, so that a sanitizer sees any read behind it. */
static void assert_members(const char *text, const char *members) {
	cleanup_buf struct buf out = {0};
	size_t size = strlen(text);
	char *exact = malloc(size + (size == 0));
	assert_non_null(exact);
	memcpy(exact, text, size);
	json_members(exact, size, add, &out);
	free(exact);
	assert_string_equal(buf_string(&out), members);
}

static void members_are_given_as_they_are_written(void **state) {
	(void)state;
	assert_members("{\"a\":1,\"b\":[1,2,{\"c\":3}],\"d\":\"x,}\"}",
			"\"a\":1|\"b\":[1,2,{\"c\":3}]|\"d\":\"x,}\"|");
	assert_members(" { \"a\" : 1 ,\n\t\"b\":{} } ", "\"a\" : 1|\"b\":{}|");
	assert_members("{\"a\":\"\\\"},{\\\\\",\"b\":2}", "\"a\":\"\\\"},{\\\\\"|\"b\":2|");
}

static void what_is_no_object_has_none(void **state) {
	(void)state;
	assert_members("", "");
	assert_members("[1,2]", "");
	assert_members("text", "");
	assert_members("{}", "");
	assert_members("{ }", "");
}

static void what_is_cut_ends_there(void **state) {
	(void)state;
	assert_members("{\"a\":1,\"b\":\"x", "\"a\":1|");
	assert_members("{\"a\":\"\\", "");
	assert_members("{", "");
	assert_members("{\"a\":1}}}", "\"a\":1|");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(members_are_given_as_they_are_written),
			cmocka_unit_test(what_is_no_object_has_none),
			cmocka_unit_test(what_is_cut_ends_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
