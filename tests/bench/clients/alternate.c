/* Runs shell commands by turns and says how long each took, with less noise than a script has.
 *
 *   alternate ROUNDS COMMAND…
 *
 * Prints a line a round: microseconds from spawning `sh -c COMMAND` to its end, for each command,
 * between tabs. What they print is dropped. A command that fails ends everything. */
#include "ask.h"

#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool run(char *command, const posix_spawn_file_actions_t *actions, int64_t *ret_us) {
	char shell[] = "/bin/sh", option[] = "-c";
	char *const arguments[] = {shell, option, command, NULL};
	pid_t pid;
	int status;
	int64_t began = clock_us();
	int failed = posix_spawn(&pid, shell, actions, NULL, arguments, environ);
	if (failed != 0 || waitpid(pid, &status, 0) != pid) {
		fprintf(stderr, "bench: %s: %s\n", shell, strerror(failed));
		return false;
	}
	*ret_us = clock_us() - began;
	if (status != 0) {
		fprintf(stderr, "bench: it failed with %d: %s\n", status, command);
	}
	return status == 0;
}

int main(int argc, char **argv) {
	posix_spawn_file_actions_t actions;
	if (argc < 3) {
		fprintf(stderr, "usage: alternate ROUNDS COMMAND…\n");
		return 2;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	int rounds = number_or_exit(argv[1], 1000000);
	bool good = true;
	for (int i = 0; i < rounds && good; i++) {
		for (int j = 2; j < argc && good; j++) {
			int64_t took = 0;
			good = run(argv[j], &actions, &took);
			printf("%" PRId64 "%s", took, j + 1 < argc ? "\t" : "\n");
		}
	}
	posix_spawn_file_actions_destroy(&actions);
	return good ? 0 : 1;
}
