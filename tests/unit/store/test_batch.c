/* What a refresh writes, and tells, goes by batches. */
#include "tests/unit/store/fixture.h"

#include <errno.h>

static void each_changed_directory_is_told_once_a_batch(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	run_round(f);
	f->n_heard = 0;
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	for (int i = 0; i < 50; i++) {
		char id[32];
		snprintf(id, sizeof(id), "vendor/deep/m%d", i);
		add(refresh, id);
	}
	run_round(f);
	assert_int_equal(times_heard(f, provider), 1);
	assert_int_equal(times_heard(f, at(provider, "vendor")), 1);
	assert_int_equal(times_heard(f, at(provider, "vendor/deep")), 1);
	f->n_heard = 0;
	add(refresh, "vendor/deep/late");
	run_round(f);
	assert_int_equal(times_heard(f, provider), 1);
	assert_int_equal(times_heard(f, at(provider, "vendor/deep")), 1);
	assert_int_equal(times_heard(f, at(provider, "vendor")), 0);
	refresh_abort(refresh);
	f->n_heard = 0;
	refresh_list(f, provider, "other");
	assert_int_equal(f->went, 51);
	assert_true(times_heard(f, provider) >= 1);
	assert_int_equal(provider->n_children, 1);
}

static void a_batch_is_committed_when_the_loop_comes_round(void **state) {
	struct fixture *f = *state;
	struct refresh *refresh = refresh_begin(f->catalogue, provider_of(f, "acme"));
	add(refresh, "a/one");
	assert_int_equal(sql_number(f, "SELECT count(*) FROM place WHERE model=1"), 0);
	run_round(f);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM place WHERE model=1"), 1);
	refresh_abort(refresh);
}

static void a_durable_write_commits_the_batch_before_it(void **state) {
	struct fixture *f = *state;
	struct refresh *refresh = refresh_begin(f->catalogue, provider_of(f, "acme"));
	add(refresh, "a/one");
	assert_true(store_setting_set(f->store, 1, "system", "x", NULL));
	assert_int_equal(sql_number(f, "SELECT count(*) FROM place WHERE model=1"), 1);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM setting"), 1);
	refresh_abort(refresh);
}

static void a_batch_never_holds_more_than_its_rows(void **state) {
	struct fixture *f = *state;
	struct refresh *refresh = refresh_begin(f->catalogue, provider_of(f, "acme"));
	for (int i = 0; i < 450; i++) {
		char id[32];
		snprintf(id, sizeof(id), "m%d", i);
		add(refresh, id);
	}
	assert_int_equal(sql_number(f, "SELECT count(*) FROM place WHERE model=1"), 400);
	refresh_abort(refresh);
}

static void a_commit_that_is_aborted_says_nothing(void **state) {
	struct fixture *f = *state;
	struct place *provider = provider_of(f, "acme");
	refresh_list(f, provider, "a/one");
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	add(refresh, "a/two");
	f->committed = false;
	refresh_commit(refresh, committed, f);
	refresh_abort(refresh);
	run_round(f);
	assert_false(f->committed);
	assert_int_equal(provider->n_models, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_catalogue, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(each_changed_directory_is_told_once_a_batch),
			TEST(a_batch_is_committed_when_the_loop_comes_round),
			TEST(a_durable_write_commits_the_batch_before_it),
			TEST(a_batch_never_holds_more_than_its_rows),
			TEST(a_commit_that_is_aborted_says_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
