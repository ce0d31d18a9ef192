/* What pictures cost that have a price each: in what is reserved and in what is computed. */
#include "core/engine/money/estimate.h"

#include "core/config/settings.h"
#include "core/engine/attach/media.h"
#include "core/engine/load/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define CENT INT64_C(10000000000)
#define PRICES(...)                                                                                \
	.prices = (struct model_price[]){__VA_ARGS__},                                             \
	.n_prices = sizeof((struct model_price[]){__VA_ARGS__}) / sizeof(struct model_price)

static const struct model_record painter = {
		.input_modalities = "text,image",
		.output_modalities = "image",
		PRICES({"image", 0.04}),
};
/* As OpenRouter lists it. */
static const struct model_record redrawer = {
		.input_modalities = "text,image",
		.output_modalities = "image",
		PRICES({"prompt", 0}, {"completion", 0}, {"image", 0.03},
				{"image_output", 0.00001}),
};
static const struct model_record seer = {
		.input_modalities = "text,image",
		.output_modalities = "text",
		PRICES({"prompt", 0}, {"completion", 0}, {"image", 0.02}),
};

static const char **settings_of(const char *name, const char *value) {
	const char **settings = calloc(n_setting_specs, sizeof(*settings));
	assert_non_null(settings);
	if (name != NULL) {
		settings[setting_find(name)] = value;
	}
	return settings;
}

/* What is reserved for a short prompt with so many pictures. */
static int64_t reserved(const struct model_record *record, size_t images, const char *name,
		const char *value) {
	const struct provider provider = {0};
	struct input_size size = {.bytes = 10, .messages = 1};
	struct estimate estimate;
	cleanup_free const char **settings = settings_of(name, value);
	for (size_t i = 0; i < images; i++) {
		input_add(&size, MEDIA_IMAGE, 1000);
	}
	estimate_turn(&provider, record, settings, &size, INT64_MAX, &estimate);
	return estimate.cost_most;
}

static int64_t computed(const struct model_record *record, int64_t images) {
	const struct provider provider = {0};
	struct price price = price_of(&provider, record, -1, false);
	price_add_images(&price, 0, images);
	return price_cost(&price, -1, -1);
}

static void each_picture_that_is_asked_for_is_reserved(void **state) {
	(void)state;
	assert_int_equal(reserved(&painter, 0, NULL, NULL), 4 * CENT);
	assert_int_equal(reserved(&painter, 0, "n", "3"), 12 * CENT);
	assert_int_equal(reserved(&painter, 0, "extra", "{\"n\": 5}"), 20 * CENT);
}

static void each_picture_that_goes_in_is_reserved(void **state) {
	(void)state;
	assert_int_equal(reserved(&seer, 0, NULL, NULL), 0);
	assert_int_equal(reserved(&seer, 2, NULL, NULL), 4 * CENT);
	int64_t without = reserved(&redrawer, 0, NULL, NULL);
	assert_true(without > 0);
	assert_int_equal(reserved(&redrawer, 2, NULL, NULL), without + 6 * CENT);
}

static void pictures_made_are_computed_without_tokens(void **state) {
	(void)state;
	assert_int_equal(computed(&painter, 1), 4 * CENT);
	assert_int_equal(computed(&painter, 3), 12 * CENT);
}

static void where_tokens_have_prices_the_one_of_a_picture_is_not_of_those_made(void **state) {
	(void)state;
	assert_int_equal(computed(&redrawer, 1), -1);
}

static void a_picture_makes_a_turn_that_isnt_free(void **state) {
	(void)state;
	const struct provider provider = {0};
	const struct model_record *records[] = {&painter, &seer};
	for (size_t i = 0; i < 2; i++) {
		struct price price = price_of(&provider, records[i], 0, true);
		assert_true(price.known);
		assert_false(price_is_zero(&price));
	}
}

static void what_is_of_this_machine_and_states_no_price_but_0_costs_nothing(void **state) {
	(void)state;
	const struct model_record speaker = {.input_modalities = "text",
			.output_modalities = "audio",
			PRICES({"prompt", 0}, {"completion", 0})};
	struct version version = {.local = true, .manifest.local = true};
	struct version relay = {.local = true};
	const struct provider here = {.version = &version}, through = {.version = &relay};
	const struct provider elsewhere = {0};
	struct price price = price_of(&here, &speaker, 10, true);
	assert_true(price_is_zero(&price));
	price = price_of(&elsewhere, &speaker, 10, true);
	assert_false(price_is_zero(&price));
	price = price_of(&through, &speaker, 10, true);
	assert_false(price_is_zero(&price));
	price = price_of(&here, &redrawer, 10, true);
	assert_false(price_is_zero(&price));
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_picture_that_is_asked_for_is_reserved),
			cmocka_unit_test(each_picture_that_goes_in_is_reserved),
			cmocka_unit_test(pictures_made_are_computed_without_tokens),
			cmocka_unit_test(
					where_tokens_have_prices_the_one_of_a_picture_is_not_of_those_made),
			cmocka_unit_test(a_picture_makes_a_turn_that_isnt_free),
			cmocka_unit_test(
					what_is_of_this_machine_and_states_no_price_but_0_costs_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
