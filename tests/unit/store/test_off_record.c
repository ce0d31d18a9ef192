/* `history: off`: what is known of turns goes with the store, and what must stay stays. */
#include "tests/unit/store/fixture.h"

#include "core/store/annex.h"
#include "core/store/kept.h"
#include "core/store/ledger.h"

#include <errno.h>
#include <sys/stat.h>

static void open_off_record(struct fixture *f) {
	cleanup_fail struct fail fail = {0};
	f->store = store_open_off_record(&f->loop, f->directory, &fail);
	if (f->store == NULL) {
		fail_msg("%s", fail_words(&fail));
	}
	f->catalogue = catalogue_open(f->store, &fail);
	assert_non_null(f->catalogue);
}

static void add_turn(struct fixture *f, int64_t id, int64_t number) {
	struct turn_row row = {.id = id,
			.place = 1,
			.number = number,
			.state = TURN_QUEUED,
			.provider = (char *)"acme",
			.cost = 7};
	struct ledger_terms terms = {"one", 9};
	assert_true(store_turn_insert(f->store, &row, NULL));
	row.state = TURN_DONE;
	row.finished = 1000 * id;
	row.bytes = 10;
	assert_true(ledger_end(f->store, &row, &terms, NULL));
}

static void turns_are_hidden_and_seen_apart(void **state) {
	struct fixture *f = *state;
	struct turn_row row;
	struct usage_sum sum;
	open_store(f);
	add_turn(f, 1, 1);
	close_all(f);
	open_off_record(f);
	/* Ids go on, numbers begin anew. */
	int64_t number;
	assert_int_equal(store_turn_last_id(f->store), 1);
	assert_int_equal(store_turn_newest(f->store, 1, &number), 0);
	assert_int_equal(number, 0);
	assert_false(store_turn_get(f->store, 1, &row, NULL));
	add_turn(f, 2, 1);
	assert_true(store_turn_get(f->store, 2, &row, NULL));
	turn_row_finish(&row);
	assert_int_equal(kept_bytes(f->store), 10);
	assert_true(store_turn_forget(f->store, 2, NULL));
	assert_int_equal(store_turn_newest(f->store, 1, &number), 0);
	assert_int_equal(number, 1);
	add_turn(f, 3, 2);
	close_all(f);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM turn"), 1);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM forgotten"), 0);
	open_store(f);
	assert_true(store_turn_get(f->store, 1, &row, NULL));
	turn_row_finish(&row);
	assert_false(store_turn_get(f->store, 3, &row, NULL));
	assert_int_equal(store_turn_last_id(f->store), 3);
	assert_true(ledger_sum(f->store, "acme", LEDGER_ALL, &sum));
	assert_int_equal(sum.cost, 21);
}

static void files_lie_apart_and_go(void **state) {
	struct fixture *f = *state;
	char path[4096], kept[4096], private[4096];
	struct stat status;
	open_store(f);
	assert_true(store_turn_path(f->store, 1, true, kept, sizeof(kept), NULL));
	close_all(f);
	for (int crash = 0; crash < 2; crash++) {
		open_off_record(f);
		assert_true(store_turn_path(f->store, 5, true, path, sizeof(path), NULL));
		assert_int_not_equal(strncmp(path, f->directory, strlen(f->directory)), 0);
		strcpy(private, path);
		*strstr(private, "/turns/") = '\0';
		assert_int_equal(stat(private, &status), 0);
		assert_int_equal(status.st_mode & 07777, 0700);
		if (crash != 0) {
			/* As if it had died: the note is there again, and the directory. */
			char note[128];
			snprintf(note, sizeof(note), "%s/private", f->directory);
			close_all(f);
			assert_int_equal(mkdir(private, 0700), 0);
			assert_int_equal(symlink(private, note), 0);
			open_store(f);
			assert_int_equal(lstat(note, &status), -1);
		}
		close_all(f);
		assert_int_equal(stat(private, &status), -1);
	}
	assert_int_equal(stat(kept, &status), 0);
}

static void a_note_that_leads_elsewhere_removes_nothing(void **state) {
	struct fixture *f = *state;
	char note[128], target[128];
	struct stat status;
	snprintf(note, sizeof(note), "%s/private", f->directory);
	snprintf(target, sizeof(target), "%s/precious", f->directory);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(symlink(target, note), 0);
	open_store(f);
	assert_int_equal(stat(target, &status), 0);
	assert_int_equal(lstat(note, &status), -1);
}

static void sessions_go_and_those_of_before_stay(void **state) {
	struct fixture *f = *state;
	open_catalogue(f);
	struct place *provider = provider_of(f, "acme");
	refresh_list(f, provider, "one");
	assert_non_null(annex_make(
			f->catalogue, at(provider, "one"), PLACE_SESSION, "before", NULL));
	close_all(f);
	open_off_record(f);
	struct place *model = at(provider_of(f, "acme"), "one");
	struct place *session = annex_make(f->catalogue, model, PLACE_SESSION, "during", NULL);
	assert_non_null(session);
	assert_true(store_setting_set(f->store, session->id, "system", "secret", NULL));
	assert_true(store_setting_set(f->store, model->id, "seed", "1", NULL));
	/* Not even while it lasts. */
	assert_int_equal(sql_number(f, "SELECT count(*) FROM setting WHERE value='secret'"), 0);
	close_all(f);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM setting"), 1);
	open_catalogue(f);
	model = at(provider_of(f, "acme"), "one");
	assert_non_null(annex_find(model, PLACE_SESSION, "before"));
	assert_null(annex_find(model, PLACE_SESSION, "during"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(turns_are_hidden_and_seen_apart),
			TEST(files_lie_apart_and_go),
			TEST(a_note_that_leads_elsewhere_removes_nothing),
			TEST(sessions_go_and_those_of_before_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
