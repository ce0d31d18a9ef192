/* key_command: its first line, its end, and the bounds that hold it. */
#include "core/config/key/key_command.h"

#include "tests/unit/config/scratch.h"

#include <poll.h>

static struct {
	int calls;
	char output[256];
	size_t size;
	char failure[128];
} result;

static void remember(void *data, const char *output, size_t size, const char *failure) {
	(void)data;
	result.calls++;
	result.size = size;
	memcpy(result.output, output != NULL ? output : "",
			size < sizeof(result.output) ? size : sizeof(result.output));
	snprintf(result.failure, sizeof(result.failure), "%s", failure != NULL ? failure : "");
}

/* Runs it to its end; the loop ends when the command's last handle is closed. */
static void run(const char *command, double seconds) {
	uv_loop_t loop;
	memset(&result, 0, sizeof(result));
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_non_null(key_command_start(&loop, command, seconds, remember, NULL));
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(result.calls, 1);
}

static void its_output_is_handed_over(void **state) {
	(void)state;
	run("echo one; echo two; echo three >&2", 10);
	assert_string_equal(result.failure, "");
	assert_int_equal(result.size, 8);
	assert_memory_equal(result.output, "one\ntwo\n", 8);
}

static void a_status_other_than_0_is_a_failure_and_its_output_nothing(void **state) {
	(void)state;
	run("echo secret; exit 3", 10);
	assert_string_equal(result.failure, "key_command exited with 3");
	assert_int_equal(result.size, 0);
	run("kill -9 $$", 10);
	assert_string_equal(result.failure, "key_command was ended by signal 9");
	run("/nonexistent/command", 10);
	assert_string_equal(result.failure, "key_command exited with 127");
}

/* What any child of this process inherits beyond 0, 1 and 2: the test's own parent may have left
 * it. */
static int inherited_descriptors(void) {
	int n = 0;
	for (int fd = 3; fd < 1024; fd++) {
		int flags = fcntl(fd, F_GETFD);
		n += flags >= 0 && (flags & FD_CLOEXEC) == 0;
	}
	return n;
}

static void it_has_nothing_on_stdin_and_no_descriptor_of_ours(void **state) {
	(void)state;
	char expected[32];
	int length = snprintf(
			expected, sizeof(expected), "/dev/null\n%d\n", 4 + inherited_descriptors());
	run("cat; readlink /proc/$$/fd/0; set -- /proc/$$/fd/*; echo $#", 10);
	assert_string_equal(result.failure, "");
	assert_int_equal(result.size, length);
	assert_memory_equal(result.output, expected, (size_t)length);
}

static void one_that_takes_too_long_is_killed_with_its_children(void **state) {
	(void)state;
	char command[256];
	const char *path = scratch_path("held");
	assert_int_equal(mkfifo(path, 0600), 0);
	struct pollfd held = {.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
	assert_true(held.fd >= 0);
	/* The child of the shell, and only it, holds the other end until it is dead. */
	snprintf(command, sizeof(command), "(exec 3>%s; exec sleep 100) & wait", path);
	run(command, 1);
	assert_string_equal(result.failure, "key_command took longer than 1 s");
	assert_int_equal(poll(&held, 1, 10000), 1);
	assert_true((held.revents & POLLHUP) != 0);
	close(held.fd);
}

static void one_that_prints_without_end_is_killed(void **state) {
	(void)state;
	run("yes", 10);
	assert_string_equal(result.failure, "key_command printed more than 64 KiB");
	run("head -c 65536 /dev/zero", 10);
	assert_string_equal(result.failure, "");
	assert_int_equal(result.size, 65536);
}

static void what_it_leaves_behind_is_not_waited_for_beyond_its_time(void **state) {
	(void)state;
	run("sleep 3 & echo key", 0.3);
	assert_string_equal(result.failure, "");
	assert_memory_equal(result.output, "key\n", 4);
}

static void a_cancelled_command_tells_nobody_and_leaves_nothing(void **state) {
	(void)state;
	uv_loop_t loop;
	memset(&result, 0, sizeof(result));
	assert_int_equal(uv_loop_init(&loop), 0);
	struct key_command *early = key_command_start(&loop, "echo a", 10, remember, NULL);
	key_command_cancel(early);
	struct key_command *late = key_command_start(&loop, "sleep 100", 200, remember, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	key_command_cancel(late);
	key_command_cancel(NULL);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(result.calls, 0);
}

int main(void) {
	alarm(60);
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(its_output_is_handed_over),
			cmocka_unit_test(a_status_other_than_0_is_a_failure_and_its_output_nothing),
			cmocka_unit_test(it_has_nothing_on_stdin_and_no_descriptor_of_ours),
			with_scratch(one_that_takes_too_long_is_killed_with_its_children),
			cmocka_unit_test(one_that_prints_without_end_is_killed),
			cmocka_unit_test(what_it_leaves_behind_is_not_waited_for_beyond_its_time),
			cmocka_unit_test(a_cancelled_command_tells_nobody_and_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
