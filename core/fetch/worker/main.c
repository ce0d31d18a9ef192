/* conduitfs-fetch: fetches and builds a provider into the cache. Its task comes on stdin, a JSON
 * object in one line (message.h), and nothing after it: closing stdin ends the program. Its stdout
 * brings lines of JSON: progress, and at last the end. */
#include "core/base/confine.h"
#include "core/base/file.h"
#include "core/fetch/cache.h"
#include "core/fetch/worker/keeper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define TASK_MOST ((size_t)64 << 10)

#if CONFINE_SANITIZED
/* The leak check at exit wants ptrace, which a process that can't be dumped doesn't allow. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
	return "detect_leaks=0";
}
#endif

static bool read_line(struct buf *line) {
	char byte = '\0';
	while (byte != '\n') {
		ssize_t size = read(STDIN_FILENO, &byte, 1);
		if (size == 0 || (size < 0 && errno != EINTR)) {
			return false;
		}
		if (size == 1 && byte != '\n' && !buf_add_byte(line, byte)) {
			return false;
		}
	}
	return true;
}

static int refuse(const struct fail *fail) {
	struct buf line cleanup_buf = {0};
	struct fetch_result result = {.code = fail->code, .words = (char *)fail_words(fail)};
	if (message_write_end(&line, &result)) {
		fputs(buf_string(&line), stdout);
	}
	return EXIT_FAILURE;
}

int main(int argc, char **argv) {
	(void)argv;
	struct stat about;
	if (argc != 1 || fstat(STDIN_FILENO, &about) != 0 || S_ISCHR(about.st_mode)) {
		fputs("usage: conduitfs-fetch, with a task on its stdin\n"
		      "It is started by conduitfs.\n",
				stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	/* Where this was started may be a repository, whose configuration git would read too. */
	if (chdir("/") != 0) {
		return 2;
	}
	struct fail fail cleanup_fail = {0};
	struct buf line cleanup_buf = {.limit = TASK_MOST};
	struct task task cleanup_task = {0};
	if (!read_line(&line)) {
		fputs("conduitfs-fetch: no task came\n", stderr);
		return 2;
	}
	if (!task_read(&task, buf_string(&line), &fail) || !cache_make(task.cache, &fail)) {
		return refuse(&fail);
	}
	return keeper_run(&task, STDIN_FILENO, STDOUT_FILENO);
}
