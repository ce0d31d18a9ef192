/* Ends: of a provider's process, of the engine with everything under way, of the disk. */
#include "tests/unit/engine/world.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

static void a_crash_in_the_middle_fails_the_turn_with_the_bytes_that_came(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/odd"));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "odd/crash", "q\n");
	wait_over(world, turn);
	assert_failed(turn, EIO, "odd");
	cleanup_free char *output = text_of(turn, TURN_OUTPUT);
	assert_string_equal(output, "half ");
	assert_int_equal(server_count("polls"), 1);
	/* The next turn has a process again. */
	cleanup_turn struct turn *next = ask(world, "odd/settings", "q\n");
	wait_over(world, next);
	assert_int_equal(next->row.state, TURN_DONE);
}

static void a_provider_that_ends_before_the_reply_came_does_no_harm(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/odd"));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "odd/early", "q\n");
	wait_over(world, turn);
	assert_int_equal(turn->row.state, TURN_DONE);
	/* The reply would come now. */
	cleanup_turn struct turn *next = ask(world, "odd/straight", "q\n");
	wait_over(world, next);
	assert_output(next, "straight text\n");
	assert_true(list_empty(&provider_of(world, "odd")->leaving));
}

static void the_engine_may_close_with_everything_under_way(void **state) {
	struct world *world = *state;
	static const char *const paths[] = {
			"local/hold", "local/hold", "local/busy-long", "local/echo", "local/hold"};
	int64_t ids[5];
	config_write(world, LOCAL_WITH("concurrent: 3"));
	world_open(world);
	for (int i = 0; i < 5; i++) {
		cleanup_turn struct turn *turn = ask(world, paths[i], "q\n");
		ids[i] = turn->row.id;
		if (i == 2) {
			wait_state(world, turn, TURN_WAITING);
		}
	}
	cleanup_turn struct turn *first = turn_get(world->engine->turns, ids[0]);
	WAIT(world, first->row.output_size != 0);
	turn_release(take(first));
	discovery_refresh(provider_of(world, "local"));
	world_close(world);
	WAIT(world, server_count("hold-closed") == 2);
	world_open(world);
	for (int i = 0; i < 5; i++) {
		cleanup_turn struct turn *turn = turn_get(world->engine->turns, ids[i]);
		assert_int_equal(turn->row.state, TURN_INTERRUPTED);
		assert_int_equal(turn_error(turn), EIO);
		assert_holds(turn->row.words, i < 3 ? "while it ran" : "before it was sent");
	}
	assert_int_equal(server_count("echo"), 0);
}

struct listener {
	struct turn_watch watch;
	struct turn *turn;
	enum turn_state last;
};

static void on_change(struct turn_watch *watch) {
	struct listener *listener = (struct listener *)watch;
	listener->last = listener->turn->row.state;
}

static void who_watches_a_turn_is_told_that_the_engine_stops(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct turn *turn = ask(world, "local/hold", "q\n");
	struct listener listener = {{.changed = on_change}, turn, TURN_QUEUED};
	list_append(&turn->watches, &listener.watch.link);
	WAIT(world, turn->row.output_size != 0);
	engine_stop(world->engine);
	assert_int_equal(listener.last, TURN_INTERRUPTED);
	assert_int_equal(turn_error(turn), EIO);
	list_remove(&listener.watch.link);
	turn_release(turn);
}

static void the_engine_may_close_right_after_it_opened(void **state) {
	struct world *world = *state;
	config_write(world, "providers:\n  odd: {base_url: \"http://127.0.0.1:%1$d/3000\"}\n"
			    "  local: {driver: openai, base_url: \"http://127.0.0.1:%1$d/v1\", "
			    "key_command: \"sleep 5\"}\n");
	world_open_now(world);
}

static void an_engine_that_cant_open_says_why_and_leaves_nothing(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, "providers:\n  mine: {driver: nobody}\n");
	assert_null(engine_open(&world->loop, &world->options, &fail));
	assert_holds(fail_words(&fail), "config.yml:2: ");
	assert_holds(fail_words(&fail), "'nobody'");
	config_write(world, "providers:\n  local: {drivers: openai}\n");
	assert_null(engine_open(&world->loop, &world->options, &fail));
	assert_holds(fail_words(&fail), "did you mean");
	world->options.provider_directory = "/nowhere";
	config_write(world, LOCAL);
	assert_null(engine_open(&world->loop, &world->options, &fail));
	assert_holds(fail_words(&fail), "/nowhere");
}

static void a_bad_address_in_the_environment_names_its_variable(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, "providers:\n  local: {driver: openai}\n");
	setenv("LOCAL_BASE_URL", "http://models.example/v1", 1);
	struct engine *engine = engine_open(&world->loop, &world->options, &fail);
	setenv("LOCAL_BASE_URL", "https://user:secret@models.example/v1", 1);
	cleanup_fail struct fail secret = {0};
	struct engine *other = engine_open(&world->loop, &world->options, &secret);
	unsetenv("LOCAL_BASE_URL");
	assert_null(engine);
	assert_null(other);
	assert_holds(fail_words(&fail), "LOCAL_BASE_URL");
	assert_holds(fail_words(&fail), "insecure: true");
	assert_holds(fail_words(&secret), "LOCAL_BASE_URL");
	assert_null(strstr(fail_words(&secret), "secret"));
}

static void an_address_in_the_environment_is_spoken_to(void **state) {
	struct world *world = *state;
	char url[64];
	config_write(world, "providers:\n  local: {driver: openai, key: sk-1}\n");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1/", server_port);
	setenv("LOCAL_BASE_URL", url, 1);
	world_open(world);
	unsetenv("LOCAL_BASE_URL");
	assert_int_equal(provider_of(world, "local")->state, PROVIDER_READY);
	assert_int_equal(server_count("models-keyed"), 1);
}

/* A state directory on a disk of its own; root only. */
static bool small_disk(struct world *world, char path[128]) {
	snprintf(path, 128, "%s/state", world->directory);
	mkdir(path, 0700);
	if (mount("tmpfs", path, "tmpfs", 0, "size=1m,mode=700") != 0) {
		print_message("no disk of its own can be mounted (%s): left out\n",
				strerror(errno));
		return false;
	}
	return true;
}

static void a_disk_that_fills_up_fails_the_turn_with_enospc(void **state) {
	struct world *world = *state;
	char disk[128], config[512];
	if (!small_disk(world, disk)) {
		skip();
	}
	snprintf(config, sizeof(config), "state: %s\n%s", disk, LOCAL);
	config_write(world, config);
	world_open(world);
	struct turn *turn = ask(world, "local/big", "q\n");
	wait_over(world, turn);
	enum turn_state reached = turn->row.state;
	int code = turn_error(turn);
	cleanup_free char *words = strdup(turn->row.words);
	uint64_t size = turn->row.output_size;
	struct stat status = {0};
	char path[PATH_MAX];
	turn_file_path(turn, TURN_OUTPUT, path, sizeof(path));
	stat(path, &status);
	turn_release(turn);
	world_close(world);
	umount(disk);
	assert_int_equal(reached, TURN_FAILED);
	assert_int_equal(code, ENOSPC);
	assert_holds(words, "state directory");
	assert_true(size > 0 && size <= (uint64_t)status.st_size);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_crash_in_the_middle_fails_the_turn_with_the_bytes_that_came),
			TEST(a_provider_that_ends_before_the_reply_came_does_no_harm),
			TEST(the_engine_may_close_with_everything_under_way),
			TEST(who_watches_a_turn_is_told_that_the_engine_stops),
			TEST(the_engine_may_close_right_after_it_opened),
			TEST(an_engine_that_cant_open_says_why_and_leaves_nothing),
			TEST(a_bad_address_in_the_environment_names_its_variable),
			TEST(an_address_in_the_environment_is_spoken_to),
			TEST(a_disk_that_fills_up_fails_the_turn_with_enospc),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
