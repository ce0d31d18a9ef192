/* Progress on stderr: see progress.h. */
#include "core/command/progress.h"

#include "core/base/cleanup.h"
#include "core/base/plain.h"
#include "core/base/text.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* A terminal is drawn ten times a second, a log gets a line each two seconds of the same. */
#define DRAW_MS 100
#define TELL_MS 2000
#define BAR 20

static int64_t now_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t columns(void) {
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > BAR + 20 ? size.ws_col
										      : 80;
}

static void draw(struct progress *progress, uint64_t done, uint64_t total, const char *words) {
	char bar[BAR + 1] = "";
	size_t room = columns() - 1;
	if (total != 0) {
		size_t full = (size_t)((double)(done < total ? done : total) / (double)total * BAR);
		memset(bar, '.', BAR);
		memset(bar, '#', full);
		bar[BAR] = '\0';
		room -= BAR + 3;
	}
	size_t shown = utf8_cut(words, strlen(words), room);
	fprintf(stderr, "\r\x1b[K%s%s%s%.*s", total != 0 ? "[" : "", bar, total != 0 ? "] " : "",
			(int)shown, words);
	fflush(stderr);
	progress->drawn = true;
}

/* What changes by its numbers alone is the same step. */
static bool is_same_step(struct progress *progress, const char *words) {
	size_t size = strcspn(words, "0123456789");
	size = size < sizeof(progress->last) - 1 ? size : sizeof(progress->last) - 1;
	bool same = strncmp(progress->last, words, size) == 0 && progress->last[size] == '\0';
	memcpy(progress->last, words, size);
	progress->last[size] = '\0';
	return same;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total, const char *words) {
	bool terminal = isatty(STDERR_FILENO) == 1;
	int64_t now = now_ms();
	bool due = !is_same_step(progress, words) ||
		   now - progress->told >= (terminal ? DRAW_MS : TELL_MS);
	cleanup_free char *plain = due ? plain_text(words, strlen(words), 400, false) : NULL;
	if (plain == NULL) {
		return;
	}
	progress->told = now;
	if (terminal) {
		draw(progress, done, total, plain);
	} else {
		fprintf(stderr, "%s\n", plain);
	}
}

void progress_end(struct progress *progress) {
	if (progress->drawn) {
		fprintf(stderr, "\r\x1b[K");
		fflush(stderr);
		progress->drawn = false;
	}
}
