/* stat(2) of one file as often as possible, each asked of the file system anew.
 *
 *   stats MILLISECONDS FILE
 *
 * Prints calls a second. */
#include "ask.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "usage: stats MILLISECONDS FILE\n");
		return 2;
	}
	int64_t began = clock_us(), now = began;
	int64_t until = began + number_or_exit(argv[1], 600000) * (int64_t)1000;
	unsigned done = 0;
	for (; now < until; now = clock_us(), done++) {
		struct statx status;
		if (statx(AT_FDCWD, argv[2], AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &status) !=
				0) {
			perror(argv[2]);
			return 1;
		}
	}
	printf("%.0f\n", done * 1e6 / (double)(now - began));
	return 0;
}
