/* Repositories made by git in a directory of the test's own, and fetches of them run to their end.
 */
#ifndef TESTS_UNIT_FETCH_SUPPORT_H
#define TESTS_UNIT_FETCH_SUPPORT_H

#include "core/fetch/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DECLARED                                                                                   \
	"id: acme-provider\ndriver: openai\nbase_url: https://api.acme.dev/v1\n"                   \
	"capabilities: [text-to-text]\n"
#define COMPILED "id: acme-provider\nsources: [provider.c]\ncapabilities: [text-to-text]\n"

int fetch_setup(void **state);
int fetch_teardown(void **state);
/* A test with a scratch directory that is its home as well. */
#define with_fetch(test) cmocka_unit_test_setup_teardown(test, fetch_setup, fetch_teardown)
const char *scratch_directory(void);
void write_file(const char *name, const char *text);
void assert_has(const char *text, const char *part);

/* A shell command in the scratch directory; its failure fails the test. */
void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What it prints, without the last newline; valid until the next call. */
const char *shell_output(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A repository NAME with one commit of these texts on main. */
void make_repository(const char *name, const char *manifest, const char *source);

struct fetched {
	struct fetch_result result; /* owned */
	unsigned progress, ends;
	enum fetch_stage last;
	char words[2048];
};

/* The cache lies in the scratch directory. */
const struct fetch_options *options(void);
/* The same, to be changed. */
struct fetch_options *own_options(void);
/* Parses `text` ("%s" stands for the scratch directory), fetches, runs the loop to its end. */
void fetch_run(struct fetched *ret, const char *text, const char *commit);
void fetched_finish(struct fetched *fetched);

#endif
