/* A provider whose constructor acts before anybody asked it to: ACT says how. */
#include <conduit/provider.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char outcome[64] = "nothing";

static void opens(void) {
	int fd = open("/etc/passwd", O_RDONLY);
	strcpy(outcome, fd >= 0 ? "opened" : strerrorname_np(errno));
}

static void writes(void) {
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	strcpy(outcome, fd >= 0 ? "opened" : strerrorname_np(errno));
}

static void connects(void) {
	socket(AF_INET, SOCK_STREAM, 0);
}

static void leaves(void) {
	exit(0);
}

static void hangs(void) {
	for (;;) {
		pause();
	}
}

__attribute__((constructor)) static void act(void) {
	void (*const acts[])(void) = {opens, writes, connects, leaves, hangs};
	acts[ACT]();
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	(void)turn;
	conduit_output(job, outcome, strlen(outcome));
	conduit_finish(job, "stop", NULL);
}

CONDUIT_PROVIDER(.name = "constructor", .version = "0", .transform = transform)
