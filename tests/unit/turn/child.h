/* Real processes for the tests of chains: each waits on a pipe until its parent lets it go, and
 * ends by itself when the test does. */
#ifndef TESTS_UNIT_TURN_CHILD_H
#define TESTS_UNIT_TURN_CHILD_H

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 10000

/* Reads one value that another process sends, within WAIT_MS. */
static inline int32_t receive(int fd) {
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int32_t value = 0;
	assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
	assert_int_equal(read(fd, &value, sizeof(value)), sizeof(value));
	return value;
}

static inline void send_value(int fd, int32_t value) {
	if (write(fd, &value, sizeof(value)) != sizeof(value)) {
		_exit(3);
	}
}

/* Forks a child that dies with its parent, or after a minute. */
static inline pid_t fork_bounded(void) {
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(60);
		if (getppid() != parent) {
			/* It died before it could be said. */
			_exit(4);
		}
	}
	return pid;
}

static inline pid_t fork_pausing(void) {
	pid_t pid = fork_bounded();
	if (pid == 0) {
		for (;;) {
			pause();
		}
	}
	assert_true(pid > 0);
	return pid;
}

static inline void end_child(pid_t pid) {
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#endif
