/* Components of model ids as file names. */
#include "tests/unit/store/fixture.h"

#include "core/base/siphash.h"
#include "core/base/text.h"

static void assert_encodes(const char *component, size_t size, const char *expected) {
	cleanup_buf struct buf name = {0};
	cleanup_buf struct buf back = {0};
	assert_true(place_encode(component, size, &name));
	assert_string_equal(buf_string(&name), expected);
	assert_true(place_decode(name.data, &back));
	assert_int_equal(back.size, size);
	assert_memory_equal(buf_string(&back), component, size);
}

#define ENCODES(component, expected) assert_encodes(component, sizeof(component) - 1, expected)

static void ordinary_components_stay_as_they_are(void **state) {
	(void)state;
	ENCODES("llama-3.1-8b-instruct:free", "llama-3.1-8b-instruct:free");
	ENCODES("~openai", "~openai");
	ENCODES("a b", "a b");
	ENCODES("\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9");
	ENCODES("100%", "100%");
	ENCODES("...", "...");
	ENCODES("inputs", "inputs");
	ENCODES("Input", "Input");
}

static void what_would_mislead_is_encoded(void **state) {
	(void)state;
	ENCODES("", "%");
	ENCODES("%", "%25");
	ENCODES(".", "%2E");
	ENCODES("..", "%2E.");
	ENCODES("input", "%69nput");
	ENCODES("messages.json", "%6Dessages.json");
	ENCODES("%41", "%2541");
	ENCODES("%4a", "%254a");
	ENCODES("%~", "%25~");
	ENCODES("%69nput", "%2569nput");
	ENCODES("a/b", "a%2Fb");
	ENCODES("a\nb", "a%0Ab");
	ENCODES("\x7f", "%7F");
	ENCODES("\0", "%00");
	ENCODES("%4\x01", "%4%01");
	ENCODES("\xc0\xaf", "%C0%AF"); /* overlong '/' */
	ENCODES("\xe0\x80\xae", "%E0%80%AE"); /* overlong '.' */
	ENCODES("\xed\xa0\x80", "%ED%A0%80"); /* a surrogate */
	ENCODES("\xc2\x9b[2J", "%C2%9B[2J"); /* C1: CSI */
	ENCODES("\xe2\x82", "%E2%82"); /* cut short */
}

static void every_reserved_name_is_encoded_and_comes_back(void **state) {
	(void)state;
	static const char *const names[] = {"input", "output", "prompt", "status", "usage", "error",
			"rpc", "ctl", "estimate", "info", "config", "attach", "turns", "sessions",
			"route", "models", "messages.json", "transcript.md", "artifacts", "budget",
			"reasoning"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cleanup_buf struct buf name = {0};
		cleanup_buf struct buf back = {0};
		assert_true(place_reserved(names[i]));
		assert_true(place_encode(names[i], strlen(names[i]), &name));
		assert_false(place_reserved(name.data));
		assert_true(place_decode(name.data, &back));
		assert_string_equal(back.data, names[i]);
	}
	assert_false(place_reserved("llama"));
}

static void every_byte_alone_comes_back(void **state) {
	(void)state;
	for (int i = 0; i < 256; i++) {
		char byte = (char)i;
		cleanup_buf struct buf name = {0};
		cleanup_buf struct buf back = {0};
		assert_true(place_encode(&byte, 1, &name));
		assert_null(strchr(name.data, '/'));
		assert_true(utf8_valid(name.data, name.size));
		assert_int_equal(strlen(name.data), name.size);
		assert_true(place_decode(name.data, &back));
		assert_int_equal(back.size, 1);
		assert_int_equal(back.data[0], byte);
	}
}

static void a_long_component_is_cut_to_255_bytes_and_keeps_its_difference(void **state) {
	(void)state;
	for (size_t size = 250; size < 1023; size += 7) {
		char one[1024], two[1024];
		memset(one, size % 2 != 0 ? 'a' : 0x01, size);
		memcpy(two, one, size);
		two[size - 1] = 'b';
		cleanup_buf struct buf first = {0};
		cleanup_buf struct buf second = {0};
		cleanup_buf struct buf back = {0};
		assert_true(place_encode(one, size, &first));
		assert_true(place_encode(two, size, &second));
		assert_true(first.size <= 255 && second.size <= 255);
		assert_string_not_equal(first.data, second.data);
		bool cut = strstr(first.data, "%~") != NULL;
		assert_int_equal(cut, size % 2 == 0 || size > 255);
		assert_int_equal(place_decode(first.data, &back), !cut);
	}
}

static void a_cut_never_goes_through_a_character(void **state) {
	(void)state;
	char component[900];
	for (size_t i = 0; i + 3 <= sizeof(component); i += 3) {
		memcpy(component + i, "\xe2\x82\xac", 3);
	}
	for (size_t skip = 0; skip < 3; skip++) {
		cleanup_buf struct buf name = {0};
		component[0] = component[1] = component[2] = 'x';
		assert_true(place_encode(component + skip, sizeof(component) - skip, &name));
		assert_true(utf8_valid(name.data, name.size));
		assert_true(name.size <= 255);
	}
}

static void names_that_are_never_made_are_not_decoded(void **state) {
	(void)state;
	static const char *const wrong[] = {"", "input", ".", "..", "%41", "%2f", "%2e", "a/b",
			"a\n", "\xff", "x%~00000000000000000000000000000000", "%25x", "%2525"};
	for (size_t i = 0; i + 1 < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cleanup_buf struct buf out = {0};
		assert_false(place_decode(wrong[i], &out));
		assert_int_equal(out.size, 0);
	}
	cleanup_buf struct buf out = {0};
	assert_true(place_decode("%2525", &out));
	assert_string_equal(out.data, "%25");
}

/* Short components of the bytes that matter, where an ambiguity would show at once. */
static size_t random_component(unsigned *seed, char *ret) {
	static const char bytes[] = "%%%~%024aAeE5fF/.\x01\xc3\xa9\xff i";
	size_t size = (size_t)rand_r(seed) % 7;
	for (size_t i = 0; i < size; i++) {
		ret[i] = bytes[(size_t)rand_r(seed) % (sizeof(bytes) - 1)];
	}
	return size;
}

static void different_components_never_share_a_name(void **state) {
	(void)state;
	unsigned seed = 20240607;
	for (int i = 0; i < 200000; i++) {
		char one[8], two[8];
		size_t one_size = random_component(&seed, one);
		size_t two_size = random_component(&seed, two);
		cleanup_buf struct buf first = {0};
		cleanup_buf struct buf second = {0};
		cleanup_buf struct buf back = {0};
		assert_true(place_encode(one, one_size, &first));
		assert_true(place_encode(two, two_size, &second));
		bool same = one_size == two_size && memcmp(one, two, one_size) == 0;
		assert_int_equal(strcmp(first.data, second.data) == 0, same);
		assert_true(place_decode(first.data, &back));
		assert_int_equal(back.size, one_size);
		assert_memory_equal(buf_string(&back), one, one_size);
	}
}

static void siphash_gives_its_authors_test_value(void **state) {
	(void)state;
	const struct siphash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	unsigned char in[15];
	for (unsigned i = 0; i < sizeof(in); i++) {
		in[i] = (unsigned char)i;
	}
	assert_true(siphash(key, in, sizeof(in)) == 0xa129ca6149be45e5);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(ordinary_components_stay_as_they_are),
			cmocka_unit_test(what_would_mislead_is_encoded),
			cmocka_unit_test(every_reserved_name_is_encoded_and_comes_back),
			cmocka_unit_test(every_byte_alone_comes_back),
			cmocka_unit_test(
					a_long_component_is_cut_to_255_bytes_and_keeps_its_difference),
			cmocka_unit_test(a_cut_never_goes_through_a_character),
			cmocka_unit_test(names_that_are_never_made_are_not_decoded),
			cmocka_unit_test(different_components_never_share_a_name),
			cmocka_unit_test(siphash_gives_its_authors_test_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
