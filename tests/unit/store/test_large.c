/* A hundred thousand models: the counts must be right; the times are printed, not judged. */
#include "tests/unit/store/fixture.h"

#include <malloc.h>

static size_t heap(void) {
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void add_many(struct fixture *f, struct place *provider, int n, const char *format) {
	char id[64];
	static const char raw[] = "{\"id\":\"something\",\"tags\":[\"text-generation\"]}";
	double worst = 0, start = seconds_now();
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof(id), format, i % 5000, i);
		struct job_model model = model_of(id);
		model.raw = raw;
		model.raw_size = sizeof(raw) - 1;
		double before = seconds_now();
		refresh_add(refresh, &model);
		double took = seconds_now() - before;
		worst = took > worst ? took : worst;
		if (i % 25 == 24) {
			f->n_heard = 0;
			uv_run(&f->loop, UV_RUN_NOWAIT);
		}
	}
	f->n_heard = 0;
	commit(f, refresh);
	print_message("  %d added in %.0f ms, the longest %.1f ms\n", n,
			(seconds_now() - start) * 1e3, worst * 1e3);
}

static void measure(struct fixture *f, int n, const char *format) {
	struct place *provider = provider_of(f, "large");
	print_message("%d models as %s\n", n, format);
	add_many(f, provider, n, format);
	assert_int_equal(f->came, n);
	assert_int_equal(provider->n_models, n);
	add_many(f, provider, n, format);
	assert_int_equal(f->came, 0);
	assert_int_equal(f->went, 0);
	close_all(f);
	size_t before = heap();
	open_store(f);
	double start = seconds_now();
	f->catalogue = catalogue_open(f->store, NULL);
	assert_non_null(f->catalogue);
	double loaded = seconds_now() - start;
	provider = provider_of(f, "large");
	size_t places = provider->n_models + provider->n_children;
	print_message("  loaded in %.1f ms, %zu bytes a place, all of SQLite included\n",
			loaded * 1e3, (heap() - before) / places);
	assert_int_equal(provider->n_models, n);
	start = seconds_now();
	size_t found = 0;
	for (struct place *place = place_next(provider, 0); place != NULL;
			place = place_next(provider, place->id)) {
		found += place_child(provider, place->name) == place;
	}
	assert_int_equal(found, provider->n_children);
	print_message("  %zu children walked and looked up in %.1f ms\n", found,
			(seconds_now() - start) * 1e3);
	start = seconds_now();
	refresh_list(f, provider, "the only one left");
	assert_int_equal(f->went, n);
	assert_int_equal(provider->n_models, 1);
	assert_int_equal(provider->n_children, 1);
	print_message("  %d removed in %.0f ms\n", n, (seconds_now() - start) * 1e3);
}

static void a_hundred_thousand_models_by_vendor_are_kept(void **state) {
	measure(*state, 100000, "vendor-%d/model-number-%d");
}

static void a_hundred_thousand_models_in_one_directory_are_kept(void **state) {
	measure(*state, 100000, "flat-%d-%d");
}

static void as_many_models_as_a_large_service_has_are_kept(void **state) {
	measure(*state, 549, "vendor-%d/model-number-%d");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_catalogue, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(as_many_models_as_a_large_service_has_are_kept),
			TEST(a_hundred_thousand_models_by_vendor_are_kept),
			TEST(a_hundred_thousand_models_in_one_directory_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
