/* Open, write, close, open, read, compare, COUNT times from each of WORKERS threads or processes
 * that never fork or exec: the tightest loop a client can make around whose turn is whose.
 *
 *     cycles threads|processes WORKERS COUNT MODEL-DIRECTORY
 *
 * Threads share one identity, so each uses the turn that its own descriptor names: threads take
 * turns under a lock around write and open of output. Prints "cycles N wrong N"; status 1 when an
 * answer isn't the one asked for. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ANSWER 4096

static const char *model;
static long count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int open_in_model(const char *name, int flags) {
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", model, name);
	return open(path, flags | O_CLOEXEC);
}

static bool ask(const char *prompt) {
	int fd = open_in_model("input", O_WRONLY | O_TRUNC);
	if (fd < 0) {
		fprintf(stderr, "input: %s\n", strerror(errno));
		return false;
	}
	size_t size = strlen(prompt);
	bool written = write(fd, prompt, size) == (ssize_t)size;
	if (close(fd) != 0 || !written) {
		fprintf(stderr, "write: %s\n", strerror(errno));
		return false;
	}
	return true;
}

static bool answered(int fd, const char *prompt) {
	char answer[MOST_ANSWER + 1];
	size_t size = 0;
	ssize_t n;
	while (size < MOST_ANSWER && (n = read(fd, answer + size, MOST_ANSWER - size)) > 0) {
		size += (size_t)n;
	}
	answer[size] = '\0';
	bool right = strstr(answer, prompt) != NULL;
	if (!right) {
		fprintf(stderr, "asked '%s', got '%s'\n", prompt, answer);
	}
	return right;
}

static bool cycle(long worker, long number) {
	char prompt[64];
	snprintf(prompt, sizeof(prompt), "w%ldn%ldend", worker, number);
	pthread_mutex_lock(&lock);
	int fd = ask(prompt) ? open_in_model("output", O_RDONLY) : -1;
	pthread_mutex_unlock(&lock);
	if (fd < 0) {
		return false;
	}
	bool right = answered(fd, prompt);
	close(fd);
	return right;
}

static void *work(void *worker) {
	long wrong = 0;
	for (long number = 0; number < count; number++) {
		wrong += cycle((long)worker, number) ? 0 : 1;
	}
	return (void *)wrong;
}

static long run_threads(long workers) {
	pthread_t threads[64];
	long wrong = 0;
	for (long n = 0; n < workers; n++) {
		pthread_create(&threads[n], NULL, work, (void *)n);
	}
	for (long n = 0; n < workers; n++) {
		void *result = NULL;
		pthread_join(threads[n], &result);
		wrong += (long)result;
	}
	return wrong;
}

static long run_processes(long workers) {
	long wrong = 0;
	for (long n = 0; n < workers; n++) {
		if (fork() == 0) {
			_exit((long)work((void *)n) == 0 ? 0 : 1);
		}
	}
	int status;
	while (wait(&status) > 0) {
		wrong += status == 0 ? 0 : 1;
	}
	return wrong;
}

int main(int argc, char **argv) {
	if (argc != 5) {
		fprintf(stderr, "usage: cycles threads|processes WORKERS COUNT MODEL-DIRECTORY\n");
		return 2;
	}
	long workers = strtol(argv[2], NULL, 10);
	count = strtol(argv[3], NULL, 10);
	model = argv[4];
	if (workers < 1 || workers > 64) {
		fprintf(stderr, "cycles: 1 to 64 workers, not %s\n", argv[2]);
		return 2;
	}
	bool threads = strcmp(argv[1], "threads") == 0;
	long wrong = threads ? run_threads(workers) : run_processes(workers);
	printf("cycles %ld wrong %ld\n", workers * count, wrong);
	return wrong == 0 ? 0 : 1;
}
