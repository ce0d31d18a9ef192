/* One of the system's programs, run in a sandbox (conduitfs-run) over open descriptors: what it may
 * read and write is what it is handed. On the loop's thread; events never come from inside a call
 * made here. */
#ifndef CORE_PROCESS_PROGRAM_H
#define CORE_PROCESS_PROGRAM_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct program;

/* What is kept of its stderr: the end. */
#define PROGRAM_WORDS_MOST 2048
#define PROGRAM_INPUTS_MOST 64

struct program_options {
	const char *runner; /* absolute path of conduitfs-run */
	const char *path; /* of the program, absolute */
	char *const *arguments; /* ended by NULL; without the program's name */
	int standard_input; /* a descriptor; -1: nothing to read */
	int directory; /* where it works and writes; -1 for none */
	/* Files that it reads; it finds the number i as program_input_path says. All descriptors
	 * are borrowed. */
	const int *inputs;
	size_t n_inputs; /* at most PROGRAM_INPUTS_MOST */
	double seconds; /* of processor time */
	uint64_t file_most; /* bytes of one file that it writes */
	bool allow_without_landlock; /* `sandbox: seccomp` in config.yml */
};

struct program_end {
	/* Of its exit; 128 and the signal when it was killed; 125 when it couldn't be shut in. */
	int status;
	const char *words; /* the end of what it said on stderr, on one line, plain UTF-8 */
};

struct program_events {
	/* What it says on stdout. False: no more until program_resume. */
	bool (*output)(void *data, const void *bytes, size_t size);
	/* Exactly once, last, when it and its output have ended; the program frees itself after
	 * it. */
	void (*end)(void *data, const struct program_end *end);
};

#define PROGRAM_PATH_SIZE 32
void program_input_path(size_t number, char ret[static PROGRAM_PATH_SIZE]);
/* The absolute path of a program by its name, looked for where the system keeps programs; NULL when
 * it isn't installed. */
char *program_find(const char *name);

/* NULL with words. */
struct program *program_start(uv_loop_t *loop, const struct program_options *options,
		const struct program_events *events, void *data, struct fail *fail);
void program_resume(struct program *program);
/* Ends it, within two seconds, and tells nobody; it frees itself then, after `gone` was called with
 * `data` (NULL: nobody cares). */
void program_cancel(struct program *program, void (*gone)(void *data), void *data);

#endif
