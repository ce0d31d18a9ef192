/* Running the replay: see replaying.h. */
#include "core/command/replaying.h"

#include "core/base/plain.h"
#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* A report, and what a provider may write to stderr: what is beyond is an endless loop of words. */
#define REPORT_MOST ((size_t)8 << 20)
#define LINE_SHOWN 400

struct child {
	pid_t pid;
	int report, words; /* its stdout and stderr; -1 at their end */
	int ended; /* a descriptor that is readable when it ended; -1 then */
	struct buf said, complained;
	bool timed_out, flooded, interrupted;
};

void replaying_finish(struct replaying *replaying) {
	buf_finish(&replaying->view);
	buf_finish(&replaying->notes);
	buf_finish(&replaying->faults);
	buf_finish(&replaying->requests);
	free(replaying->base_url);
	free(replaying->capability);
}

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- the child ---- */

static void actions_destroy(posix_spawn_file_actions_t *actions) {
	posix_spawn_file_actions_destroy(actions);
}

static void attributes_destroy(posix_spawnattr_t *attributes) {
	posix_spawnattr_destroy(attributes);
}

static int spawn(const struct replaying_options *options, int report, int words, pid_t *ret) {
	posix_spawn_file_actions_t actions cleanup(actions_destroy);
	posix_spawn_file_actions_init(&actions);
	char *arguments[6] = {(char *)options->program};
	size_t n = 1;
	if (options->long_view) {
		arguments[n++] = "--long";
	}
	arguments[n++] = (char *)options->object;
	arguments[n++] = (char *)options->exchange;
	arguments[n] = (char *)options->base_url;
	posix_spawnattr_t attributes cleanup(attributes_destroy);
	sigset_t none;
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	char *environment[] = {NULL};
	int error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	error = error != 0 ? error : posix_spawn_file_actions_adddup2(&actions, report, 1);
	error = error != 0 ? error : posix_spawn_file_actions_adddup2(&actions, words, 2);
	error = error != 0 ? error
			   : posix_spawn_file_actions_addchdir_np(&actions, options->directory);
	return error != 0 ? error
			  : posix_spawn(ret, options->program, &actions, &attributes, arguments,
					    environment);
}

static bool start(const struct replaying_options *options, struct child *child, struct fail *fail) {
	int report[2], words[2];
	if (access(options->program, X_OK) != 0) {
		return fail_set(fail, errno, "%s can't be run: %s", options->program,
				strerror(errno));
	}
	if (pipe2(report, O_CLOEXEC) != 0) {
		return fail_set(fail, errno, "no pipe: %s", strerror(errno));
	}
	int report_end cleanup_close = report[1];
	child->report = report[0];
	if (pipe2(words, O_CLOEXEC) != 0) {
		return fail_set(fail, errno, "no pipe: %s", strerror(errno));
	}
	int words_end cleanup_close = words[1];
	child->words = words[0];
	int error = spawn(options, report_end, words_end, &child->pid);
	if (error != 0) {
		return fail_set(fail, error, "%s can't be run: %s", options->program,
				strerror(error));
	}
	child->ended = (int)syscall(SYS_pidfd_open, child->pid, 0);
	return true;
}

/* Takes what there is; closes the pipe at its end. */
static void take_bytes(struct child *child, int *fd, struct buf *to) {
	char bytes[16384];
	ssize_t got = read(*fd, bytes, sizeof(bytes));
	if (got > 0) {
		child->flooded = !buf_add(to, bytes, (size_t)got);
	} else if (got == 0 || errno != EINTR) {
		close(take_fd(fd));
	}
}

static void read_all(struct child *child, double until, int signals) {
	child->said.limit = child->complained.limit = REPORT_MOST;
	while ((child->report >= 0 || child->words >= 0 || child->ended >= 0) &&
			!child->timed_out && !child->flooded && !child->interrupted) {
		double left = until - now();
		struct pollfd ends[] = {{child->report, POLLIN, 0}, {child->words, POLLIN, 0},
				{child->ended, POLLIN, 0}, {signals, POLLIN, 0}};
		int ready = left > 0 ? poll(ends, 4, (int)(left * 1000) + 1) : 0;
		child->timed_out = ready == 0;
		child->interrupted = ready > 0 && ends[3].revents != 0;
		if (ready > 0 && ends[0].revents != 0) {
			take_bytes(child, &child->report, &child->said);
		}
		if (ready > 0 && ends[1].revents != 0 && !child->flooded) {
			take_bytes(child, &child->words, &child->complained);
		}
		if (ready > 0 && ends[2].revents != 0) {
			close(take_fd(&child->ended));
		}
	}
	if (child->timed_out || child->flooded || child->interrupted) {
		kill(child->pid, SIGKILL);
	}
}

static int reap(struct child *child) {
	int status = 0;
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
	}
	return status;
}

static void child_finish(struct child *child) {
	int ends[] = {child->report, child->words, child->ended};
	for (size_t i = 0; i < 3; i++) {
		if (ends[i] >= 0) {
			close(ends[i]);
		}
	}
	buf_finish(&child->said);
	buf_finish(&child->complained);
}

/* ---- what it says ---- */

/* One line for a terminal: of a stranger, so plain. */
static void add_plain(struct buf *out, const char *text, size_t size) {
	cleanup_free char *plain = plain_text(text, size, (size_t)16 << 10, false);
	buf_add_string(out, plain != NULL ? plain : "");
	buf_add_byte(out, '\n');
}

static void take_line(struct replaying *ret, const char *line, size_t size, bool *ret_ended) {
	const struct {
		const char *key;
		struct buf *to;
	} texts[] = {
			{"view ", &ret->view},
			{"note ", &ret->notes},
			{"fault ", &ret->faults},
			{"request ", &ret->requests},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t length = strlen(texts[i].key);
		if (size >= length && strncmp(line, texts[i].key, length) == 0) {
			add_plain(texts[i].to, line + length, size - length);
			return;
		}
	}
	if (size >= 9 && strncmp(line, "base_url ", 9) == 0 && ret->base_url == NULL) {
		ret->base_url = plain_text(line + 9, size - 9, 2048, false);
	} else if (size >= 11 && strncmp(line, "capability ", 11) == 0 && ret->capability == NULL) {
		ret->capability = plain_text(line + 11, size - 11, 64, false);
	} else if (size >= 9 && strncmp(line, "discovery", 9) == 0) {
		ret->is_discovery = true;
	} else if (size >= 4 && strncmp(line, "end ", 4) == 0) {
		ret->replays = strtoul(line + 4, NULL, 10);
		*ret_ended = true;
	}
}

static bool take_report(struct replaying *ret, const struct buf *said) {
	bool ended = false;
	const char *at = buf_string(said);
	const char *end = at + said->size;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t size = newline != NULL ? (size_t)(newline - at) : (size_t)(end - at);
		take_line(ret, at, size, &ended);
		at += size + 1;
	}
	return ended;
}

/* The last line that it wrote to stderr: of a forbidden call its name. */
static void add_last_words(struct buf *out, const struct buf *complained) {
	const char *text = buf_string(complained);
	size_t end = complained->size;
	while (end > 0 && text[end - 1] == '\n') {
		end--;
	}
	size_t start = end;
	while (start > 0 && text[start - 1] != '\n' && end - start < LINE_SHOWN) {
		start--;
	}
	if (start < end) {
		buf_add_string(out, ": ");
		cleanup_free char *plain = plain_text(text + start, end - start, LINE_SHOWN, false);
		buf_add_string(out, plain != NULL ? plain : "");
	}
}

static void add_end(const struct replaying_options *options, const struct child *child, int status,
		struct buf *faults) {
	buf_add_format(faults, "%s: ", options->exchange);
	if (child->timed_out) {
		buf_add_format(faults,
				"the provider didn't end within %g s, and was ended: a loop? "
				"(--seconds raises that)",
				options->seconds);
	} else if (child->flooded) {
		buf_add_string(faults, "the provider writes without end, and was ended");
	} else if (WIFSIGNALED(status)) {
		buf_add_format(faults, "the provider's process was ended by a signal: %s",
				strsignal(WTERMSIG(status)));
		add_last_words(faults, &child->complained);
	} else {
		buf_add_format(faults, "the provider ended its process (exit %d)",
				WEXITSTATUS(status));
		add_last_words(faults, &child->complained);
	}
	buf_add_byte(faults, '\n');
}

bool replaying_run(
		const struct replaying_options *options, struct replaying *ret, struct fail *fail) {
	struct child child cleanup(child_finish) = {.report = -1, .words = -1, .ended = -1};
	if (!start(options, &child, fail)) {
		return false;
	}
	read_all(&child, now() + options->seconds, options->signals);
	int status = reap(&child);
	if (child.interrupted) {
		return fail_set(fail, EINTR, "interrupted");
	}
	if (!take_report(ret, &child.said)) {
		add_end(options, &child, status, &ret->faults);
	}
	return true;
}
