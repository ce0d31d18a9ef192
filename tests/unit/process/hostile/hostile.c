/* A provider that misbehaves as the model's id says, and answers `good` when asked for "good". */
#include <conduit/provider.h>

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A message in the wire's own form, with a payload size that may lie. */
static size_t frame(char *to, uint8_t type, uint64_t job, uint32_t said, uint32_t size) {
	memcpy(to, &type, 1);
	memcpy(to + 1, &job, 8);
	memcpy(to + 9, &said, 4);
	memset(to + 13, 'x', size);
	return 13 + size;
}

static void speak(uint8_t type, uint64_t job, uint32_t said, uint32_t size) {
	static char packet[200000];
	send(3, packet, frame(packet, type, job, said, size), MSG_NOSIGNAL);
	/* Were it to go on it would be found out for something else. */
	for (;;) {
		pause();
	}
}

static void use_memory(struct conduit_job *job) {
	char *memory = malloc((size_t)10 << 30);
	conduit_fail(job, &(struct conduit_failure){
					  .words = memory == NULL ? "no memory" : "memory"});
	free(memory);
}

static void grow(void) {
	for (;;) {
		char *memory = malloc(1 << 20);
		memset(memory, 1, 1 << 20);
	}
}

static void flood(struct conduit_job *job) {
	static char bytes[10000];
	for (;;) {
		conduit_output(job, bytes, sizeof(bytes));
	}
}

static void flood_log(struct conduit_job *job) {
	for (int i = 0; i < 20000; i++) {
		fprintf(stderr, "line %d\n", i);
		conduit_log(job, "log %d", i);
	}
	conduit_finish(job, "stop", NULL);
}

static void touch_null(void) {
	volatile int *nowhere = NULL;
	*nowhere = 1;
}

static void do_fork(void) {
	fork();
}

static void do_open(void) {
	open("/etc/passwd", O_RDONLY);
}

static void do_socket(void) {
	socket(AF_INET, SOCK_STREAM, 0);
}

static void do_exec(void) {
	char *arguments[] = {"/bin/true", NULL};
	execve(arguments[0], arguments, arguments + 1);
}

static void do_kill(void) {
	kill(getppid(), SIGTERM);
}

static void do_ptrace(void) {
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void do_code(void) {
	mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void spin(void) {
	for (volatile bool on = true; on;) {
	}
}

static void wait_forever(void) {
	for (;;) {
		nanosleep(&(struct timespec){.tv_sec = 1000}, NULL);
	}
}

static void leave(void) {
	fputs("goodbye \x1b[31m\n", stderr);
	exit(3);
}

static void hang_up(void) {
	close(3);
	spin();
}

/* It masks the signal of the sandbox first, and tries to handle it. */
static void open_slyly(void) {
	signal(SIGSYS, SIG_IGN);
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	open("/etc/passwd", O_RDONLY);
}

static void send_garbage(void) {
	send(3, "garbage", 7, MSG_NOSIGNAL);
	wait_forever();
}

static void send_truncated(void) {
	speak(40, 1, 100, 10);
}

static void send_oversized(void) {
	speak(40, 1, 100000, 100000);
}

static void send_unknown(void) {
	speak(200, 1, 0, 0);
}

static void send_for_no_job(void) {
	speak(42, 4711, 4, 4);
}

static void send_as_daemon(void) {
	speak(9, 1, 0, 0);
}

static const struct behaviour {
	const char *model;
	void (*act)(void);
} behaviours[] = {{"segfault", touch_null}, {"abort", abort}, {"grow", grow}, {"fork", do_fork},
		{"open", do_open}, {"socket", do_socket}, {"execve", do_exec}, {"kill", do_kill},
		{"ptrace", do_ptrace}, {"code", do_code}, {"spin", spin}, {"wait", wait_forever},
		{"leave", leave}, {"hang-up", hang_up}, {"open-slyly", open_slyly},
		{"garbage", send_garbage}, {"truncated", send_truncated},
		{"oversized", send_oversized}, {"unknown", send_unknown},
		{"no-job", send_for_no_job}, {"as-daemon", send_as_daemon}};

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
		if (strcmp(turn->model, behaviours[i].model) == 0) {
			behaviours[i].act();
		}
	}
	if (strcmp(turn->model, "memory") == 0) {
		use_memory(job);
	} else if (strcmp(turn->model, "flood") == 0) {
		flood(job);
	} else if (strcmp(turn->model, "flood-log") == 0) {
		flood_log(job);
	} else if (strcmp(turn->model, "hold") == 0) {
		conduit_read(job, 0);
	} else if (strcmp(turn->model, "good") == 0) {
		conduit_output(job, "good", 4);
		conduit_finish(job, "stop", NULL);
	}
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	(void)job;
	(void)bytes;
	(void)size;
}

static void end(struct conduit_job *job) {
	conduit_finish(job, "stop", NULL);
}

CONDUIT_PROVIDER(.name = "hostile", .version = "0", .transform = transform, .data = data,
		.end = end)
