/* The catalogue: providers, records, what is free, and rows that nobody should have written. */
#include "tests/unit/store/fixture.h"

#include <errno.h>

static void a_provider_keeps_its_id(void **state) {
	struct fixture *f = *state;
	struct place *root = catalogue_root(f->catalogue);
	int64_t acme = provider_of(f, "acme")->id;
	int64_t other = provider_of(f, "other")->id;
	assert_int_equal(provider_of(f, "acme")->id, acme);
	assert_int_equal(root->n_children, 2);
	close_all(f);
	open_catalogue(f);
	root = catalogue_root(f->catalogue);
	assert_int_equal(root->n_children, 2);
	assert_int_equal(provider_of(f, "other")->id, other);
	assert_ptr_equal(place_next(root, 0), provider_of(f, "acme"));
	assert_ptr_equal(place_next(root, acme), provider_of(f, "other"));
	assert_null(place_next(root, other));
	assert_int_equal(root->id, PLACE_ROOT_ID);
	assert_ptr_equal(catalogue_place(f->catalogue, PLACE_ROOT_ID), root);
	assert_null(place_provider(root));
}

static void what_cant_be_a_file_name_is_no_provider(void **state) {
	struct fixture *f = *state;
	static const char *const names[] = {"", ".", "..", "a/b", "\xff"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cleanup_fail struct fail fail = {0};
		assert_null(catalogue_provider(f->catalogue, names[i], &fail));
		assert_int_equal(fail.code, EINVAL);
	}
}

static void a_hidden_provider_takes_all_below_it_along_and_brings_it_back(void **state) {
	struct fixture *f = *state;
	struct place *root = catalogue_root(f->catalogue);
	struct place *acme = provider_of(f, "acme"), *other = provider_of(f, "other");
	refresh_list(f, acme, "a/one", "a/two");
	refresh_list(f, other, "b");
	int64_t one = at(acme, "a/one")->id;
	assert_int_equal(root->n_models, 3);
	f->n_heard = 0;
	catalogue_hide(f->catalogue, acme);
	catalogue_hide(f->catalogue, acme);
	assert_int_equal(root->n_models, 1);
	assert_int_equal(root->n_children, 1);
	assert_null(place_child(root, "acme"));
	assert_null(catalogue_place(f->catalogue, acme->id));
	assert_null(catalogue_place(f->catalogue, one));
	run_round(f);
	assert_int_equal(times_heard(f, root), 1);
	assert_int_equal(times_heard(f, acme), 0);
	/* A list that comes in while hidden is taken all the same. */
	refresh_list(f, acme, "a/one", "c");
	assert_int_equal(root->n_models, 1);
	/* Back in this mount … */
	assert_ptr_equal(provider_of(f, "acme"), acme);
	assert_int_equal(root->n_models, 3);
	assert_int_equal(root->n_free, 3);
	assert_non_null(catalogue_place(f->catalogue, one));
	/* … and in a later one. */
	catalogue_hide(f->catalogue, acme);
	close_all(f);
	open_catalogue(f);
	root = catalogue_root(f->catalogue);
	assert_int_equal(root->n_models, 1);
	acme = provider_of(f, "acme");
	assert_int_equal(root->n_models, 3);
	assert_int_equal(at(acme, "a/one")->id, one);
	assert_null(at(acme, "a/two"));
}

static void a_place_outlives_its_model(void **state) {
	struct fixture *f = *state;
	struct place *acme = provider_of(f, "acme");
	refresh_list(f, acme, "a/one", "two");
	struct place *one = at(acme, "a/one");
	one->user = f;
	refresh_list(f, acme, "two");
	assert_true(one->gone);
	assert_ptr_equal(place_provider(one), acme);
	refresh_list(f, acme, "a/one");
	assert_ptr_equal(at(acme, "a/one"), one);
	assert_ptr_equal(one->user, f);
}

static void ids_never_name_another_thing(void **state) {
	struct fixture *f = *state;
	struct place *acme = provider_of(f, "acme");
	refresh_list(f, acme, "a", "b");
	int64_t highest = at(acme, "b")->id;
	refresh_list(f, acme, "a");
	close_all(f);
	run_sql(f, "PRAGMA foreign_keys=OFF; DELETE FROM place WHERE name='b'");
	open_catalogue(f);
	refresh_list(f, provider_of(f, "acme"), "a", "c");
	assert_true(at(provider_of(f, "acme"), "c")->id > highest);
}

/* ---- records ---- */

static void a_record_comes_back_whole(void **state) {
	struct fixture *f = *state;
	struct place *acme = provider_of(f, "acme");
	static const struct job_price prices[] = {{"prompt", 0.000000125}, {"a price", -1}};
	static const char raw[] = "{\"a\":\"\0\"}";
	struct job_model model = model_of("a/one");
	model.name = "One";
	model.description = "The first.\nOf many.";
	model.created = 1700000000;
	model.context_length = 131072;
	model.max_output = 4096;
	model.input_modalities = "text,image";
	model.prices = prices;
	model.n_prices = 2;
	model.raw = raw;
	model.raw_size = sizeof(raw) - 1;
	model.limits = "0 1 top_p\n0.5\n\na\tb\n";
	struct refresh *refresh = refresh_begin(f->catalogue, acme);
	refresh_add(refresh, &model);
	commit(f, refresh);
	close_all(f);
	open_catalogue(f);
	struct place *one = at(provider_of(f, "acme"), "a/one");
	const struct model_record *record = catalogue_record(f->catalogue, one);
	assert_non_null(record);
	assert_string_equal(record->id, "a/one");
	assert_string_equal(record->name, "One");
	assert_string_equal(record->description, "The first.\nOf many.");
	assert_int_equal(record->created, 1700000000);
	assert_int_equal(one->created, 1700000000);
	assert_int_equal(record->context_length, 131072);
	assert_int_equal(record->max_output, 4096);
	assert_string_equal(record->input_modalities, "text,image");
	assert_string_equal(record->output_modalities, "text");
	assert_string_equal(record->parameters, "temperature");
	assert_int_equal(record->n_prices, 2);
	assert_string_equal(record->prices[1].name, "a price");
	assert_true(record->prices[0].usd == 0.000000125);
	assert_int_equal(record->limits.n, 1);
	assert_string_equal(record->limits.list[0].choices, "a\nb");
	cleanup_buf struct buf out = {0};
	assert_true(catalogue_raw(f->catalogue, one, &out));
	assert_int_equal(out.size, sizeof(raw) - 1);
	assert_memory_equal(out.data, raw, sizeof(raw) - 1);
	assert_null(catalogue_record(f->catalogue, one->parent));
	assert_false(catalogue_raw(f->catalogue, one->parent, &out));
}

static void limits_that_a_model_states_no_more_are_gone(void **state) {
	struct fixture *f = *state;
	struct job_model model = model_of("a/one");
	for (int stated = 1; stated >= 0; stated--) {
		struct place *acme = provider_of(f, "acme");
		struct refresh *refresh = refresh_begin(f->catalogue, acme);
		model.limits = stated != 0 ? "0 1 top_p\n\n\n\n" : "";
		refresh_add(refresh, &model);
		commit(f, refresh);
		const struct model_record *record = catalogue_record(
				f->catalogue, at(acme, "a/one"));
		assert_int_equal(record->limits.n, stated);
	}
}

static void records_stay_right_beyond_the_cache(void **state) {
	struct fixture *f = *state;
	struct place *acme = provider_of(f, "acme");
	struct refresh *refresh = refresh_begin(f->catalogue, acme);
	char id[32];
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof(id), "m%d", i);
		add(refresh, id);
	}
	commit(f, refresh);
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "m%d", i * 7 % 200);
		const struct model_record *record = catalogue_record(f->catalogue, at(acme, id));
		assert_string_equal(record->id, id);
		assert_ptr_equal(record, catalogue_record(f->catalogue, at(acme, id)));
	}
}

/* ---- free ---- */

static bool is_free(const char *id, const char *output, size_t n, const struct job_price *prices) {
	struct job_model model = model_of(id);
	model.output_modalities = output;
	model.prices = prices;
	model.n_prices = n;
	return model_is_free(&model);
}

static void free_means_certain(void **state) {
	(void)state;
	const struct job_price none[] = {{"prompt", 0}, {"completion", 0}};
	const struct job_price minus_zero[] = {{"prompt", -0.0}, {"completion", 0}};
	const struct job_price request[] = {{"prompt", 0}, {"completion", 0}, {"request", 0.01}};
	const struct job_price variable[] = {{"prompt", -1}, {"completion", -1}};
	const struct job_price tiny[] = {{"prompt", 0}, {"completion", 5e-324}};
	const struct job_price huge[] = {{"prompt", 0}, {"completion", 1e308}};
	const struct job_price unsound[] = {{"prompt", 0}, {"completion", 0}, {"image", NAN}};
	assert_true(is_free("a/b", "text", 2, none));
	assert_true(is_free("a/b", "text", 2, minus_zero));
	assert_true(is_free("a/b:free", "text,image", 2, none));
	assert_true(is_free("a/b:free", "", 2, none));
	assert_true(is_free(":free", "audio", 2, none));
	assert_false(is_free("a/b", "", 2, none));
	assert_false(is_free("a/b", "text,image", 2, none));
	assert_false(is_free("a/b", "video", 2, none));
	assert_false(is_free("a/b", "text", 1, none));
	assert_false(is_free("a/b", "text", 0, NULL));
	assert_false(is_free("a/b:free", "text", 0, NULL));
	assert_false(is_free("a/b:free", "text", 3, request));
	assert_false(is_free("a/b:free", "text", 2, variable));
	assert_false(is_free("a/b", "text", 2, tiny));
	assert_false(is_free("a/b", "text", 2, huge));
	assert_false(is_free("a/b:free", "text", 3, unsound));
	assert_false(is_free("free", "texts", 2, none));
}

static void chat_means_that_text_comes_out(void **state) {
	(void)state;
	struct job_model model = model_of("a");
	assert_true(model_is_chat(&model));
	model.output_modalities = "image, text";
	assert_true(model_is_chat(&model));
	model.output_modalities = "embeddings";
	assert_false(model_is_chat(&model));
	model.output_modalities = "";
	assert_false(model_is_chat(&model));
	model.output_modalities = NULL;
	assert_false(model_is_chat(&model));
}

/* ---- damage ---- */

static void rows_that_nobody_should_have_written_do_no_harm(void **state) {
	struct fixture *f = *state;
	struct place *acme = provider_of(f, "acme");
	refresh_list(f, acme, "a/one", "a/two", "b/three", "c");
	close_all(f);
	run_sql(f, "PRAGMA foreign_keys=OFF;"
		   "UPDATE place SET name='../x' WHERE name='one';"
		   "UPDATE place SET parent=id WHERE name='b';"
		   "UPDATE record SET description=CAST(x'ff' AS TEXT), prices='x y"
		   "' || char(10) || '1e999 z' || char(10) || '0.5 p' || char(10) || 'q';"
		   "INSERT INTO place(id,parent,name,model) VALUES(900,800,'orphan',1);"
		   "INSERT INTO place(id,parent,name,model) VALUES(901,1,CAST(x'ff' AS TEXT),1);"
		   "INSERT INTO place(id,parent,name,model) VALUES(902,1,'',1);"
		   "INSERT INTO place(id,parent,name,model) VALUES(903,1,'a'||char(0)||'b',1);"
		   "INSERT INTO place(id,parent,name,model) VALUES(904,2,'no record',1);"
		   "INSERT INTO place(id,parent,name,model) VALUES(-5,2,'negative',1);"
		   "INSERT INTO place(id,parent,name) VALUES(905,2,'empty component');");
	open_catalogue(f);
	acme = provider_of(f, "acme");
	assert_int_equal(catalogue_root(f->catalogue)->n_children, 1);
	assert_int_equal(acme->n_children, 3); /* a, c, "no record" */
	assert_null(catalogue_record(f->catalogue, at(acme, "no record")));
	const struct model_record *record = catalogue_record(f->catalogue, at(acme, "c"));
	assert_string_equal(record->description, "");
	assert_int_equal(record->n_prices, 1);
	assert_string_equal(record->prices[0].name, "p");
	assert_null(catalogue_place(f->catalogue, -5));
	/* The next refresh puts right what it can. */
	refresh_list(f, acme, "a/one", "a/two", "c");
	assert_int_equal(acme->n_models, 3);
	assert_true(at(acme, "a/one")->model);
}

static void a_root_that_is_missing_is_made_again(void **state) {
	struct fixture *f = *state;
	provider_of(f, "acme");
	close_all(f);
	run_sql(f, "PRAGMA foreign_keys=OFF; DELETE FROM place");
	open_catalogue(f);
	refresh_list(f, provider_of(f, "acme"), "a");
	assert_int_equal(catalogue_root(f->catalogue)->n_models, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_catalogue, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(a_provider_keeps_its_id),
			TEST(what_cant_be_a_file_name_is_no_provider),
			TEST(a_hidden_provider_takes_all_below_it_along_and_brings_it_back),
			TEST(a_place_outlives_its_model),
			TEST(ids_never_name_another_thing),
			TEST(a_record_comes_back_whole),
			TEST(limits_that_a_model_states_no_more_are_gone),
			TEST(records_stay_right_beyond_the_cache),
			cmocka_unit_test(free_means_certain),
			cmocka_unit_test(chat_means_that_text_comes_out),
			TEST(rows_that_nobody_should_have_written_do_no_harm),
			TEST(a_root_that_is_missing_is_made_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
