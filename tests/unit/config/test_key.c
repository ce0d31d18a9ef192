/* A provider's key: which source wins, what a person is told, and that it stays secret. */
#include "core/config/key/key.h"

#include "tests/unit/config/scratch.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static uv_loop_t loop;
static int changes;

static int setup(void **state) {
	changes = 0;
	unsetenv("TEST_KEY");
	return scratch_setup(state) != 0 || uv_loop_init(&loop) != 0;
}

static int teardown(void **state) {
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop) != 0 || scratch_teardown(state) != 0;
}

static void count_change(void *data) {
	(void)data;
	changes++;
}

static struct key *create(const struct key_sources *sources) {
	struct key *key = key_create(&loop, sources, count_change, NULL);
	assert_non_null(key);
	return key;
}

static void assert_words(struct key *key, const char *expected) {
	char *words = key_words(key);
	assert_non_null(words);
	assert_contains(words, expected);
	free(words);
}

static void assert_value(struct key *key, const char *expected) {
	const char *value = key_value(key);
	assert_non_null(value);
	assert_string_equal(value, expected);
}

static void without_a_source_there_is_none_and_words_say_how_to_set_it(void **state) {
	(void)state;
	const struct key_sources sources = {.provider = "acme", .env = "TEST_KEY"};
	struct key *key = create(&sources);
	assert_null(key_value(key));
	assert_false(key_pending(key));
	assert_words(key, "none: set TEST_KEY, or echo … > providers/acme/key");
	key_destroy(key);
	key_destroy(NULL);
}

static void the_first_source_that_gives_a_key_wins(void **state) {
	(void)state;
	setenv("TEST_KEY", " from-env\n", 1);
	struct key_sources sources = {.provider = "acme",
			.tree_file = scratch_write("tree", "from-tree\n"),
			.literal = "from-literal",
			.env = "TEST_KEY",
			.file = scratch_write("file", "from-file\n"),
			.command = "echo from-command"};
	struct key *key = create(&sources);
	assert_value(key, "from-tree");
	assert_words(key, "set (from /");
	assert_int_equal(unlink(sources.tree_file), 0);
	assert_value(key, "from-literal");
	assert_words(key, "set (from config.yml)");
	key_destroy(key);
	sources.literal = NULL;
	key = create(&sources);
	assert_value(key, "from-file");
	assert_int_equal(unlink(sources.file), 0);
	assert_value(key, "from-env");
	assert_words(key, "set (from TEST_KEY)");
	assert_words(key, "No such file");
	assert_false(key_pending(key));
	key_destroy(key);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(changes, 0);
}

static void a_command_runs_behind_and_tells_when_it_ended(void **state) {
	(void)state;
	const struct key_sources sources = {
			.provider = "acme", .command = "echo ' from-command '; echo second line"};
	struct key *key = create(&sources);
	assert_null(key_value(key));
	assert_true(key_pending(key));
	assert_words(key, "pending: key_command runs");
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(changes, 1);
	assert_false(key_pending(key));
	assert_value(key, "from-command");
	assert_words(key, "set (from key_command)");
	key_destroy(key);
}

static void a_command_that_fails_runs_once_and_says_why(void **state) {
	(void)state;
	const char *const commands[][2] = {{"exit 1", "failed: key_command exited with 1"},
			{":", "failed: key_command printed no key"},
			{"echo two words",
					"failed: key_command's first line: a key has no blanks"}};
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct key_sources sources = {.provider = "acme", .command = commands[i][0]};
		struct key *key = create(&sources);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_null(key_value(key));
		assert_false(key_pending(key));
		assert_words(key, commands[i][1]);
		key_destroy(key);
	}
}

static void a_key_destroyed_while_its_command_runs_ends_it(void **state) {
	(void)state;
	const struct key_sources sources = {.provider = "acme", .command = "sleep 100"};
	struct key *key = create(&sources);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	key_destroy(key);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(changes, 0);
}

static void a_file_that_changes_is_read_again(void **state) {
	(void)state;
	const struct key_sources sources = {
			.provider = "acme", .file = scratch_write("file", "one\n")};
	struct key *key = create(&sources);
	assert_value(key, "one");
	scratch_write("file.new", "two\n");
	assert_int_equal(rename(scratch_path("file.new"), scratch_path("file")), 0);
	assert_value(key, "two");
	assert_int_equal(unlink(scratch_path("file")), 0);
	assert_null(key_value(key));
	assert_words(key, "failed: ");
	key_destroy(key);
}

static void a_file_that_others_can_read_is_used_with_a_warning(void **state) {
	(void)state;
	const struct key_sources sources = {
			.provider = "acme", .file = scratch_write("file", "one\n")};
	struct key *key = create(&sources);
	char *words = key_words(key);
	assert_null(strstr(words, "chmod"));
	free(words);
	assert_int_equal(chmod(sources.file, 0644), 0);
	assert_value(key, "one");
	assert_words(key, "chmod 600 /");
	key_destroy(key);
}

static void a_file_that_holds_no_key_is_told_without_its_text(void **state) {
	(void)state;
	const char *const texts[] = {"", " \n", "top secret", "top\nsecret\n", "secret\x01"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct key_sources sources = {
				.provider = "acme", .file = scratch_write("file", texts[i])};
		struct key *key = create(&sources);
		assert_null(key_value(key));
		char *words = key_words(key);
		assert_contains(words, "failed: /");
		assert_null(strstr(words, "secret"));
		free(words);
		key_destroy(key);
	}
}

static void a_key_written_through_the_tree_is_kept_privately(void **state) {
	(void)state;
	struct fail fail = {0};
	struct stat about;
	const struct key_sources sources = {
			.provider = "acme", .tree_file = scratch_path("conf/keys/acme")};
	struct key *key = create(&sources);
	umask(0);
	assert_true(key_write(key, "  sk-one\n", 9, &fail));
	umask(022);
	assert_value(key, "sk-one");
	assert_int_equal(stat(scratch_path("conf/keys/acme"), &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_int_equal(stat(scratch_path("conf/keys"), &about), 0);
	assert_int_equal(about.st_mode & 07777, 0700);
	assert_true(key_write(key, "sk-two", 6, &fail));
	assert_value(key, "sk-two");
	key_destroy(key);
	key = create(&sources);
	assert_value(key, "sk-two");
	assert_true(key_write(key, "\n", 1, &fail));
	assert_null(key_value(key));
	assert_int_equal(access(scratch_path("conf/keys/acme"), F_OK), -1);
	assert_true(key_write(key, "", 0, &fail));
	key_destroy(key);
}

static void a_key_that_can_not_be_one_is_refused_and_the_old_one_stays(void **state) {
	(void)state;
	const struct key_sources sources = {
			.provider = "acme", .tree_file = scratch_write("tree", "old\n")};
	struct key *key = create(&sources);
	char large[KEY_MOST + 1];
	memset(large, 'k', sizeof(large));
	const struct {
		const char *text;
		size_t size;
	} wrong[] = {{"secret key", 10}, {"secret\x01", 7}, {"secret\0x", 8}, {"secr\xc3\xa9t", 7},
			{large, sizeof(large)}};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fail fail = {0};
		assert_false(key_write(key, wrong[i].text, wrong[i].size, &fail));
		assert_int_equal(fail.code, EINVAL);
		assert_null(strstr(fail_words(&fail), "secr"));
		fail_finish(&fail);
		assert_value(key, "old");
	}
	struct fail fail = {0};
	assert_true(key_write(key, large, KEY_MOST, &fail));
	assert_int_equal(strlen(key_value(key)), KEY_MOST);
	key_destroy(key);
}

static void a_key_that_can_not_be_kept_says_so(void **state) {
	(void)state;
	struct fail fail = {0};
	scratch_write("blocked", "");
	const struct key_sources sources = {
			.provider = "acme", .tree_file = scratch_path("blocked/keys/acme")};
	struct key *key = create(&sources);
	assert_false(key_write(key, "sk", 2, &fail));
	assert_int_equal(fail.code, ENOTDIR);
	fail_finish(&fail);
	key_destroy(key);
}

static void hidden_variables_are_gone_for_children_and_found_by_later_keys(void **state) {
	(void)state;
	const char *const names[] = {"TEST_KEY", "TEST_UNSET", NULL};
	setenv("TEST_KEY", "sk-hidden", 1);
	char *memory = getenv("TEST_KEY");
	const struct key_sources sources = {.provider = "acme", .env = "TEST_KEY"};
	struct key *key = create(&sources);
	const struct key_sources asking = {
			.provider = "other", .command = "echo \"[${TEST_KEY-unset}]\""};
	struct key *other = create(&asking);
	key_hide_environment(names);
	assert_null(getenv("TEST_KEY"));
	assert_string_equal(memory, "");
	assert_value(key, "sk-hidden");
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_value(other, "[unset]");
	key_destroy(other);
	key_destroy(key);
	key = create(&sources);
	assert_value(key, "sk-hidden");
	key_destroy(key);
}

static void a_protected_process_dumps_no_core(void **state) {
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		struct rlimit limit;
		key_protect_process();
		getrlimit(RLIMIT_CORE, &limit);
		_exit(prctl(PR_GET_DUMPABLE) == 0 && limit.rlim_cur == 0 ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define with_loop(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	alarm(60);
	const struct CMUnitTest tests[] = {
			with_loop(without_a_source_there_is_none_and_words_say_how_to_set_it),
			with_loop(the_first_source_that_gives_a_key_wins),
			with_loop(a_command_runs_behind_and_tells_when_it_ended),
			with_loop(a_command_that_fails_runs_once_and_says_why),
			with_loop(a_key_destroyed_while_its_command_runs_ends_it),
			with_loop(a_file_that_changes_is_read_again),
			with_loop(a_file_that_others_can_read_is_used_with_a_warning),
			with_loop(a_file_that_holds_no_key_is_told_without_its_text),
			with_loop(a_key_written_through_the_tree_is_kept_privately),
			with_loop(a_key_that_can_not_be_one_is_refused_and_the_old_one_stays),
			with_loop(a_key_that_can_not_be_kept_says_so),
			with_loop(hidden_variables_are_gone_for_children_and_found_by_later_keys),
			with_loop(a_protected_process_dumps_no_core),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
