/* Whole turns a second, by several clients at once, each a process of its own.
 *
 *   turns files CLIENTS MILLISECONDS MODEL-DIRECTORY
 *   turns direct CLIENTS MILLISECONDS URL
 *
 * Prints turns a second. */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS_MOST 256

static int client(const char *url, int64_t until, unsigned *ret_turns) {
	CURL *curl = NULL;
	bool asked = true;
	if (url != NULL) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		curl = direct_open(url, NULL);
	}
	while (asked && clock_us() < until) {
		struct asked one;
		asked = curl != NULL ? ask_direct(curl, "What is a file?", &one)
				     : ask_files("What is a file?", &one);
		asked = asked && one.bytes > 0;
		*ret_turns += asked;
	}
	if (curl != NULL) {
		direct_close(curl);
		curl_global_cleanup();
	}
	return asked ? 0 : 1;
}

/* Begins the clients; false when one couldn't be, or failed. */
static bool run(const char *url, int clients, int64_t until, unsigned *turns) {
	bool good = true;
	int begun = 0;
	for (; begun < clients && good; begun++) {
		pid_t pid = fork();
		if (pid == 0) {
			_exit(client(url, until, &turns[begun]));
		}
		good = pid > 0;
	}
	for (int status; begun > 0 && wait(&status) > 0; begun--) {
		good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return good;
}

int main(int argc, char **argv) {
	bool direct = argc == 5 && strcmp(argv[1], "direct") == 0;
	if (argc != 5 || (!direct && (strcmp(argv[1], "files") != 0 || chdir(argv[4]) != 0))) {
		fprintf(stderr, "usage: turns files|direct CLIENTS MILLISECONDS "
				"MODEL-DIRECTORY|URL\n");
		return 2;
	}
	int clients = number_or_exit(argv[2], CLIENTS_MOST);
	int64_t began = clock_us();
	int64_t until = began + number_or_exit(argv[3], 600000) * (int64_t)1000;
	unsigned *turns = mmap(NULL, CLIENTS_MOST * sizeof(*turns), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turns == MAP_FAILED || !run(direct ? argv[4] : NULL, clients, until, turns)) {
		return 1;
	}
	unsigned sum = 0;
	for (int i = 0; i < clients; i++) {
		sum += turns[i];
	}
	printf("%.1f\n", sum * 1e6 / (double)(clock_us() - began));
	return 0;
}
