/* Bodies: what is sent equals what the parts say, in pieces of any size, in constant memory. */
#include "tests/unit/transfer/harness.h"

#include "core/base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static char path[] = "/tmp/transfer-body-XXXXXX";

static int make_file(void **state) {
	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int remove_file(void **state) {
	(void)state;
	return unlink(path);
}

static void write_file(const void *bytes, size_t size) {
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

/* Reads all, in pieces of `piece` bytes. */
static void read_all(struct body_reader *reader, size_t piece, struct buf *ret) {
	char bytes[8192];
	assert_true(piece <= sizeof(bytes));
	ssize_t n;
	buf_clear(ret);
	while ((n = body_reader_read(reader, bytes, piece)) > 0) {
		assert_true(buf_add(ret, bytes, (size_t)n));
	}
	assert_int_equal(n, 0);
}

/* One file part of `kind` gives `expected`, whatever the size of the pieces. */
static void assert_part_is(struct body_part *part, const void *expected, size_t size) {
	struct body body = {.parts = part, .n_parts = 1};
	cleanup_fail struct fail fail = {0};
	struct body_reader *reader = body_reader_create(&body, &fail);
	assert_non_null(reader);
	assert_int_equal(body_reader_length(reader), size);
	static const size_t pieces[] = {8192, 4096, 1000, 7, 1};
	for (size_t i = 0; i < 5; i++) {
		cleanup_buf struct buf got = {0};
		read_all(reader, pieces[i], &got);
		assert_int_equal(got.size, size);
		assert_memory_equal(buf_string(&got), expected, size);
		assert_true(body_reader_rewind(reader));
	}
	body_reader_destroy(reader);
}

static void assert_part(enum body_kind kind, uint64_t drop, const void *expected, size_t size) {
	struct body_part part = {.kind = kind, .path = path, .drop = drop};
	assert_part_is(&part, expected, size);
}

static void literals_and_files_follow_one_another_in_order(void **state) {
	(void)state;
	write_file("file", 4);
	struct body_part parts[] = {{.kind = BODY_LITERAL, .bytes = "a", .size = 1},
			{.kind = BODY_FILE, .path = path}, {.kind = BODY_LITERAL, .size = 0},
			{.kind = BODY_FILE_BASE64, .path = path},
			{.kind = BODY_FILE_JSON, .path = path, .drop = 1},
			{.kind = BODY_LITERAL, .bytes = "\0z", .size = 2}};
	struct body body = {.parts = parts, .n_parts = 6};
	struct body_reader *reader = body_reader_create(&body, NULL);
	assert_non_null(reader);
	cleanup_buf struct buf got = {0};
	read_all(reader, 3, &got);
	assert_int_equal(got.size, 1 + 4 + 8 + 3 + 2);
	assert_memory_equal(got.data, "afileZmlsZQ==fil\0z", 18);
	assert_int_equal(body_reader_length(reader), 18);
	body_reader_destroy(reader);
}

static void base64_is_padded_only_at_the_end(void **state) {
	(void)state;
	static const char *const texts[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
	static const char *const codes[] = {
			"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
	for (size_t i = 0; i < 7; i++) {
		write_file(texts[i], strlen(texts[i]));
		assert_part(BODY_FILE_BASE64, 0, codes[i], strlen(codes[i]));
	}
	/* Longer than what is encoded at a time: 3 * 'M' is "TU1N". */
	static char many[30001], code[40004];
	memset(many, 'M', sizeof(many));
	for (size_t i = 0; i < 40000; i += 4) {
		memcpy(code + i, "TU1N", 4);
	}
	memcpy(code + 40000, "TQ==", 4);
	write_file(many, sizeof(many));
	assert_part(BODY_FILE_BASE64, 0, code, sizeof(code));
}

/* Around the size of a piece each offset of each odd sequence is tried. */
static void json_is_escaped_as_if_the_text_were_whole(void **state) {
	(void)state;
	static const char *const odd[] = {"\xf0\x9f\x98\x80", "\xe2\x82\xac", "\xc3\xa9",
			"\xf0\x9f\x98", "\xf0\x9f", "\xe2\x82", "\xc3", "\xc3\xc3\xa9",
			"\xf0\xe2\x82\xac", "\x80\x80\x80\x80\x80", "\xed\xa0\x80",
			"\xf4\x90\x80\x80", "\"\\\n\t\x01\x7f", "\xff\xfe"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		for (size_t before = 6144 - 6; before <= 6144 + 1; before++) {
			cleanup_buf struct buf text = {0};
			cleanup_buf struct buf whole = {0};
			while (text.size < before) {
				buf_add_byte(&text, 'x');
			}
			buf_add_string(&text, odd[i]);
			buf_add_string(&text, i % 2 == 0 ? "tail" : "");
			write_file(text.data, text.size);
			json_escape(&whole, text.data, text.size);
			assert_part(BODY_FILE_JSON, 0, whole.data, whole.size);
		}
	}
}

static void the_dropped_end_of_a_file_is_not_sent(void **state) {
	(void)state;
	write_file("hello\n", 6);
	assert_part(BODY_FILE, 1, "hello", 5);
	assert_part(BODY_FILE_BASE64, 1, "aGVsbG8=", 8);
	assert_part(BODY_FILE_JSON, 1, "hello", 5);
	assert_part(BODY_FILE_JSON, 6, "", 0);
	assert_part(BODY_FILE, 100, "", 0);
}

static void a_piece_out_of_the_middle_of_a_file_is_sent(void **state) {
	(void)state;
	static const char *const expected[] = {"ell", "ZWxs", "ell"};
	static const enum body_kind kinds[] = {BODY_FILE, BODY_FILE_BASE64, BODY_FILE_JSON};
	write_file("hello\n", 6);
	for (size_t i = 0; i < 3; i++) {
		struct body_part part = {.kind = kinds[i], .path = path, .skip = 1, .drop = 2};
		assert_part_is(&part, expected[i], strlen(expected[i]));
		struct body_part none = {.kind = kinds[i], .path = path, .skip = 4, .drop = 2};
		assert_part_is(&none, "", 0);
		struct body_part beyond = {.kind = kinds[i], .path = path, .skip = 100};
		assert_part_is(&beyond, "", 0);
	}
}

static void a_file_that_shrank_is_an_error_and_one_that_grew_is_cut(void **state) {
	(void)state;
	static const enum body_kind kinds[] = {BODY_FILE, BODY_FILE_BASE64, BODY_FILE_JSON};
	for (size_t i = 0; i < 3; i++) {
		write_file("0123456789", 10);
		struct body_part part = {.kind = kinds[i], .path = path};
		struct body body = {.parts = &part, .n_parts = 1};
		char bytes[64];
		struct body_reader *reader = body_reader_create(&body, NULL);
		write_file("0123456789abc", 13);
		assert_int_equal(body_reader_read(reader, bytes, 64), body_reader_length(reader));
		body_reader_rewind(reader);
		write_file("0123", 4);
		assert_int_equal(body_reader_read(reader, bytes, 64), -1);
		assert_int_equal(errno, EIO);
		body_reader_destroy(reader);
	}
}

static void a_text_that_changed_after_it_was_measured_is_an_error(void **state) {
	(void)state;
	static const char *const changes[] = {"012345678\n", "\n\n\n\n\n\n\n\n\n\n"};
	for (size_t i = 0; i < 2; i++) {
		write_file(i == 0 ? "01234567\n\n" : "0123456789", 10);
		struct body_part part = {.kind = BODY_FILE_JSON, .path = path};
		struct body body = {.parts = &part, .n_parts = 1};
		char bytes[64];
		struct body_reader *reader = body_reader_create(&body, NULL);
		write_file(changes[i], 10);
		errno = 0;
		assert_int_equal(body_reader_read(reader, bytes, 64), -1);
		assert_int_equal(errno, EIO);
		body_reader_destroy(reader);
	}
}

static void a_file_that_cannot_be_read_is_named(void **state) {
	(void)state;
	struct body_part part = {.kind = BODY_FILE, .path = "/nonexistent/prompt"};
	struct body body = {.parts = &part, .n_parts = 1};
	cleanup_fail struct fail fail = {0};
	assert_null(body_reader_create(&body, &fail));
	assert_int_equal(fail.code, ENOENT);
	assert_contains(fail.words, "/nonexistent/prompt");
	part.path = "/dev/zero";
	assert_null(body_reader_create(&body, &fail));
	assert_int_equal(fail.code, EINVAL);
}

static void a_fifo_in_a_files_place_does_not_hold_the_loop(void **state) {
	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	struct body_part part = {.kind = BODY_FILE_JSON, .path = path};
	struct body body = {.parts = &part, .n_parts = 1};
	assert_null(body_reader_create(&body, NULL));
}

static void a_long_text_is_measured_in_slices(void **state) {
	(void)state;
	static char text[1 << 20];
	memset(text, '\n', sizeof(text));
	write_file(text, sizeof(text));
	struct body_part part = {.kind = BODY_FILE_JSON, .path = path};
	struct body body = {.parts = &part, .n_parts = 1};
	struct body_reader *reader = body_reader_open(&body, NULL);
	unsigned slices = 1;
	enum body_measured measured;
	while ((measured = body_reader_measure(reader, 100000, NULL)) == BODY_MEASURE_MORE) {
		slices++;
	}
	assert_int_equal(measured, BODY_MEASURED);
	assert_in_range(slices, 9, 12);
	assert_int_equal(body_reader_length(reader), 2 << 20);
	body_reader_destroy(reader);
}

static void a_file_of_16_gib_has_its_length_at_once(void **state) {
	(void)state;
	uint64_t size = (uint64_t)16 << 30;
	assert_int_equal(truncate(path, (off_t)size), 0);
	struct body_part parts[] = {{.kind = BODY_FILE_BASE64, .path = path},
			{.kind = BODY_FILE, .path = path, .drop = 1}};
	struct body body = {.parts = parts, .n_parts = 2};
	struct body_reader *reader = body_reader_create(&body, NULL);
	assert_non_null(reader);
	assert_int_equal(body_reader_length(reader), (size + 2) / 3 * 4 + size - 1);
	body_reader_destroy(reader);
}

static void a_copy_owns_everything(void **state) {
	(void)state;
	struct body_part parts[] = {{.kind = BODY_LITERAL, .bytes = strdup("abc"), .size = 3},
			{.kind = BODY_FILE, .path = strdup(path), .drop = 2}};
	struct body body = {.parts = parts, .n_parts = 2}, copy;
	assert_true(body_copy(&copy, &body));
	free(parts[0].bytes);
	free(parts[1].path);
	assert_int_equal(copy.n_parts, 2);
	assert_memory_equal(copy.parts[0].bytes, "abc", 3);
	assert_string_equal(copy.parts[1].path, path);
	assert_int_equal(copy.parts[1].drop, 2);
	body_finish(&copy);
	assert_null(copy.parts);
}

#define body_test(name) cmocka_unit_test_setup_teardown(name, make_file, remove_file)

int main(void) {
	const struct CMUnitTest tests[] = {
			body_test(literals_and_files_follow_one_another_in_order),
			body_test(base64_is_padded_only_at_the_end),
			body_test(json_is_escaped_as_if_the_text_were_whole),
			body_test(the_dropped_end_of_a_file_is_not_sent),
			body_test(a_piece_out_of_the_middle_of_a_file_is_sent),
			body_test(a_file_that_shrank_is_an_error_and_one_that_grew_is_cut),
			body_test(a_text_that_changed_after_it_was_measured_is_an_error),
			body_test(a_file_that_cannot_be_read_is_named),
			body_test(a_fifo_in_a_files_place_does_not_hold_the_loop),
			body_test(a_long_text_is_measured_in_slices),
			body_test(a_file_of_16_gib_has_its_length_at_once),
			body_test(a_copy_owns_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
