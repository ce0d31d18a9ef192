/* Amounts of money as text and as pico-USD. */
#include "core/base/usd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void amounts_are_read_exactly(void **state) {
	(void)state;
	static const struct {
		const char *text;
		int64_t pico;
	} good[] = {{"0", 0}, {"2", 2 * USD}, {"2.00", 2 * USD}, {".5", USD / 2}, {"1.", USD},
			{"0.000000000001", 1}, {"0.0000125", 12500000}, {"00012.5", 12500000000000},
			{"1e3", 1000 * USD}, {"1.25e-05", 12500000}, {"4E-05", 40000000},
			{"1e-99", 0}, {"1000000", USD_MOST}, {"999999.999999999999", USD_MOST - 1}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t pico = -1;
		assert_true(usd_parse(good[i].text, &pico));
		assert_true(pico == good[i].pico);
	}
}

static void what_isnt_an_amount_is_refused(void **state) {
	(void)state;
	static const char *const bad[] = {"", ".", "-1", "+1", "0x10", " 1", "1 ", "1,5", "$1",
			"1.2.3", "1000000.000000000001", "1000001", "99999999999999999999999",
			"0.0000000000001", "nan", "e3", "1e", "1e+", "1e7", "1e3.5", "1e-3x",
			"1000000000000000000000"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t pico = 77;
		assert_false(usd_parse(bad[i], &pico));
		assert_int_equal(pico, 77);
	}
}

static void amounts_are_shown_as_plain_decimals(void **state) {
	(void)state;
	static const struct {
		int64_t pico;
		const char *text;
	} shown[] = {{0, "0"}, {1, "0.000000000001"}, {340000, "0.00000034"}, {USD, "1"},
			{USD * 25 / 10, "2.5"}, {USD * 10, "10"},
			{INT64_MAX, "9223372.036854775807"}};
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		cleanup_buf struct buf out = {0};
		assert_true(usd_add(&out, shown[i].pico));
		assert_string_equal(buf_string(&out), shown[i].text);
	}
}

static void doubles_become_amounts_or_unknown(void **state) {
	(void)state;
	assert_true(usd_from(0.0000125) == 12500000);
	assert_true(usd_from(1e6) == USD_MOST);
	assert_true(usd_from(-1) == -1 && usd_from(NAN) == -1 && usd_from(INFINITY) == -1);
	assert_true(usd_from(1e7) == -1 && usd_from(-0.0) == 0);
	assert_true(usd_from(1.2e-12) == 1 && usd_from_up(1.2e-12) == 2);
}

static void sums_stop_at_the_top_and_unknown_ones_count_nothing(void **state) {
	(void)state;
	assert_true(usd_sum(1, 2) == 3);
	assert_true(usd_sum(-1, 2) == 2);
	assert_true(usd_sum(INT64_MAX, 1) == INT64_MAX);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(amounts_are_read_exactly),
			cmocka_unit_test(what_isnt_an_amount_is_refused),
			cmocka_unit_test(amounts_are_shown_as_plain_decimals),
			cmocka_unit_test(doubles_become_amounts_or_unknown),
			cmocka_unit_test(sums_stop_at_the_top_and_unknown_ones_count_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
