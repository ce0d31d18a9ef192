/* A provider for the tree tests that does what a provider mustn't: a model's id says what. */
#include <conduit/provider.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile int forever = 1;

/* By the signal itself: a sanitizer would catch it and end otherwise. */
static void do_segfault(void) {
	signal(SIGSEGV, SIG_DFL);
	volatile int *nowhere = NULL;
	*nowhere = 1;
}

static void do_spin(void) {
	while (forever) {
	}
}

static void do_memory(void) {
	size_t size = (size_t)10 << 30, page = 4096;
	volatile char *memory = malloc(size);
	for (size_t i = 0; i < size; i += page) {
		memory[i] = 1;
	}
}

static void do_garbage(void) {
	send(3, "garbage", 7, MSG_NOSIGNAL);
	do_spin();
}

static void do_oversized(void) {
	static char bytes[150000];
	send(3, bytes, sizeof(bytes), MSG_NOSIGNAL);
	do_spin();
}

static void do_open(void) {
	open("/etc/passwd", O_RDONLY);
}

static void do_socket(void) {
	socket(AF_INET, SOCK_STREAM, 0);
}

static void do_execve(void) {
	char *arguments[] = {"/bin/true", NULL};
	execve(arguments[0], arguments, arguments + 1);
}

static const struct {
	const char *id;
	void (*act)(void);
} models[] = {{"segfault", do_segfault}, {"spin", do_spin}, {"memory", do_memory},
		{"garbage", do_garbage}, {"oversized", do_oversized}, {"open", do_open},
		{"socket", do_socket}, {"execve", do_execve}, {"good", NULL}};

#define N_MODELS (sizeof(models) / sizeof(models[0]))

static void discover(struct conduit_job *job) {
	for (size_t i = 0; i < N_MODELS; i++) {
		conduit_model(job, &(struct conduit_model){.id = models[i].id,
						   .id_size = strlen(models[i].id),
						   .output_modalities = "text"});
	}
	conduit_finish(job, NULL, NULL);
}

/* What was refused by an error only, and not by the end of the process, answers "it did". */
static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	for (size_t i = 0; i < N_MODELS; i++) {
		if (models[i].act != NULL && strcmp(turn->model, models[i].id) == 0) {
			models[i].act();
			conduit_output(job, "it did", 6);
		}
	}
	conduit_output(job, "good", 4);
	conduit_finish(job, "stop", NULL);
}

CONDUIT_PROVIDER(.name = "hostile", .version = "1.0.0", .discover = discover,
		.transform = transform)
