/* Starting a program that is shut in, and waiting for it: see confined.h. */
#include "core/fetch/build/confined.h"

#include "core/base/confine_program.h"
#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* How often the clock and the disk are looked at. */
#define LOOK_MS 100

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- while it runs ---- */

struct run {
	const struct confined *confined;
	struct buf *output;
	struct confined_end *end;
	pid_t pid;
	int pipe;
	double begun;
	unsigned ticks;
};

static void take_output(struct run *run) {
	char bytes[4096];
	ssize_t size;
	while ((size = read(run->pipe, bytes, sizeof(bytes))) != 0) {
		if (size < 0 && errno != EINTR) {
			return; /* nothing more for now */
		}
		size_t limit = run->output->limit != 0 ? run->output->limit : BUF_LIMIT;
		size_t room = limit > run->output->size ? limit - run->output->size : 0;
		size_t wanted = size > 0 ? (size_t)size : 0;
		run->end->cut = run->end->cut || wanted > room;
		buf_add(run->output, bytes, wanted < room ? wanted : room);
	}
}

/* What lies in the directory that it writes; it can't make others below it that count. */
static uint64_t bytes_written(int directory) {
	uint64_t bytes = 0;
	int fd = directory >= 0 ? openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	cleanup_closedir DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct stat about;
	if (listing == NULL) {
		return 0;
	}
	while ((entry = readdir(listing)) != NULL) {
		if (fstatat(directory, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
				S_ISREG(about.st_mode)) {
			bytes += (uint64_t)about.st_blocks * 512;
		}
	}
	return bytes;
}

static void look(struct run *run) {
	double seconds = now() - run->begun;
	run->end->too_long = seconds > run->confined->seconds;
	run->end->too_much = bytes_written(run->confined->writable) > CONFINED_DISK_MOST;
	if (run->end->too_long || run->end->too_much) {
		kill(run->pid, SIGKILL);
	}
	if (seconds >= run->ticks + 1) {
		run->ticks = (unsigned)seconds;
		if (run->confined->tick != NULL) {
			run->confined->tick(run->confined->data, seconds);
		}
	}
}

/* Until it has ended; then what it left behind ends. */
static void wait_for(struct run *run) {
	struct pollfd poll_on = {.fd = run->pipe, .events = POLLIN};
	siginfo_t info = {0};
	for (;;) {
		int ready = poll(&poll_on, 1, LOOK_MS);
		take_output(run);
		if (waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
				info.si_pid == run->pid) {
			break;
		}
		if (ready > 0 && (poll_on.revents & POLLIN) == 0) {
			/* Its end of the pipe is closed: it ends at any moment. */
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		}
		look(run);
	}
	/* Before it is reaped, so that its group can't be anybody else's. */
	kill(-run->pid, SIGKILL);
	waitpid(run->pid, &run->end->status, 0);
	run->end->seconds = now() - run->begun;
	take_output(run);
}

/* ---- before and after ---- */

/* "13 can't …", from the child that couldn't be shut in or started; nothing when it could. */
static bool heard_nothing(int setup, struct fail *fail) {
	char words[1024];
	ssize_t size = read(setup, words, sizeof(words) - 1);
	if (size <= 0) {
		return true;
	}
	words[size] = '\0';
	char *rest = words;
	int code = (int)strtol(words, &rest, 10);
	return fail_set(fail, code, "%s", rest[0] == ' ' ? rest + 1 : rest);
}

bool confined_run(const struct confined *confined, struct buf *output, struct confined_end *ret,
		struct fail *fail) {
	int outputs[2] = {-1, -1}, setups[2] = {-1, -1};
	struct confined_end end = {0};
	if (pipe2(outputs, O_CLOEXEC) != 0) {
		return fail_set(fail, errno, "can't make a pipe: %s", strerror(errno));
	}
	cleanup_close int output_read = outputs[0];
	cleanup_close int output_write = outputs[1];
	if (pipe2(setups, O_CLOEXEC) != 0 || fcntl(output_read, F_SETFL, O_NONBLOCK) != 0) {
		return fail_set(fail, errno, "can't make a pipe: %s", strerror(errno));
	}
	cleanup_close int setup_read = setups[0];
	cleanup_close int setup_write = setups[1];
	struct run run = {.confined = confined,
			.output = output,
			.end = &end,
			.pipe = output_read,
			.begun = now(),
			.pid = confine_fork()};
	if (run.pid == 0) {
		confined_child(confined, output_write, setup_write);
	}
	if (run.pid < 0) {
		return fail_set(fail, errno, "can't start a process: %s", strerror(errno));
	}
	close(take_fd(&output_write));
	close(take_fd(&setup_write));
	wait_for(&run);
	if (!heard_nothing(setup_read, fail)) {
		return false;
	}
	*ret = end;
	return true;
}
