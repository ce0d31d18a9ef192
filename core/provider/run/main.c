/* conduitfs-run: one of the system's programs, run over a turn's files in a sandbox. The daemon
 * starts it with everything it may touch as open descriptors (shut_in.h) and its stdout and stderr;
 * it ends as the program does, or with 125 and words on stderr when the program couldn't be shut
 * in. On SIGTERM the program gets that, and two seconds later SIGKILL; when the daemon dies all of
 * it dies. */
#include "core/base/confine_program.h"
#include "core/base/text.h"
#include "core/provider/run/shut_in.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CANNOT 125
#define MERCY_SECONDS 2
/* Before the program's path. */
#define OPTIONS 5

static bool take_number(const char *text, rlim_t *ret) {
	int64_t number;
	bool taken = parse_int64(text, &number) && number >= 0;
	*ret = taken ? (rlim_t)number : 0;
	return taken;
}

static bool take_options(char **arguments, struct shut_in *ret) {
	rlim_t inputs;
	bool taken = take_number(arguments[0], &ret->seconds) &&
		     take_number(arguments[1], &ret->memory) &&
		     take_number(arguments[2], &ret->file) && take_number(arguments[3], &inputs) &&
		     inputs <= 64;
	ret->inputs = taken ? (int)inputs : 0;
	ret->directory = fcntl(SHUT_IN_DIRECTORY, F_GETFD) >= 0;
	ret->without_landlock = strcmp(arguments[4], "landlock-optional") == 0;
	return taken && (ret->without_landlock || strcmp(arguments[4], "landlock") == 0);
}

__attribute__((noreturn)) static void become(const struct shut_in *limits, char **program) {
	static char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8", home[] = "HOME=/",
		    scratch[] = "TMPDIR=/proc/self/fd/3";
	char *const environment[] = {path, locale, home, scratch, NULL};
	struct fail fail = {0};
	setpgid(0, 0);
	umask(077);
	confine_signals();
	if (shut_in(limits, &fail)) {
		execve(program[0], program, environment);
		fail_set(&fail, errno, "can't start %s: %s", program[0], strerror(errno));
	}
	dprintf(STDERR_FILENO, "%s\n", fail_words(&fail));
	_exit(CANNOT);
}

/* Until it has ended: its exit status, or 128 and the signal, as shells have it. */
static int wait_for(pid_t pid, const sigset_t *signals) {
	int status = 0;
	bool mercy = false;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		struct timespec most = {.tv_sec = MERCY_SECONDS};
		int signal = mercy ? sigtimedwait(signals, NULL, &most)
				   : sigwaitinfo(signals, NULL);
		if (signal == SIGTERM) {
			kill(-pid, SIGTERM);
			kill(pid, SIGTERM);
			mercy = true;
		} else if (signal < 0 && errno == EAGAIN) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			mercy = false;
		}
	}
	/* What it left behind; without a namespace of its own nobody else ends that. */
	kill(-pid, SIGKILL);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv) {
	struct shut_in limits;
	sigset_t signals;
	if (argc < 2 + OPTIONS || !take_options(argv + 1, &limits) || argv[1 + OPTIONS][0] != '/') {
		fputs("usage: conduitfs-run SECONDS MEMORY FILE INPUTS landlock[-optional] "
		      "PROGRAM [ARGUMENT...]\nIt is started by conduitfs.\n",
				stderr);
		return CANNOT;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() == 1) {
		return CANNOT;
	}
	pid_t pid = confine_fork();
	if (pid == 0) {
		become(&limits, argv + 1 + OPTIONS);
	}
	if (pid < 0) {
		dprintf(STDERR_FILENO, "can't start a process: %s\n", strerror(errno));
		return CANNOT;
	}
	/* Else a pipe's end would stay open after the program closed it. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	return wait_for(pid, &signals);
}
