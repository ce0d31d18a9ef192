/* One of the system's programs (the compiler, pkg-config) run over what strangers wrote, shut in
 * with its children: they read the system's programs, libraries and headers and two directories,
 * write one, and reach no network, no other process and no other file; they end in bounded time,
 * and when we end. */
#ifndef CORE_FETCH_BUILD_CONFINED_H
#define CORE_FETCH_BUILD_CONFINED_H

#include "core/base/buf.h"
#include "core/base/fail.h"

#include <stdbool.h>

/* The names under which it finds the two: descriptors, so that it needs no right to walk there,
 * which nobody (whom root becomes) may not have. */
#define CONFINED_WRITABLE "/proc/self/fd/3"
#define CONFINED_READABLE "/proc/self/fd/4"

struct confined {
	const char *const *arguments; /* the first an absolute path; ended by NULL */
	/* Open directories, borrowed; -1 for none. */
	int writable; /* where it may write; its TMPDIR; must belong to whom root becomes */
	int readable;
	int current; /* its working directory, readable; none: "/" */
	double seconds; /* CPU of each of its processes, and wall clock of all together */
	/* Called about each second while it runs; may be NULL. */
	void (*tick)(void *data, double seconds);
	void *data;
};

struct confined_end {
	int status; /* as waitpid has it */
	double seconds; /* that it took */
	bool too_long; /* it was killed after `seconds` */
	bool too_much; /* it was killed because it wrote more than CONFINED_DISK_MOST */
	bool cut; /* `output` holds only the first of what it said */
};

/* Of memory a process, of one file, of all files. */
#define CONFINED_MEMORY_MOST ((size_t)2 << 30)
#define CONFINED_FILE_MOST ((size_t)64 << 20)
#define CONFINED_DISK_MOST ((size_t)256 << 20)

/* Appends to `output`, as far as its limit goes, what it writes to stdout and stderr. False with
 * words when it can't be shut in (ENOSYS where the kernel has no Landlock) or started; how it ended
 * else. Blocks. */
bool confined_run(const struct confined *confined, struct buf *output, struct confined_end *ret,
		struct fail *fail);

/* For confined.c: what the child does. `setup` takes the words of a failure, an errno first. */
__attribute__((noreturn)) void confined_child(
		const struct confined *confined, int output, int setup);

#endif
