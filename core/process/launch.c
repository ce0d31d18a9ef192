/* Starting conduitfs-provider: see launch.h. */
#include "core/process/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>

#define CHILD_SOCKET 3

static void finish_actions(posix_spawn_file_actions_t *actions) {
	posix_spawn_file_actions_destroy(actions);
}

static void finish_attributes(posix_spawnattr_t *attributes) {
	posix_spawnattr_destroy(attributes);
}

/* The same descriptor above those that the child gives a meaning to; -1 with errno. */
static int lifted(int *fd) {
	int above = fcntl(*fd, F_DUPFD_CLOEXEC, CHILD_SOCKET + 1);
	if (above >= 0) {
		close(*fd);
		*fd = above;
	}
	return above;
}

static int start(char *const *arguments, int socket, int log, pid_t *ret_pid) {
	posix_spawn_file_actions_t actions cleanup(finish_actions);
	posix_spawnattr_t attributes cleanup(finish_attributes);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes,
			POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	int error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	error = error != 0 ? error
			   : posix_spawn_file_actions_addopen(
					     &actions, 1, "/dev/null", O_WRONLY, 0);
	error = error != 0 ? error : posix_spawn_file_actions_adddup2(&actions, log, 2);
	error = error != 0 ? error
			   : posix_spawn_file_actions_adddup2(&actions, socket, CHILD_SOCKET);
	char *environment[] = {NULL};
	return error != 0 ? error
			  : posix_spawn(ret_pid, arguments[0], &actions, &attributes, arguments,
					    environment);
}

bool launch_provider(char *const *arguments, struct launched *ret, struct fail *fail) {
	int sockets[2] = {-1, -1}, pipes[2] = {-1, -1};
	/* Where vfork is emulated (valgrind, some sandboxes) posix_spawn can't tell of exec. */
	if (access(arguments[0], X_OK) != 0) {
		return fail_set(fail, errno, "can't start %s: %s", arguments[0], strerror(errno));
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
		return fail_set(fail, errno, "can't make a socket for %s: %s", arguments[0],
				strerror(errno));
	}
	int ours cleanup_close = sockets[0];
	int theirs cleanup_close = sockets[1];
	if (pipe2(pipes, O_CLOEXEC) != 0) {
		return fail_set(fail, errno, "can't make a pipe for %s: %s", arguments[0],
				strerror(errno));
	}
	int log cleanup_close = pipes[0];
	int log_end cleanup_close = pipes[1];
	pid_t pid = 0;
	int error = lifted(&theirs) < 0 || lifted(&log_end) < 0 ||
						    fcntl(log, F_SETFL, O_NONBLOCK) != 0
				    ? errno
				    : start(arguments, theirs, log_end, &pid);
	if (error != 0) {
		return fail_set(fail, error, "can't start %s: %s", arguments[0], strerror(error));
	}
	*ret = (struct launched){.pid = pid, .socket = take_fd(&ours), .log = take_fd(&log)};
	return true;
}
