/* Asking git's credential helpers: see credential.h. */
#include "core/fetch/worker/credential.h"

#include "core/base/text.h"
#include "core/fetch/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define ANSWER_MOST 16384

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* git with our end of a socket as its stdin and stdout, in a group of its own, so that helpers that
 * hang are ended with it. Returns the errno of a start that failed. */
static int start(int theirs, pid_t *ret) {
	char *arguments[] = {(char[]){"git"}, (char[]){"credential"}, (char[]){"fill"}, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, theirs, 0);
	posix_spawn_file_actions_adddup2(&actions, theirs, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	/* No question on a terminal, nor by a program that would put one on the screen. */
	setenv("GIT_TERMINAL_PROMPT", "0", 1);
	setenv("GIT_ASKPASS", "", 1);
	setenv("SSH_ASKPASS", "", 1);
	int error = posix_spawnp(ret, "git", &actions, &attributes, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static bool send_question(int fd, const struct git_url *url) {
	struct buf question cleanup_buf = {0};
	buf_add_string(&question, "protocol=https\n");
	buf_add_format(&question, strchr(url->host, ':') != NULL ? "host=[%s]" : "host=%s",
			url->host);
	if (url->port != 0) {
		buf_add_format(&question, ":%d", url->port);
	}
	buf_add_format(&question, "\npath=%s\n\n", url->path + 1);
	ssize_t sent = send(fd, buf_string(&question), question.size, MSG_NOSIGNAL);
	return sent == (ssize_t)question.size && shutdown(fd, SHUT_WR) == 0;
}

static void read_answer(int fd, double end, struct buf *ret) {
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	for (ssize_t got = 1; got > 0;) {
		double left = end - now();
		char *room = buf_reserve(ret, 1024);
		if (left <= 0 || room == NULL || poll(&wait, 1, (int)(left * 1000) + 1) <= 0) {
			return;
		}
		got = read(fd, room, 1024);
		ret->size += got > 0 ? (size_t)got : 0;
	}
	ret->data[ret->size] = '\0';
}

/* The value of a line "NAME=VALUE"; NULL without one. */
static char *value_of(const struct buf *answer, const char *name) {
	size_t length = strlen(name);
	for (const char *line = buf_string(answer); *line != '\0';) {
		size_t size = strcspn(line, "\n");
		if (size > length && strncmp(line, name, length) == 0 && line[length] == '=') {
			return strndup(line + length + 1, size - length - 1);
		}
		line += size + (line[size] == '\n');
	}
	return NULL;
}

static void put_words(struct buf *out, const struct git_url *url, const char *why) {
	char *words cleanup_free = NULL;
	if (asprintf(&words,
			    "%s asks for a user and password (or hides that there is no such "
			    "repository), and %s: try `git ls-remote` with the address in a "
			    "terminal, and set git's credential.helper so that it remembers",
			    url->host, why) < 0) {
		words = NULL;
	}
	message_write_answer(out, NULL, NULL, words != NULL ? words : "no memory");
}

void credential_fill(const struct git_url *url, double seconds, struct buf *out) {
	int sockets[2] = {-1, -1};
	pid_t pid = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
		put_words(out, url, "there is no socket to ask git through");
		return;
	}
	int ours cleanup_close = sockets[0];
	int error = start(sockets[1], &pid);
	close(sockets[1]);
	if (error != 0) {
		put_words(out, url,
				error == ENOENT ? "git, which would know, isn't installed"
						: "git can't be started");
		return;
	}
	struct buf answer cleanup_buf = {.limit = ANSWER_MOST};
	if (send_question(ours, url)) {
		read_answer(ours, now() + seconds, &answer);
	}
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	char *user cleanup_free = value_of(&answer, "username");
	char *password cleanup_free = value_of(&answer, "password");
	if (user != NULL && password != NULL) {
		message_write_answer(out, user, password, NULL);
	} else {
		put_words(out, url, "git's credential helpers give none");
	}
	if (password != NULL) {
		explicit_bzero(password, strlen(password));
	}
	if (answer.data != NULL) {
		explicit_bzero(answer.data, answer.capacity);
	}
}
