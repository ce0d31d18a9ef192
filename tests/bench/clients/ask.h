/* One turn, asked in two ways by a C program: through files, and by libcurl without any of our
 * code. What the second takes is what the service takes; the difference is ours. */
#ifndef BENCH_ASK_H
#define BENCH_ASK_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct asked {
	int64_t first_us; /* from the beginning to the first byte of the answer */
	int64_t whole_us; /* to its end */
	uint64_t bytes;
};

/* Microseconds of a clock that only goes forward. */
int64_t clock_us(void);

/* open, write, close of `input`; open, read to the end of `output`, below the current directory.
 * False with words on stderr. */
bool ask_files(const char *prompt, struct asked *ret);

/* The same prompt to an OpenAI-shaped chat service. `curl` is used for every question, so that the
 * connection stays open; `ca` is the file of its certificate, NULL for plain http. */
CURL *direct_open(const char *url, const char *ca);
bool ask_direct(CURL *curl, const char *prompt, struct asked *ret);
void direct_close(CURL *curl);

/* The whole of a command-line word as a number from 1 to `most`; ends the program otherwise. */
int number_or_exit(const char *word, int most);

#endif
