/* The time to the first byte of an answer, through files and by libcurl, by turns.
 *
 *   first_byte ROUNDS MODEL-DIRECTORY URL [CA]
 *
 * Prints a line a round: microseconds through files, a tab, microseconds by libcurl. */
#include "ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
	if (argc < 4 || argc > 5 || chdir(argv[2]) != 0) {
		fprintf(stderr, "usage: first_byte ROUNDS MODEL-DIRECTORY URL [CA]\n");
		return 2;
	}
	int rounds = number_or_exit(argv[1], 1000000);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	CURL *curl = direct_open(argv[3], argc == 5 ? argv[4] : NULL);
	bool asked = true;
	for (int i = 0; i < rounds && asked; i++) {
		struct asked files, direct;
		asked = ask_files("What is a file?", &files) &&
			ask_direct(curl, "What is a file?", &direct);
		if (asked) {
			printf("%" PRId64 "\t%" PRId64 "\n", files.first_us, direct.first_us);
		}
	}
	direct_close(curl);
	curl_global_cleanup();
	return asked ? 0 : 1;
}
