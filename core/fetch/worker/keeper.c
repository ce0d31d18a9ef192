/* Watching over the work: see keeper.h. */
#include "core/fetch/worker/keeper.h"

#include "core/base/file.h"
#include "core/fetch/worker/credential.h"
#include "core/fetch/worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define CREDENTIAL_SECONDS 30.0

struct keeper {
	const struct task *task;
	int out;
	int channel;
	pid_t pid;
	struct buf lines; /* from the worker, the last one not ended yet */
	double begun, progressed; /* seconds of the monotonic clock */
	bool patient; /* no progress is no stall: it waits for another process, or compiles */
	bool ended; /* the end was told */
};

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void tell_failure(struct keeper *keeper, int code, const char *format, ...)
		__attribute__((format(printf, 3, 4)));
static void tell_failure(struct keeper *keeper, int code, const char *format, ...) {
	struct buf words cleanup_buf = {0}, line cleanup_buf = {0};
	struct fetch_result result = {.code = code};
	va_list args;
	va_start(args, format);
	buf_add_format(&words, "%s: ", keeper->task->source.text);
	buf_add_vformat(&words, format, args);
	va_end(args);
	result.words = buf_take(&words);
	if (message_write_end(&line, &result)) {
		file_write(keeper->out, line.data, line.size);
	}
	fetch_result_finish(&result);
	keeper->ended = true;
}

/* ---- what the worker says ---- */

static void answer(struct keeper *keeper) {
	struct git_url url cleanup_git_url = {0};
	struct buf line cleanup_buf = {0};
	if (git_url_parse(&url, keeper->task->source.url, NULL)) {
		credential_fill(&url, CREDENTIAL_SECONDS, &line);
	}
	file_write(keeper->channel, buf_string(&line), line.size);
	if (line.data != NULL) {
		explicit_bzero(line.data, line.capacity);
	}
}

/* False when nobody reads any more. */
static bool take_line(struct keeper *keeper, char *line, size_t size) {
	struct message message cleanup_message = {0};
	line[size - 1] = '\0';
	bool known = message_read(&message, line);
	line[size - 1] = '\n';
	keeper->progressed = now();
	if (!known) {
		return true;
	}
	switch (message.type) {
	case MESSAGE_WAITING:
	case MESSAGE_GOING_ON:
		keeper->patient = message.type == MESSAGE_WAITING;
		return true;
	case MESSAGE_CREDENTIALS:
		answer(keeper);
		keeper->progressed = now();
		return true;
	case MESSAGE_END:
		keeper->ended = true;
		return file_write(keeper->out, line, size);
	case MESSAGE_PROGRESS:
		keeper->patient = keeper->patient || message.progress.stage == FETCH_BUILDING;
		return file_write(keeper->out, line, size);
	case MESSAGE_ANSWER:
		break;
	}
	return true;
}

/* False when it says no more, or what isn't sense, or nobody listens. */
static bool listen_to_worker(struct keeper *keeper) {
	char *room = buf_reserve(&keeper->lines, 65536);
	ssize_t got = room != NULL ? read(keeper->channel, room, 65536) : 0;
	if (got < 0 && errno == EINTR) {
		return true;
	}
	if (got <= 0) {
		return false;
	}
	keeper->lines.size += (size_t)got;
	while (!keeper->ended) {
		char *end = memchr(keeper->lines.data, '\n', keeper->lines.size);
		if (end == NULL) {
			return keeper->lines.size < MESSAGE_MOST;
		}
		size_t size = (size_t)(end - keeper->lines.data) + 1;
		if (!take_line(keeper, keeper->lines.data, size)) {
			return false;
		}
		buf_drop_front(&keeper->lines, size);
	}
	return false;
}

/* ---- its end ---- */

static void tell_death(struct keeper *keeper, int status) {
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS) {
		/* libgit2 writes packs through a mapping, where a full disk is this signal. */
		tell_failure(keeper, ENOSPC,
				"no room is left in %s: make some, or free some with `conduitfs "
				"provider prune`",
				keeper->task->cache);
	} else if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));
		tell_failure(keeper, EIO, "the fetching process was ended by SIG%s",
				name != NULL ? name : "?");
	} else {
		tell_failure(keeper, EIO, "the fetching process ended early (exit status %d)",
				WEXITSTATUS(status));
	}
}

/* False when there was a reason to end it, which was told. */
static bool check_time(struct keeper *keeper) {
	const struct task *task = keeper->task;
	if (now() - keeper->begun > task->total_seconds) {
		tell_failure(keeper, ETIMEDOUT, "it took longer than %g s", task->total_seconds);
		return false;
	}
	if (!keeper->patient && now() - keeper->progressed > task->stall_seconds) {
		tell_failure(keeper, ETIMEDOUT,
				"nothing came from the other side for %g s: try again later",
				task->stall_seconds);
		return false;
	}
	return true;
}

static int wait_ms(const struct keeper *keeper) {
	double end = keeper->begun + keeper->task->total_seconds;
	double stalled = keeper->progressed + keeper->task->stall_seconds;
	double left = (keeper->patient || end < stalled ? end : stalled) - now();
	return left > 0 ? (int)(left * 1000) + 1 : 1;
}

static void watch(struct keeper *keeper, int in) {
	struct pollfd waits[3] = {{.fd = keeper->channel, .events = POLLIN},
			{.fd = in, .events = POLLIN}, {.fd = keeper->out, .events = 0}};
	bool goes_on = true;
	while (goes_on && !keeper->ended) {
		int ready = poll(waits, 3, wait_ms(keeper));
		if (ready < 0 && errno != EINTR) {
			return;
		}
		if (ready > 0 && (waits[1].revents != 0 || waits[2].revents != 0)) {
			/* Nothing is said after the task: who started this is gone. */
			keeper->ended = true;
			return;
		}
		goes_on = ready <= 0 || waits[0].revents == 0 || listen_to_worker(keeper);
		if (goes_on) {
			goes_on = check_time(keeper);
		}
	}
}

static bool start(struct keeper *keeper) {
	int sockets[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
		return false;
	}
	pid_t parent = getpid();
	keeper->pid = fork();
	if (keeper->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent) {
			_exit(EXIT_FAILURE);
		}
		close(sockets[0]);
		close_range(0, 1, 0);
		open("/dev/null", O_RDWR);
		open("/dev/null", O_RDWR);
		worker_run(keeper->task, sockets[1]);
		exit(EXIT_SUCCESS);
	}
	close(sockets[1]);
	keeper->channel = sockets[0];
	return keeper->pid > 0;
}

int keeper_run(const struct task *task, int in, int out) {
	struct keeper keeper = {.task = task,
			.out = out,
			.lines = {.limit = 2 * MESSAGE_MOST},
			.begun = now(),
			.progressed = now()};
	if (!start(&keeper)) {
		tell_failure(&keeper, errno, "the fetching process can't be started: %s",
				strerror(errno));
		return EXIT_FAILURE;
	}
	watch(&keeper, in);
	int status = 0;
	if (keeper.ended) {
		kill(keeper.pid, SIGKILL);
	}
	while (waitpid(keeper.pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (!keeper.ended) {
		tell_death(&keeper, status);
	}
	buf_finish(&keeper.lines);
	close(keeper.channel);
	return EXIT_SUCCESS;
}
