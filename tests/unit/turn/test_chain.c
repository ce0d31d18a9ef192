/* Chains of real processes: parents, threads, orphans, names and signals. */
#include "core/turn/chain.h"

#include "tests/unit/turn/child.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

static void a_chain_is_the_process_and_then_its_parents(void **state) {
	(void)state;
	struct chain chain;
	chain_capture(getpid(), &chain);
	assert_true(chain.n >= 1);
	assert_int_equal(chain.ids[0].pid, getpid());
	if (getppid() > 1) {
		assert_true(chain.n >= 2);
		assert_int_equal(chain.ids[1].pid, getppid());
	}
	for (size_t i = 1; i < chain.n; i++) {
		assert_true(chain.ids[i].start <= chain.ids[i - 1].start);
		assert_true(chain.ids[i].pid > 1);
	}
}

static void a_grandchild_has_its_parent_and_us_above_it(void **state) {
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork_bounded();
	if (child == 0) {
		pid_t grandchild = fork_pausing();
		send_value(ends[1], grandchild);
		pause();
		_exit(0);
	}
	pid_t grandchild = receive(ends[0]);
	struct chain chain;
	chain_capture(grandchild, &chain);
	assert_true(chain.n >= 3);
	assert_int_equal(chain.ids[0].pid, grandchild);
	assert_int_equal(chain.ids[1].pid, child);
	assert_int_equal(chain.ids[2].pid, getpid());
	end_child(child);
	close(ends[0]);
	close(ends[1]);
}

static void a_subshell_has_its_shell_above_it(void **state) {
	(void)state;
	int ends[2], waits[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	/* The subshell reads until we close our end. */
	assert_int_equal(pipe2(waits, O_CLOEXEC), 0);
	pid_t shell = fork_bounded();
	if (shell == 0) {
		dup2(waits[0], 0);
		dup2(ends[1], 1);
		execl("/bin/sh", "sh", "-c", "(exec sh -c 'echo $$; read wait') <&0; :", NULL);
		_exit(127);
	}
	struct pollfd ready = {.fd = ends[0], .events = POLLIN};
	char text[32] = "";
	assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	struct chain chain;
	chain_capture((pid_t)strtol(text, NULL, 10), &chain);
	close(waits[0]);
	close(waits[1]);
	end_child(shell);
	assert_true(chain.n >= 3);
	assert_int_equal(chain.ids[1].pid, shell);
	assert_int_equal(chain.ids[2].pid, getpid());
	close(ends[0]);
	close(ends[1]);
}

static void *tell_thread_id(void *data) {
	int *ends = data;
	send_value(ends[1], (int32_t)syscall(SYS_gettid));
	char wait;
	return read(ends[2], &wait, 1) == 1 ? NULL : data;
}

static void a_thread_counts_as_its_process(void **state) {
	(void)state;
	int told[2], go[2];
	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(go), 0);
	int ends[3] = {told[0], told[1], go[0]};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, tell_thread_id, ends), 0);
	pid_t id = receive(told[0]);
	struct chain of_thread, of_process;
	chain_capture(id, &of_thread);
	chain_capture(getpid(), &of_process);
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_not_equal(id, getpid());
	assert_int_equal(of_thread.n, of_process.n);
	for (size_t i = 0; i < of_process.n; i++) {
		assert_int_equal(of_thread.ids[i].pid, of_process.ids[i].pid);
		assert_int_equal(of_thread.ids[i].start, of_process.ids[i].start);
	}
	for (int i = 0; i < 2; i++) {
		close(told[i]);
		close(go[i]);
	}
}

static void an_orphan_has_whoever_adopted_it_above_it_and_never_its_dead_parent(void **state) {
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid_t child = fork_bounded();
	if (child == 0) {
		pid_t orphan = fork();
		if (orphan == 0) {
			alarm(60);
			for (;;) {
				pause();
			}
		}
		send_value(ends[1], orphan);
		_exit(0);
	}
	pid_t orphan = receive(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	struct chain chain;
	chain_capture(orphan, &chain);
	end_child(orphan);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	assert_true(chain.n >= 2);
	assert_int_equal(chain.ids[0].pid, orphan);
	assert_int_equal(chain.ids[1].pid, getpid());
	close(ends[0]);
	close(ends[1]);
}

static void of_nobody_or_of_a_process_that_is_gone_nothing_is_known(void **state) {
	(void)state;
	pid_t child = fork_pausing();
	end_child(child);
	const pid_t ids[] = {0, -1, child};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct chain chain = {.n = 7};
		char name[16] = "x";
		chain_capture(ids[i], &chain);
		assert_int_equal(chain.n, 0);
		process_name(ids[i], name, sizeof(name));
		assert_string_equal(name, "");
		assert_int_equal(process_signal(ids[i]), 0);
	}
}

static void pid_1_is_left_out_of_a_chain(void **state) {
	(void)state;
	struct chain chain;
	chain_capture(1, &chain);
	assert_int_equal(chain.n, 0);
}

static void a_chain_ends_after_32_processes(void **state) {
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t first = fork_bounded();
	if (first == 0) {
		int depth = 1;
		while (depth < 40 && fork_bounded() == 0) {
			depth++;
		}
		if (depth == 40) {
			send_value(ends[1], getpid());
		}
		pause();
		_exit(0);
	}
	struct chain chain;
	chain_capture(receive(ends[0]), &chain);
	assert_int_equal(chain.n, CHAIN_MOST);
	end_child(first);
	close(ends[0]);
	close(ends[1]);
}

static void a_name_with_blanks_and_parentheses_confuses_nothing(void **state) {
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork_bounded();
	if (child == 0) {
		prctl(PR_SET_NAME, "a) S 1 (b\n)");
		send_value(ends[1], 1);
		pause();
		_exit(0);
	}
	receive(ends[0]);
	struct chain chain;
	char name[32], cut[4];
	chain_capture(child, &chain);
	process_name(child, name, sizeof(name));
	process_name(child, cut, sizeof(cut));
	end_child(child);
	assert_true(chain.n >= 2);
	assert_int_equal(chain.ids[1].pid, getpid());
	assert_string_equal(name, "a) S 1 (b?)");
	assert_string_equal(cut, "a) ");
	close(ends[0]);
	close(ends[1]);
}

/* The signal that /proc shows once the child has ended and before it is waited for. */
static int signal_of(pid_t child) {
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	int found = process_signal(child);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return found;
}

static void a_process_ended_by_a_signal_tells_which(void **state) {
	(void)state;
	const int signals[] = {SIGINT, SIGTERM, SIGKILL, SIGPIPE};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t child = fork_pausing();
		assert_int_equal(process_signal(child), 0);
		kill(child, signals[i]);
		assert_int_equal(signal_of(child), signals[i]);
	}
}

static void a_process_that_exits_by_itself_was_ended_by_no_signal(void **state) {
	(void)state;
	for (int code = 0; code < 256; code += 85) {
		pid_t child = fork();
		if (child == 0) {
			_exit(code);
		}
		assert_int_equal(signal_of(child), 0);
	}
}

static void capturing_a_chain_takes_well_under_a_millisecond(void **state) {
	(void)state;
	enum { ROUNDS = 2000 };
	struct timespec from, to;
	struct chain chain;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < ROUNDS; i++) {
		chain_capture(getpid(), &chain);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	double us = ((double)(to.tv_sec - from.tv_sec) * 1e9 +
				    (double)(to.tv_nsec - from.tv_nsec)) /
		    ROUNDS / 1e3;
	print_message("a chain of %zu: %.1f us\n", chain.n, us);
	/* Bounded loosely: the machine may be busy, the build instrumented. */
	assert_true(us < 5000);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_chain_is_the_process_and_then_its_parents),
			cmocka_unit_test(a_grandchild_has_its_parent_and_us_above_it),
			cmocka_unit_test(a_subshell_has_its_shell_above_it),
			cmocka_unit_test(a_thread_counts_as_its_process),
			cmocka_unit_test(
					an_orphan_has_whoever_adopted_it_above_it_and_never_its_dead_parent),
			cmocka_unit_test(of_nobody_or_of_a_process_that_is_gone_nothing_is_known),
			cmocka_unit_test(pid_1_is_left_out_of_a_chain),
			cmocka_unit_test(a_chain_ends_after_32_processes),
			cmocka_unit_test(a_name_with_blanks_and_parentheses_confuses_nothing),
			cmocka_unit_test(a_process_ended_by_a_signal_tells_which),
			cmocka_unit_test(a_process_that_exits_by_itself_was_ended_by_no_signal),
			cmocka_unit_test(capturing_a_chain_takes_well_under_a_millisecond),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
