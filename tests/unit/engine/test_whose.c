/* Whose turn: what counts as newest for whom, refusals, and notes. */
#include "core/engine/load/discovery.h"
#include "tests/unit/engine/world.h"

#include <errno.h>
#include <sys/wait.h>

/* A process that isn't below this test's own chain: init. */
#define STRANGER 1

static int64_t newest(struct world *world, const char *path, int32_t tid, bool notes) {
	return engine_newest(world->engine, place_of(world, path), tid, notes);
}

static void refuse(struct world *world, const char *path, const struct chain *chain) {
	cleanup_fail struct fail why = {0};
	fail_set(&why, ENOKEY, "no key for %s", path);
	engine_refuse(world->engine, place_of(world, path), chain, &why);
}

static void before_the_first_turn_there_is_none(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	assert_int_equal(newest(world, "local/echo", getpid(), false), 0);
	assert_int_equal(newest(world, "local/echo", 0, true), 0);
}

static void the_callers_own_turn_comes_before_anothers_newer_one(void **state) {
	struct world *world = *state;
	struct chain other = {.n = 1, .ids = {{.pid = 999999999, .start = 1}}};
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *mine = ask(world, "local/echo", "mine\n");
	cleanup_turn struct turn *theirs = engine_begin(
			world->engine, place_of(world, "local/echo"), &other, false, NULL);
	assert_int_equal(newest(world, "local/echo", getpid(), false), mine->row.id);
	assert_int_equal(newest(world, "local/echo", STRANGER, false), theirs->row.id);
	assert_int_equal(newest(world, "local/maker/echo", getpid(), false), 0);
	engine_drop(world->engine, theirs);
	assert_int_equal(newest(world, "local/echo", STRANGER, false), mine->row.id);
	wait_over(world, mine);
}

static void a_dropped_turn_uncovers_the_open_one_before_it(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *stored = ask(world, "local/echo", "stored\n");
	cleanup_turn struct turn *open = begin(world, "local/echo", "open\n", 5);
	cleanup_turn struct turn *dropped = begin(world, "local/echo", "", 0);
	assert_int_equal(dropped->row.number, 3);
	assert_int_equal(newest(world, "local/echo", STRANGER, false), dropped->row.id);
	engine_drop(world->engine, dropped);
	assert_int_equal(newest(world, "local/echo", STRANGER, false), open->row.id);
	assert_int_equal(newest(world, "local/echo", getpid(), false), open->row.id);
	assert_int_equal(turn_find(world->engine->turns, open->row.place, "000003"), 0);
	/* Its number is given out again. */
	cleanup_turn struct turn *next = begin(world, "local/echo", "next\n", 5);
	assert_int_equal(next->row.number, 3);
	wait_over(world, stored);
}

static void a_refusal_is_the_callers_newest_turn_and_has_words(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *before = ask(world, "local/echo", "before\n");
	wait_over(world, before);
	refuse(world, "local/echo", me());
	int64_t id = newest(world, "local/echo", getpid(), false);
	cleanup_turn struct turn *turn = turn_get(world->engine->turns, id);
	assert_int_not_equal(id, before->row.id);
	assert_int_equal(turn_error(turn), ENOKEY);
	assert_holds(turn->row.words, "no key for local/echo");
	char name[TURN_NAME_SIZE];
	turn_name(turn, name);
	assert_int_equal(turn_find(world->engine->turns, turn->row.place, name), id);
}

static void a_conversation_goes_on_behind_a_refusal(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/echo", "one\n");
	refuse(world, "local/echo", me());
	refuse(world, "local/echo", me());
	cleanup_turn struct turn *second = ask_on(world, "local/echo", "two\n");
	assert_int_equal(second->row.previous, first->row.id);
	assert_int_equal(second->row.number, 2);
	wait_over(world, second);
}

static void a_refusal_that_was_forgotten_uncovers_the_turn_before_it(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/echo", "one\n");
	wait_over(world, turn);
	refuse(world, "local/echo", me());
	for (int i = 0; i < 600; i++) {
		refuse(world, "local/maker/echo", me());
	}
	assert_int_equal(newest(world, "local/echo", getpid(), false), turn->row.id);
	assert_int_equal(newest(world, "local/echo", STRANGER, false), turn->row.id);
}

static void a_note_counts_for_error_alone_and_until_the_next_turn(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail why = {0};
	config_write(world, LOCAL);
	world_open(world);
	struct place *place = place_of(world, "local/echo");
	cleanup_turn struct turn *turn = ask(world, "local/echo", "one\n");
	wait_over(world, turn);
	fail_set(&why, EINVAL, "temperature: 9 is above 2");
	engine_note(world->engine, place, me(), &why);
	assert_int_equal(newest(world, "local/echo", getpid(), false), turn->row.id);
	int64_t id = newest(world, "local/echo", getpid(), true);
	cleanup_turn struct turn *note = turn_get(world->engine->turns, id);
	assert_holds(note->row.words, "temperature: 9 is above 2");
	assert_int_equal(turn_newest(world->engine->turns, place->id), turn->row.id);
	cleanup_turn struct turn *next = ask(world, "local/echo", "two\n");
	assert_int_equal(newest(world, "local/echo", getpid(), true), next->row.id);
	wait_over(world, next);
}

static void a_note_below_a_provider_or_the_root_is_its_error(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail why = {0};
	config_write(world, LOCAL);
	world_open(world);
	fail_set(&why, EINVAL, "not so");
	engine_note(world->engine, place_of(world, "local"), me(), &why);
	assert_string_equal(provider_of(world, "local")->last_error, "not so");
	assert_string_equal(world->engine->last_error, "");
	engine_note(world->engine, catalogue_root(world->engine->catalogue), me(), &why);
	assert_string_equal(world->engine->last_error, "not so");
}

static void without_a_key_the_opening_is_refused(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	char url[64];
	config_write(world, "providers:\n  local: {driver: openai}\n");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1", server_port);
	setenv("LOCAL_BASE_URL", url, 1);
	world_open(world);
	unsetenv("LOCAL_BASE_URL");
	struct provider *provider = provider_of(world, "local");
	assert_int_equal(provider->state, PROVIDER_NEEDS_KEY);
	assert_true(key_write(provider->version->key, "sk-1\n", 5, NULL));
	discovery_refresh(provider);
	WAIT(world, provider->state == PROVIDER_READY);
	struct place *place = place_of(world, "local/echo");
	assert_true(key_write(provider->version->key, "\n", 1, NULL));
	assert_false(engine_may_submit(world->engine, place, &fail));
	assert_int_equal(fail.code, ENOKEY);
	assert_holds(fail_words(&fail), "no key for local: ");
	assert_holds(fail_words(&fail), "OPENAI_API_KEY");
	assert_true(key_write(provider->version->key, "sk-2\n", 5, NULL));
	assert_true(engine_may_submit(world->engine, place, NULL));
}

static void a_turn_that_its_writer_left_open_is_cancelled_by_staying_unsent(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = begin(world, "local/echo", "half a prom", 11);
	assert_true(engine_cancel(world->engine, turn, NULL));
	assert_true(turn_over(turn));
	assert_int_equal(turn_error(turn), ECANCELED);
	/* `submit` sends it all the same. */
	engine_submit(world->engine, turn);
	wait_over(world, turn);
	assert_output(turn, "half a prom\n");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(before_the_first_turn_there_is_none),
			TEST(the_callers_own_turn_comes_before_anothers_newer_one),
			TEST(a_dropped_turn_uncovers_the_open_one_before_it),
			TEST(a_refusal_is_the_callers_newest_turn_and_has_words),
			TEST(a_conversation_goes_on_behind_a_refusal),
			TEST(a_refusal_that_was_forgotten_uncovers_the_turn_before_it),
			TEST(a_note_counts_for_error_alone_and_until_the_next_turn),
			TEST(a_note_below_a_provider_or_the_root_is_its_error),
			TEST(without_a_key_the_opening_is_refused),
			TEST(a_turn_that_its_writer_left_open_is_cancelled_by_staying_unsent),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
