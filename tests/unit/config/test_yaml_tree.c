/* The YAML reader: what it gives, and the bounds that a stranger's file meets. */
#include "core/config/yaml/yaml_tree.h"

#include "tests/unit/config/scratch.h"

#include <errno.h>
#include <time.h>

static char words[40000];

/* Parses, keeps the faults' words, and frees the tree; true without faults. */
static bool accepted(const char *text, size_t size) {
	struct faults faults = {.file = "f.yml"};
	struct fail fail = {0};
	struct yaml_node *root = yaml_tree_parse(text, size, &faults);
	bool ok = faults_report(&faults, &fail);
	snprintf(words, sizeof(words), "%s", ok ? "" : fail_words(&fail));
	assert_true(ok || root == NULL);
	yaml_tree_destroy(root);
	fail_finish(&fail);
	faults_finish(&faults);
	return ok;
}

static bool accepted_text(const char *text) {
	return accepted(text, strlen(text));
}

static void a_tree_holds_maps_lists_and_scalars_with_their_lines(void **state) {
	(void)state;
	const char text[] = "# first\na: 1\nb:\n  - x\n  - 'y'\nc: {d: ~}\n";
	struct faults faults = {.file = "f.yml"};
	struct yaml_node *root = yaml_tree_parse(text, strlen(text), &faults);
	assert_non_null(root);
	assert_int_equal(faults.n, 0);
	const struct yaml_node *a = yaml_tree_get(root, "a"), *b = yaml_tree_get(root, "b");
	assert_int_equal(a->line, 2);
	assert_string_equal(a->text, "1");
	assert_int_equal(b->line, 3);
	assert_int_equal(b->kind, YAML_KIND_LIST);
	assert_int_equal(b->first->line, 4);
	assert_true(b->first->plain);
	assert_false(b->first->next->plain);
	assert_true(yaml_node_is_null(yaml_tree_get(yaml_tree_get(root, "c"), "d")));
	assert_null(yaml_tree_get(root, "d"));
	yaml_tree_destroy(root);
}

static void an_empty_file_is_no_tree_and_no_fault(void **state) {
	(void)state;
	const char *const texts[] = {"", "\n", "# only words\n", "\xef\xbb\xbf"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct faults faults = {.file = "f.yml"};
		assert_null(yaml_tree_parse(texts[i], strlen(texts[i]), &faults));
		assert_int_equal(faults.n, 0);
	}
}

static void an_alias_bomb_is_refused_at_its_first_anchor(void **state) {
	(void)state;
	assert_false(accepted_text("x: 1\na: &a [l, l]\nb: [*a, *a]\n"));
	assert_contains(words, "f.yml:2: anchors");
	assert_false(accepted_text("a: *a\n"));
	assert_contains(words, "f.yml:1: anchors");
}

static void nesting_is_bounded(void **state) {
	(void)state;
	enum { DEEP = 500000 };
	char *text = malloc(DEEP);
	assert_non_null(text);
	memset(text, '[', DEEP);
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_false(accepted(text, DEEP));
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_contains(words, "nested too deeply");
	assert_true(to.tv_sec - from.tv_sec < 10);
	free(text);
	assert_true(accepted_text(
			"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"));
	assert_false(accepted_text(
			"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"));
}

static void the_number_of_values_is_bounded(void **state) {
	(void)state;
	struct buf text = {0};
	for (int i = 0; i < YAML_NODES_MOST - 1; i++) {
		buf_add_format(&text, "k%d: 1\n", i);
	}
	assert_true(accepted(text.data, text.size));
	buf_add_string(&text, "more: 1\n");
	assert_false(accepted(text.data, text.size));
	assert_contains(words, "f.yml:10000: too many values");
	buf_finish(&text);
}

static void a_file_above_one_mebibyte_is_refused(void **state) {
	(void)state;
	char *text = malloc(YAML_BYTES_MOST + 1);
	assert_non_null(text);
	memset(text, '#', YAML_BYTES_MOST + 1);
	assert_true(accepted(text, YAML_BYTES_MOST));
	assert_false(accepted(text, YAML_BYTES_MOST + 1));
	const char *path = scratch_write_bytes("big.yml", text, YAML_BYTES_MOST + 1);
	struct faults faults = {.file = path};
	struct fail fail = {0};
	struct yaml_node *root = NULL;
	assert_false(yaml_tree_read(path, &faults, &root, &fail));
	assert_int_equal(fail.code, EFBIG);
	fail_finish(&fail);
	free(text);
}

static void a_name_given_twice_is_refused_with_both_lines(void **state) {
	(void)state;
	assert_false(accepted_text("a: 1\nb: 2\na: 3\n"));
	assert_contains(words, "f.yml:3: 'a' stands here twice, first on line 1");
}

/* A bomb of any kind is refused within what a small file takes. */
static void assert_quick(const char *what, char *text, size_t size) {
	struct timespec from, to;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	accepted(text, size);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	double seconds = (double)(to.tv_sec - from.tv_sec) +
			 (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	if (seconds > 2) {
		fail_msg("%s took %g s", what, seconds);
	}
}

static void bombs_are_refused_quickly(void **state) {
	(void)state;
	static const char *const units[] = {"[", "{a: ", "- ", "? ", "a: {", "&a [", "!!str ", "| ",
			"\"", "%X\n", "---\n", "- - -\n", "a:\n", "[{", ": ", "\t", "#"};
	char *text = malloc(YAML_BYTES_MOST);
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t length = strlen(units[i]);
		for (size_t at = 0; at < YAML_BYTES_MOST; at++) {
			text[at] = units[i][at % length];
		}
		assert_quick(units[i], text, YAML_BYTES_MOST);
	}
	size_t size = 0;
	for (unsigned i = 0; i < 100000 && size < YAML_BYTES_MOST - 16; i++) {
		size += (size_t)sprintf(text + size, "%05u:\n", i);
	}
	assert_quick("100,000 names", text, size);
	size = 0;
	for (int depth = 0; size < YAML_BYTES_MOST - 1000; depth++) {
		size += (size_t)sprintf(text + size, "%*sa:\n", depth % 900, "");
	}
	assert_quick("a staircase", text, size);
	free(text);
}

static void a_second_document_is_refused(void **state) {
	(void)state;
	assert_false(accepted_text("a: 1\n---\nb: 2\n"));
	assert_contains(words, "f.yml:2: a second document");
}

static void what_is_not_yaml_is_refused_with_its_line(void **state) {
	(void)state;
	assert_false(accepted_text("a: 1\nb: [1\nc: 2\n"));
	assert_contains(words, "f.yml:3: not YAML");
	assert_false(accepted_text("a: \xff\xfe\n"));
	assert_contains(words, "not YAML");
	assert_false(accepted("a: \0b\n", 6));
	assert_contains(words, "not YAML");
	assert_false(accepted_text("a: \"x\\0y\"\n"));
	assert_contains(words, "f.yml:1: a value holds a NUL byte");
	assert_false(accepted_text("? [a, b]\n: 1\n"));
	assert_contains(words, "a name must be plain text");
}

static void words_hold_no_control_bytes(void **state) {
	(void)state;
	assert_false(accepted_text("\"a\\e[2J\": 1\n\"a\\e[2J\": 1\n"));
	assert_contains(words, "'a?[2J' stands here twice");
}

static void every_cut_of_a_file_ends_well(void **state) {
	(void)state;
	const char text[] =
			"a: {b: [1, 'two', \"th\\u00e9\"], c: |\n  lines\n  more\n}\nd: >-\n  e\n";
	for (size_t size = 0; size < sizeof(text); size++) {
		accepted(text, size);
	}
}

static void a_tree_becomes_json(void **state) {
	(void)state;
	const char text[] = "a: [1, -2.5e3, 01, .5, 0x1, 18446744073709551616]\n"
			    "b: {t: true, f: FALSE, n: , q: 'true', y: yes}\n"
			    "c: \"quote \\\" and \\n\"\nd: []\ne: {}\n";
	struct faults faults = {.file = "f.yml"};
	struct buf json = {0};
	struct yaml_node *root = yaml_tree_parse(text, strlen(text), &faults);
	assert_non_null(root);
	assert_true(yaml_tree_json(root, &json));
	assert_string_equal(json.data,
			"{\"a\":[1,-2.5e3,\"01\",\".5\",\"0x1\",18446744073709551616],"
			"\"b\":{\"t\":true,\"f\":false,\"n\":null,\"q\":\"true\",\"y\":\"yes\"},"
			"\"c\":\"quote \\\" and \\n\",\"d\":[],\"e\":{}}");
	buf_finish(&json);
	yaml_tree_destroy(root);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_tree_holds_maps_lists_and_scalars_with_their_lines),
			cmocka_unit_test(an_empty_file_is_no_tree_and_no_fault),
			cmocka_unit_test(an_alias_bomb_is_refused_at_its_first_anchor),
			cmocka_unit_test(nesting_is_bounded),
			cmocka_unit_test(the_number_of_values_is_bounded),
			with_scratch(a_file_above_one_mebibyte_is_refused),
			cmocka_unit_test(a_name_given_twice_is_refused_with_both_lines),
			cmocka_unit_test(bombs_are_refused_quickly),
			cmocka_unit_test(a_second_document_is_refused),
			cmocka_unit_test(what_is_not_yaml_is_refused_with_its_line),
			cmocka_unit_test(words_hold_no_control_bytes),
			cmocka_unit_test(every_cut_of_a_file_ends_well),
			cmocka_unit_test(a_tree_becomes_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
