/* A provider's list as it comes and goes. */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <sys/stat.h>

static void models_appear_as_they_are_added(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	add(refresh, "vendor/one");
	struct place *one = at(provider, "vendor/one");
	assert_non_null(one);
	assert_true(one->model && one->free && one->chat);
	assert_int_equal(provider->n_models, 1);
	assert_int_equal(catalogue_root(f->catalogue)->n_free, 1);
	assert_ptr_equal(catalogue_place(f->catalogue, one->id), one);
	assert_ptr_equal(place_provider(one), provider);
	refresh_abort(refresh);
	assert_non_null(at(provider, "vendor/one"));
}

static void an_id_may_be_a_prefix_of_another(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "fal");
	refresh_list(f, provider, "fal-ai/flux/dev", "fal-ai/flux");
	struct place *flux = at(provider, "fal-ai/flux");
	assert_true(flux->model);
	assert_int_equal(flux->n_models, 2);
	refresh_list(f, provider, "fal-ai/flux/dev");
	assert_false(flux->model);
	assert_int_equal(flux->n_models, 1);
	assert_non_null(at(provider, "fal-ai/flux/dev"));
	refresh_list(f, provider, "fal-ai/flux");
	assert_true(flux->model);
	assert_null(at(provider, "fal-ai/flux/dev"));
	assert_int_equal(flux->n_children, 0);
}

static void a_vanished_model_gets_its_id_back(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	refresh_list(f, provider, "a/one", "b/two", "c/three");
	struct place *two = at(provider, "b/two");
	int64_t id = two->id, above = two->parent->id;
	refresh_list(f, provider, "a/one", "c/three", "d/four");
	assert_int_equal(f->came, 1);
	assert_int_equal(f->went, 1);
	assert_int_equal(f->total, 3);
	assert_null(at(provider, "b"));
	assert_null(catalogue_place(f->catalogue, id));
	assert_null(catalogue_record(f->catalogue, two));
	close_all(f);
	open_catalogue(f);
	provider = provider_of(f, "acme");
	assert_null(at(provider, "b"));
	refresh_list(f, provider, "a/one", "b/two", "c/three");
	assert_int_equal(at(provider, "b")->id, above);
	assert_int_equal(at(provider, "b/two")->id, id);
	/* It is back in its place in the listing. */
	assert_int_equal(provider->n_children, 3);
	for (size_t i = 1; i < provider->n_children; i++) {
		assert_true(provider->children[i - 1]->id < provider->children[i]->id);
	}
}

static void an_empty_or_aborted_refresh_replaces_nothing(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	refresh_list(f, provider, "a/one", "a/two");
	int64_t when, again;
	const char *why;
	catalogue_refreshed(f->catalogue, provider, &when, &why);
	assert_true(when > 0);
	assert_string_equal(why, "");
	commit(f, refresh_begin(f->catalogue, provider));
	assert_int_equal(f->total, 2);
	catalogue_refreshed(f->catalogue, provider, &again, &why);
	assert_int_equal(again, when);
	assert_non_null(strstr(why, "no models"));
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	add(refresh, "b/three");
	refresh_abort(refresh);
	assert_int_equal(provider->n_models, 3);
	catalogue_refresh_failed(f->catalogue, provider, "connection refused");
	close_all(f);
	open_catalogue(f);
	provider = provider_of(f, "acme");
	assert_int_equal(provider->n_models, 3);
	catalogue_refreshed(f->catalogue, provider, &again, &why);
	assert_int_equal(again, when);
	assert_string_equal(why, "connection refused");
}

static void a_service_without_any_model_is_refreshed_well(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "ollama");
	commit(f, refresh_begin(f->catalogue, provider));
	int64_t when;
	const char *why;
	catalogue_refreshed(f->catalogue, provider, &when, &why);
	assert_true(when > 0);
	assert_string_equal(why, "");
}

static void hostile_and_repeated_ids_are_refused(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	char deep[80], longest[1025];
	memset(deep, '/', sizeof(deep));
	memset(longest, 'x', sizeof(longest));
	struct job_model model = model_of("a/one");
	refresh_add(refresh, &model);
	refresh_add(refresh, &model);
	assert_int_equal(refresh_refused(refresh), 1);
	model.id_size = 0;
	refresh_add(refresh, &model);
	model.id = deep;
	model.id_size = sizeof(deep);
	refresh_add(refresh, &model);
	model.id = longest;
	model.id_size = 1024;
	refresh_add(refresh, &model);
	model.id = "a\0b";
	model.id_size = 3;
	refresh_add(refresh, &model);
	assert_int_equal(refresh_refused(refresh), 5);
	struct job_price prices[] = {{"prompt", NAN}};
	model = model_of("a/two");
	model.prices = prices;
	model.n_prices = 1;
	refresh_add(refresh, &model);
	prices[0].usd = INFINITY;
	refresh_add(refresh, &model);
	assert_int_equal(refresh_refused(refresh), 7);
	commit(f, refresh);
	assert_int_equal(f->total, 1);
}

static void a_hostile_id_stays_in_its_directory(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	refresh_list(f, provider, "../../etc/passwd", "/lead", "trail/", "a//b", ".", "input",
			"a/output", "\xff\n");
	static const char *const paths[] = {"%2E./%2E./etc/passwd", "%/lead", "trail/%", "a/%/b",
			"%2E", "%69nput", "a/%6Futput", "%FF%0A"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct place *place = at(provider, paths[i]);
		assert_non_null(place);
		assert_true(place->model);
	}
	assert_int_equal(f->total, 8);
	assert_string_equal(catalogue_record(f->catalogue, at(provider, paths[7]))->id, "\xff\n");
	close_all(f);
	open_catalogue(f);
	provider = provider_of(f, "acme");
	assert_int_equal(provider->n_models, 8);
	assert_non_null(at(provider, "a/%/b"));
}

static void a_model_that_did_not_change_costs_no_write(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	refresh_list(f, provider, "a/one", "a/two");
	run_round(f);
	f->n_heard = 0;
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	char wal[128];
	struct stat st, later;
	snprintf(wal, sizeof(wal), "%s/conduitfs.db-wal", f->directory);
	assert_int_equal(stat(wal, &st), 0);
	add(refresh, "a/one");
	add(refresh, "a/two");
	run_round(f);
	assert_int_equal(stat(wal, &later), 0);
	assert_int_equal(st.st_size, later.st_size);
	assert_true(st.st_mtim.tv_sec == later.st_mtim.tv_sec &&
			st.st_mtim.tv_nsec == later.st_mtim.tv_nsec);
	assert_int_equal(f->n_heard, 0);
	struct job_model model = model_of("a/three");
	refresh_add(refresh, &model);
	run_round(f);
	assert_int_equal(stat(wal, &later), 0);
	assert_true(later.st_size > st.st_size || later.st_mtim.tv_nsec != st.st_mtim.tv_nsec);
	refresh_abort(refresh);
}

static void a_changed_model_is_written_and_told(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	refresh_list(f, provider, "a/one");
	struct place *one = at(provider, "a/one");
	assert_string_equal(catalogue_record(f->catalogue, one)->description, "");
	f->n_heard = 0;
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	struct job_model model = model_of("a/one");
	const struct job_price prices[] = {{"prompt", 1e-6}, {"completion", -7}, {"image", 1e308}};
	model.description = "Longer";
	model.prices = prices;
	model.n_prices = 3;
	refresh_add(refresh, &model);
	assert_int_equal(f->n_heard, 0); /* told from the loop only */
	commit(f, refresh);
	assert_int_equal(f->came, 0);
	assert_int_equal(times_heard(f, one), 1);
	const struct model_record *record = catalogue_record(f->catalogue, one);
	assert_string_equal(record->description, "Longer");
	assert_false(record->free);
	assert_int_equal(provider->n_free, 0);
	double usd;
	assert_true(model_price(record, "completion", &usd));
	assert_true(usd == -1);
	assert_true(model_price(record, "image", &usd));
	assert_true(usd == 1e308);
	assert_true(model_price(record, "prompt", &usd));
	assert_true(usd == 1e-6);
	assert_false(model_price(record, "request", &usd));
}

static void closing_amid_a_refresh_is_safe(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	for (int i = 0; i < 1000; i++) {
		char id[32];
		snprintf(id, sizeof(id), "m%d", i);
		add(refresh, id);
	}
	refresh_abort(refresh);
	refresh = refresh_begin(f->catalogue, provider);
	add(refresh, "m0");
	refresh_commit(refresh, committed, f);
	while (provider->n_models == 1000) {
		uv_run(&f->loop, UV_RUN_ONCE);
	}
	assert_false(f->committed);
	size_t left = provider->n_models;
	assert_true(left > 1 && left < 1000); /* in the middle */
	close_all(f);
	open_catalogue(f);
	assert_int_equal(provider_of(f, "acme")->n_models, left);
}

static void a_later_refresh_decides_what_goes(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	refresh_list(f, provider, "a", "b");
	struct refresh *first = refresh_begin(f->catalogue, provider);
	add(first, "a");
	struct refresh *second = refresh_begin(f->catalogue, provider);
	add(second, "a");
	add(second, "b");
	commit(f, first);
	assert_int_equal(f->went, 0);
	commit(f, second);
	assert_int_equal(f->total, 2);
}

static struct job_model made(const char *id) {
	return (struct job_model){.id = id,
			.id_size = strlen(id),
			.name = "",
			.description = "",
			.input_modalities = "text",
			.output_modalities = "text",
			.parameters = "",
			.raw = ""};
}

static void a_model_is_added_in_the_midst_of_a_refresh_and_stays_unsure_across_a_mount(
		void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	struct job_model model = made("own/model");
	struct job_model long_one = made("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/"
					 "23/24/25/26/27/28/29/30/31/32/33");
	struct fail fail = {0};
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	struct place *place = catalogue_add(f->catalogue, provider, &model, &fail);
	assert_non_null(place);
	assert_true(place->kept && place->chat && !place->unsure);
	assert_true(catalogue_doubt(f->catalogue, place, &fail));
	assert_null(catalogue_add(f->catalogue, provider, &long_one, &fail));
	assert_int_equal(fail.code, EINVAL);
	fail_finish(&fail);
	refresh_abort(refresh);
	refresh_list(f, provider, "a");
	assert_true(at(provider, "own/model")->model);
	int64_t id = place->id;
	close_all(f);
	open_catalogue(f);
	place = catalogue_next_unsure(f->catalogue, 0);
	assert_non_null(place);
	assert_int_equal(place->id, id);
	assert_true(place->unsure);
	assert_null(catalogue_next_unsure(f->catalogue, id));
	/* Listed after all: its provider has it. */
	refresh_list(f, provider_of(f, "acme"), "a", "own/model");
	assert_false(place->unsure);
	assert_null(catalogue_next_unsure(f->catalogue, 0));
}

static void a_model_the_user_made_stays(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "hf");
	refresh_list(f, provider, "a", "mine");
	assert_true(catalogue_keep(f->catalogue, at(provider, "mine"), NULL));
	refresh_list(f, provider, "a");
	assert_non_null(at(provider, "mine"));
	close_all(f);
	open_catalogue(f);
	provider = provider_of(f, "hf");
	refresh_list(f, provider, "a");
	struct place *mine = at(provider, "mine");
	assert_non_null(mine);
	assert_true(catalogue_remove(f->catalogue, mine, NULL));
	assert_null(at(provider, "mine"));
	cleanup_fail struct fail fail = {0};
	assert_false(catalogue_remove(f->catalogue, mine, &fail));
	assert_int_equal(fail.code, ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_catalogue, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(models_appear_as_they_are_added),
			TEST(an_id_may_be_a_prefix_of_another),
			TEST(a_vanished_model_gets_its_id_back),
			TEST(an_empty_or_aborted_refresh_replaces_nothing),
			TEST(a_service_without_any_model_is_refreshed_well),
			TEST(hostile_and_repeated_ids_are_refused),
			TEST(a_hostile_id_stays_in_its_directory),
			TEST(a_model_that_did_not_change_costs_no_write),
			TEST(a_changed_model_is_written_and_told),
			TEST(closing_amid_a_refresh_is_safe),
			TEST(a_later_refresh_decides_what_goes),
			TEST(a_model_the_user_made_stays),
			TEST(a_model_is_added_in_the_midst_of_a_refresh_and_stays_unsure_across_a_mount),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
