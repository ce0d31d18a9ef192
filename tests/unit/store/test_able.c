/* What a model can do and costs, as the tree of places has it for routing. */
#include "core/config/capability.h"
#include "core/store/database.h"
#include "tests/unit/store/fixture.h"

static bool can(uint32_t able, const char *name) {
	int number = capability_number(name);
	assert_true(number >= 0);
	return (able >> number & 1) != 0;
}

static void a_capability_follows_from_the_modalities(void **state) {
	(void)state;
	static const struct {
		const char *inputs, *outputs, *can, *cannot;
	} cases[] = {
			{"text", "text", "text-to-text", "image-to-text"},
			{"text,image", "text", "image-to-text", "text-to-image"},
			{"text", "image,text", "text-to-image", "image-to-image"},
			{"text", "speech", "text-to-audio", "text-to-text"},
			{"audio", "transcription", "audio-to-text", "text-to-text"},
			{"text", "embeddings", "text-to-embedding", "text-to-text"},
			{"text", "rerank", "text-to-rerank", "text-to-text"},
			{"", "", "text-to-text", "text-to-audio"},
			{"text , video", "video", "video-to-video", "image-to-video"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t able = capabilities_of(cases[i].inputs, cases[i].outputs);
		assert_true(can(able, cases[i].can));
		assert_false(can(able, cases[i].cannot));
	}
	assert_int_equal(capabilities_of("text", "moderation"), 0);
}

static void every_name_has_its_number(void **state) {
	(void)state;
	for (int i = 0; i < n_capabilities; i++) {
		assert_int_equal(capability_number(capability_name(i)), i);
	}
	assert_int_equal(capability_number("text-to-soup"), -1);
	assert_true(n_capabilities <= 31);
}

static void add_priced(struct refresh *refresh, const char *id, const char *outputs,
		const struct job_price *prices, size_t n) {
	struct job_model model = model_of(id);
	model.output_modalities = outputs;
	model.prices = prices;
	model.n_prices = n;
	refresh_add(refresh, &model);
}

static void fill(struct fixture *f, struct place *acme) {
	static const struct job_price both[] = {{"prompt", 1e-6}, {"completion", 2e-6}};
	static const struct job_price image[] = {{"image", 0.04}};
	static const struct job_price varies[] = {{"prompt", -1}};
	static const struct job_price nothing[] = {{"prompt", 0}, {"completion", 0}};
	struct refresh *refresh = refresh_begin(f->catalogue, acme);
	add(refresh, "chat:free");
	add_priced(refresh, "maker/chat", "text", both, 2);
	add_priced(refresh, "maker/paint", "image", image, 1);
	add_priced(refresh, "auto", "text", varies, 1);
	add_priced(refresh, "speech", "audio", nothing, 2);
	add_priced(refresh, "unstated", "text", NULL, 0);
	commit(f, refresh);
}

static void assert_filled(const struct place *acme) {
	struct place *top = (struct place *)acme;
	assert_int_equal(acme->n_able[capability_number("text-to-text")], 4);
	assert_int_equal(acme->n_able[capability_number("text-to-image")], 1);
	assert_int_equal(acme->n_able[capability_number("image-to-text")], 0);
	assert_true(can(at(top, "maker/paint")->able, "text-to-image"));
	assert_float_equal(at(top, "maker/chat")->price_prompt, 1e-6, 1e-12);
	assert_float_equal(at(top, "maker/chat")->price_completion, 2e-6, 1e-12);
	assert_true(at(top, "maker/chat")->priced);
	assert_true(isnan(at(top, "maker/paint")->price_prompt));
	assert_true(at(top, "maker/paint")->priced);
	assert_true(at(top, "auto")->price_prompt < 0);
	assert_true(at(top, "auto")->priced);
	assert_true(at(top, "speech")->price_prompt == 0);
	assert_false(at(top, "speech")->priced);
	assert_true(isnan(at(top, "unstated")->price_prompt));
	assert_false(at(top, "unstated")->priced);
}

static void a_provider_counts_what_its_models_can_do(void **state) {
	struct fixture *f = *state;
	struct place *acme = provider_of(f, "acme");
	fill(f, acme);
	assert_filled(acme);
	close_all(f);
	open_catalogue(f);
	acme = provider_of(f, "acme");
	assert_filled(acme);
	refresh_list(f, acme, "chat:free");
	assert_int_equal(acme->n_able[capability_number("text-to-text")], 1);
	assert_int_equal(acme->n_able[capability_number("text-to-image")], 0);
	assert_null(catalogue_root(f->catalogue)->n_able);
}

static void a_hidden_provider_that_returns_counts_anew(void **state) {
	struct fixture *f = *state;
	struct place *acme = provider_of(f, "acme");
	fill(f, acme);
	catalogue_hide(f->catalogue, acme);
	close_all(f);
	open_catalogue(f);
	assert_filled(provider_of(f, "acme"));
}

static void rows_of_an_older_version_are_completed(void **state) {
	struct fixture *f = *state;
	fill(f, provider_of(f, "acme"));
	close_all(f);
	run_sql(f, "UPDATE place SET able=NULL, price_prompt=NULL, price_completion=NULL, "
		   "priced=0");
	open_catalogue(f);
	assert_filled(provider_of(f, "acme"));
	close_all(f);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM place WHERE model=1 AND able IS NULL"),
			0);
	open_catalogue(f);
}

static void more_rows_than_one_transaction_takes_are_completed(void **state) {
	struct fixture *f = *state;
	struct place *acme = provider_of(f, "acme");
	struct refresh *refresh = refresh_begin(f->catalogue, acme);
	for (int i = 0; i < 450; i++) {
		char id[32];
		snprintf(id, sizeof(id), "m%d", i);
		add(refresh, id);
	}
	commit(f, refresh);
	close_all(f);
	run_sql(f, "UPDATE place SET able=NULL");
	open_catalogue(f);
	assert_int_equal(provider_of(f, "acme")->n_able[capability_number("text-to-text")], 450);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_catalogue, teardown)
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_capability_follows_from_the_modalities),
			cmocka_unit_test(every_name_has_its_number),
			TEST(a_provider_counts_what_its_models_can_do),
			TEST(a_hidden_provider_that_returns_counts_anew),
			TEST(rows_of_an_older_version_are_completed),
			TEST(more_rows_than_one_transaction_takes_are_completed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
