/* Sessions, routes and groups: places beside the models. */
#include "core/store/annex.h"
#include "core/store/tree.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>

static struct place *made(
		struct fixture *f, struct place *parent, enum place_kind kind, const char *name) {
	cleanup_fail struct fail fail = {0};
	struct place *place = annex_make(f->catalogue, parent, kind, name, &fail);
	if (place == NULL) {
		fail_msg("%s", fail_words(&fail));
	}
	return place;
}

static struct place *the_model(struct fixture *f, const char *id) {
	struct place *acme = provider_of(f, "acme");
	refresh_list(f, acme, "one", "two");
	return at(acme, id);
}

static void a_session_is_no_model_and_in_no_listing_of_models(void **state) {
	struct fixture *f = *state;
	struct place *one = the_model(f, "one");
	struct place *chat = made(f, one, PLACE_SESSION, "two");
	assert_int_equal(one->n_children, 0);
	assert_null(place_child(one, "two"));
	assert_int_equal(catalogue_root(f->catalogue)->n_models, 2);
	assert_ptr_equal(annex_find(one, PLACE_SESSION, "two"), chat);
	assert_ptr_equal(catalogue_place(f->catalogue, chat->id), chat);
	assert_ptr_equal(place_model(chat), one);
	assert_ptr_equal(place_provider(chat), provider_of(f, "acme"));
	assert_true(place_takes_prompts(chat));
}

static void names_of_different_kinds_stand_side_by_side(void **state) {
	struct fixture *f = *state;
	struct place *root = catalogue_root(f->catalogue);
	struct place *acme = provider_of(f, "x");
	struct place *route = made(f, root, PLACE_ROUTE, "x"),
		     *group = made(f, root, PLACE_GROUP, "x");
	assert_true(acme->id != route->id && route->id != group->id);
	assert_ptr_equal(annex_next(root, PLACE_ROUTE, 0), route);
	assert_null(annex_next(root, PLACE_ROUTE, route->id));
	assert_int_equal(annex_count(root, PLACE_GROUP), 1);
	assert_ptr_equal(place_next(root, 0), acme);
	assert_null(place_next(root, acme->id));
	assert_null(place_model(route));
	assert_null(place_provider(route));
	assert_true(place_takes_prompts(route));
	assert_false(place_takes_prompts(group));
}

static void a_name_is_taken_once_and_must_be_a_file_name(void **state) {
	struct fixture *f = *state;
	struct place *one = the_model(f, "one");
	static const char *const wrong[] = {"", ".", "..", "a/b", "a\nb", "\xff"};
	made(f, one, PLACE_SESSION, "chat");
	cleanup_fail struct fail fail = {0};
	assert_null(annex_make(f->catalogue, one, PLACE_SESSION, "chat", &fail));
	assert_int_equal(fail.code, EEXIST);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cleanup_fail struct fail why = {0};
		assert_null(annex_make(f->catalogue, one, PLACE_SESSION, wrong[i], &why));
		assert_int_equal(why.code, EINVAL);
	}
}

static void an_id_is_never_used_again(void **state) {
	struct fixture *f = *state;
	struct place *one = the_model(f, "one");
	int64_t first = made(f, one, PLACE_SESSION, "chat")->id;
	assert_true(annex_remove(f->catalogue, annex_find(one, PLACE_SESSION, "chat"), NULL));
	assert_null(annex_find(one, PLACE_SESSION, "chat"));
	assert_null(catalogue_place(f->catalogue, first));
	int64_t second = made(f, one, PLACE_SESSION, "chat")->id;
	assert_true(second > first);
	assert_null(catalogue_place(f->catalogue, first));
	assert_true(annex_remove(f->catalogue, annex_find(one, PLACE_SESSION, "chat"), NULL));
	close_all(f);
	open_catalogue(f);
	one = at(provider_of(f, "acme"), "one");
	assert_null(annex_next(one, PLACE_SESSION, 0));
	assert_true(made(f, one, PLACE_SESSION, "chat")->id > second);
}

static void a_session_moves_with_its_id_and_frees_its_name(void **state) {
	struct fixture *f = *state;
	struct place *one = the_model(f, "one"), *two = the_model(f, "two");
	int64_t id = made(f, one, PLACE_SESSION, "chat")->id;
	struct place *moved = annex_rename(
			f->catalogue, catalogue_place(f->catalogue, id), two, "talk", NULL);
	assert_non_null(moved);
	assert_int_equal(moved->id, id);
	assert_ptr_equal(catalogue_place(f->catalogue, id), moved);
	assert_ptr_equal(place_model(moved), two);
	assert_null(annex_find(one, PLACE_SESSION, "chat"));
	struct place *again = made(f, one, PLACE_SESSION, "chat");
	assert_true(again->id != id);
	assert_ptr_equal(catalogue_place(f->catalogue, id), moved);
	cleanup_fail struct fail fail = {0};
	assert_null(annex_rename(f->catalogue, moved, one, "chat", &fail));
	assert_int_equal(fail.code, EEXIST);
	/* And back to its first name, once that is free. */
	assert_true(annex_remove(f->catalogue, again, NULL));
	moved = annex_rename(f->catalogue, moved, one, "chat", NULL);
	assert_int_equal(moved->id, id);
	assert_ptr_equal(annex_find(one, PLACE_SESSION, "chat"), moved);
}

static void they_are_there_at_the_next_mount(void **state) {
	struct fixture *f = *state;
	struct place *root = catalogue_root(f->catalogue);
	struct place *one = the_model(f, "one"), *two = the_model(f, "two");
	struct place *route = made(f, root, PLACE_ROUTE, "text-to-text");
	int64_t in_route = made(f, route, PLACE_SESSION, "s")->id;
	int64_t chat = made(f, two, PLACE_SESSION, "chat")->id;
	/* Older than the model that it goes to. */
	annex_rename(f->catalogue, catalogue_place(f->catalogue, chat), one, "chat", NULL);
	close_all(f);
	open_catalogue(f);
	one = at(provider_of(f, "acme"), "one");
	assert_int_equal(annex_find(one, PLACE_SESSION, "chat")->id, chat);
	route = annex_find(catalogue_root(f->catalogue), PLACE_ROUTE, "text-to-text");
	assert_int_equal(annex_find(route, PLACE_SESSION, "s")->id, in_route);
}

static void a_model_that_returns_brings_its_sessions_back(void **state) {
	struct fixture *f = *state;
	struct place *acme = provider_of(f, "acme");
	refresh_list(f, acme, "one", "two");
	int64_t chat = made(f, at(acme, "one"), PLACE_SESSION, "chat")->id;
	refresh_list(f, acme, "two");
	assert_null(catalogue_place(f->catalogue, chat));
	close_all(f);
	open_catalogue(f);
	acme = provider_of(f, "acme");
	assert_null(catalogue_place(f->catalogue, chat));
	refresh_list(f, acme, "one", "two");
	assert_int_equal(annex_find(at(acme, "one"), PLACE_SESSION, "chat")->id, chat);
}

static void there_are_so_many_sessions_and_then_words(void **state) {
	struct fixture *f = *state;
	cleanup_fail struct fail fail = {0};
	struct place *one = the_model(f, "one");
	f->catalogue->n_sessions = SESSIONS_MOST - 1;
	struct place *last = made(f, one, PLACE_SESSION, "last");
	assert_null(annex_make(f->catalogue, one, PLACE_SESSION, "more", &fail));
	assert_int_equal(fail.code, ENOSPC);
	assert_non_null(strstr(fail.words, "100000 sessions already"));
	made(f, one, PLACE_GROUP, "more");
	assert_true(annex_remove(f->catalogue, last, NULL));
	made(f, one, PLACE_SESSION, "more");
}

static void the_parent_is_told_of_each_change(void **state) {
	struct fixture *f = *state;
	struct place *one = the_model(f, "one");
	run_round(f);
	f->n_heard = 0;
	made(f, one, PLACE_SESSION, "chat");
	run_round(f);
	assert_int_equal(times_heard(f, one), 1);
	annex_remove(f->catalogue, annex_find(one, PLACE_SESSION, "chat"), NULL);
	run_round(f);
	assert_int_equal(times_heard(f, one), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_catalogue, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(a_session_is_no_model_and_in_no_listing_of_models),
			TEST(names_of_different_kinds_stand_side_by_side),
			TEST(a_name_is_taken_once_and_must_be_a_file_name),
			TEST(an_id_is_never_used_again),
			TEST(a_session_moves_with_its_id_and_frees_its_name),
			TEST(they_are_there_at_the_next_mount),
			TEST(a_model_that_returns_brings_its_sessions_back),
			TEST(there_are_so_many_sessions_and_then_words),
			TEST(the_parent_is_told_of_each_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
