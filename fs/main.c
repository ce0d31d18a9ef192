/* conduitfs: reads the command line, goes to the background once the mount answers, serves it. */
#include "core/base/log.h"
#include "core/command/command.h"
#include "fs/options.h"
#include "fs/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

/* Exit codes, as mount(8) has them: a bad call, and a mount that failed. */
enum { EXIT_USAGE = 1, EXIT_MOUNT = 32 };

struct background {
	int pipe; /* the foreground waits for a byte, or the end; -1 in the foreground */
};

static void on_ready(void *data) {
	struct background *background = data;
	if (background->pipe < 0) {
		return;
	}
	/* From here on there is no terminal: the log goes to syslog. */
	log_open(LOG_LEVEL_WARNING, true);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= 2; fd++) {
		dup2(null, fd);
	}
	ssize_t written = write(background->pipe, "", 1);
	(void)written;
	close(background->pipe);
	background->pipe = -1;
}

static int run(const struct options *options, struct background *background) {
	cleanup_fail struct fail fail = {0};
	struct serve_options serving = {
			.mountpoint = options->mountpoint,
			.config = options->config,
			.fuse_options = options->fuse_options,
			.debug = options->debug,
			.ready = on_ready,
			.data = background,
	};
	if (!serve(&serving, &fail)) {
		fprintf(stderr, "conduitfs: %s\n", fail_words(&fail));
		return EXIT_MOUNT;
	}
	return EXIT_SUCCESS;
}

/* In the foreground: waits until the background says that the mount answers, or ends. */
static int wait_for(pid_t child, int pipe) {
	char byte;
	int status;
	ssize_t got;
	do {
		got = read(pipe, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got == 1) {
		return EXIT_SUCCESS;
	}
	if (waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) != 0) {
		return WEXITSTATUS(status);
	}
	fprintf(stderr, "conduitfs: ended before the mount answered\n");
	return EXIT_MOUNT;
}

static int run_in_background(const struct options *options) {
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		fprintf(stderr, "conduitfs: %s\n", strerror(errno));
		return EXIT_MOUNT;
	}
	pid_t child = fork();
	if (child < 0) {
		fprintf(stderr, "conduitfs: can't go to the background: %s\n", strerror(errno));
		return EXIT_MOUNT;
	}
	if (child > 0) {
		close(ends[1]);
		return wait_for(child, ends[0]);
	}
	close(ends[0]);
	setsid();
	if (chdir("/") != 0) {
		return EXIT_MOUNT;
	}
	struct background background = {.pipe = ends[1]};
	return run(options, &background);
}

int main(int argc, char **argv) {
	if (argc > 1 && strcmp(argv[1], "provider") == 0) {
		return provider_command(argc - 1, argv + 1);
	}
	struct options options = {0};
	cleanup_fail struct fail fail = {0};
	int code = EXIT_SUCCESS;
	if (!options_read(&options, argc, argv, &fail)) {
		fprintf(stderr, "conduitfs: %s\n", fail_words(&fail));
		code = EXIT_USAGE;
	} else if (options.help) {
		options_print_help();
	} else if (options.version) {
		printf("conduitfs %s\n", CONDUITFS_VERSION);
	} else if (options.foreground) {
		struct background background = {.pipe = -1};
		log_open(options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, false);
		code = run(&options, &background);
	} else {
		code = run_in_background(&options);
	}
	options_finish(&options);
	return code;
}
